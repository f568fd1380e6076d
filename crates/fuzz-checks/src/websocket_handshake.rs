use chappe_sip_endpoint::websocket::{Origins, answer};

/// Any head of a request: nothing of it but the key gets into an answer; an allowed Origin opens nothing that is closed
/// without a list.
pub fn websocket_handshake(head: &[u8]) {
    let listed = Origins(vec!["https://chat.example.com".to_owned()]);
    let open = answer(head, &Origins(Vec::new()));
    assert!(answer(head, &listed).is_err() || open.is_ok());
    match open {
        Ok(response) => {
            let lines: Vec<_> = response.split("\r\n").collect();
            let [status, upgrade, connection, accept, protocol, "", ""] = lines[..] else {
                panic!("{response:?} is not five lines");
            };
            assert_eq!(
                (status, upgrade, connection, protocol),
                (
                    "HTTP/1.1 101 Switching Protocols",
                    "Upgrade: websocket",
                    "Connection: Upgrade",
                    "Sec-WebSocket-Protocol: sip"
                )
            );
            let accept = accept.strip_prefix("Sec-WebSocket-Accept: ").expect("the proof");
            assert_eq!(accept.len(), 28, "a hash of twenty octets");
        }
        Err(refusal) => {
            let response = refusal.response();
            let (head, body) = response.split_once("\r\n\r\n").expect("an empty line");
            assert!(
                head.starts_with("HTTP/1.1 4")
                    && head.contains(&format!("\r\nContent-Length: {}", body.len()))
            );
        }
    }
}
