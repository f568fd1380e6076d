//! Phones that are web pages, RFC 7118.

mod fixture;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, header_text, status};
use fixture::tls_wire::Certificates;
use fixture::websocket::{CLOSE, HEADERS, PING, TEXT, WebSocket, masked};
use fixture::{Server, param};

const PATIENCE: Duration = Duration::from_secs(5);

fn server(more: &str) -> Server {
    Server::with(&(param("ws-binding", ":0") + more))
}

#[test]
fn a_page_gets_its_messages_by_its_websocket() {
    let server = server("");
    let mut page = Phone::websocket("1001", WebSocket::connect(server.at("ws")));
    assert_eq!(status(&page.register(600)), 200);
    assert_eq!(server.endpoint.registrations()[0].transport, "ws");
    let mut sender = server.phone("1000");
    assert_eq!(status(&sender.message_while("1001", "to a page", &mut [&mut page])), 200);
    let received = page.receive();
    assert!(received.ends_with(b"\r\n\r\nto a page"));
    let via = header_text(&received, HeaderName::Via);
    assert!(via.starts_with(&format!("SIP/2.0/WS {};", server.at("ws"))), "{via}");
    let mut other = Phone::websocket("1002", WebSocket::connect(server.at("ws")));
    assert_eq!(status(&other.register(600)), 200);
    assert_eq!(status(&other.message_while("1001", "x".repeat(5000).as_str(), &mut [&mut page])), 200);
    assert!(page.receive().ends_with(format!("\r\n\r\n{}", "x".repeat(5000)).as_bytes()));
}

#[test]
fn over_tls_and_an_echo_comes_back() {
    let certificates = Certificates::new();
    let more = certificates.folder_param() + &param("wss-binding", ":0");
    let server = server(&more);
    let mut page = Phone::websocket("1001", WebSocket::secure(server.at("wss")));
    assert_eq!(status(&page.register(600)), 200);
    assert_eq!(server.endpoint.registrations()[0].transport, "wss");
    assert_eq!(status(&page.message("echo+x", "and back")), 200);
    assert!(page.receive().ends_with(b"\r\n\r\nand back"));
}

#[test]
fn over_ipv6_at_an_address_of_its_own() {
    let server = Server::with(&param("ws-binding", "[::1]:0"));
    let addr = server.at("ws");
    assert!(addr.is_ipv6());
    let mut page = Phone::websocket("1001", WebSocket::connect(addr));
    assert_eq!(status(&page.register(600)), 200);
    assert_eq!(status(&server.phone("1000").message_while("1001", "x", &mut [&mut page])), 200);
}

#[test]
fn a_page_that_has_gone_is_not_waited_for() {
    let server = server("");
    let mut page = Phone::websocket("1001", WebSocket::connect(server.at("ws")));
    assert_eq!(status(&page.register(600)), 200);
    drop(page);
    assert_eq!(status(&server.phone("1000").message("1001", "x")), 202);
    // It comes back by another WebSocket, and gets what waits.
    let mut page = Phone::websocket("1001", WebSocket::connect(server.at("ws")));
    assert_eq!(status(&page.register(600)), 200);
    assert!(page.receive().ends_with(b"\r\n\r\nx"));
}

#[test]
fn handshakes_that_are_refused() {
    let server = server(&param("ws-allowed-origins", "https://chat.test, https://other.test:8443"));
    let response = |headers: &str| WebSocket::response(server.at("ws"), headers);
    let cases = [
        (HEADERS.to_owned(), "101"),
        (HEADERS.replace("https://chat.test", "https://other.test:8443"), "101"),
        (HEADERS.replace("Origin: https://chat.test\r\n", ""), "101"),
        (HEADERS.replace("https://chat.test", "https://evil.test"), "403"),
        (HEADERS.replace("https://chat.test", "https://chat.test.evil.test"), "403"),
        (HEADERS.replace("Protocol: sip", "Protocol: xmpp"), "400"),
        (HEADERS.replace("Sec-WebSocket-Protocol: sip\r\n", ""), "400"),
        ("Host: localhost\r\n".to_owned(), "426"),
        (HEADERS.replace("Version: 13", "Version: 8"), "426"),
        (format!("{HEADERS}X: {}\r\n", "x".repeat(9000)), "431"),
    ];
    for (headers, code) in cases {
        let response = response(&headers);
        assert!(response.starts_with(&format!("HTTP/1.1 {code} ")), "{response} to {headers}");
    }
    for garbage in [
        &b"REGISTER sip:chat.test SIP/2.0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.at("ws")).unwrap();
        stream.write_all(garbage).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[test]
fn frames_of_every_kind() {
    let server = server("");
    let mut socket = WebSocket::connect(server.at("ws"));
    socket.write(&masked(PING, b"are you there"));
    assert_eq!(socket.frame(PATIENCE), Some((0x8a, b"are you there".to_vec())));
    socket.send(b"\r\n\r\n");
    assert_eq!(socket.frame(PATIENCE), Some((TEXT, b"\r\n".to_vec())));
    let mut phone = Phone::websocket("1001", WebSocket::connect(server.at("ws")));
    let request = phone.request("OPTIONS", "sip:chat.test", "sip:chat.test", "", "");
    let (start, end) = request.as_bytes().split_at(40);
    let pieces = [masked(1, start), masked(PING, b""), masked(0, &end[..10]), masked(0x80, &end[10..])];
    for octet in pieces.concat() {
        socket.write(&[octet]);
    }
    assert_eq!(socket.frame(PATIENCE), Some((0x8a, vec![])));
    let (_, answer) = socket.frame(PATIENCE).unwrap();
    assert_eq!(status(&answer), 200);
    socket.write(&masked(CLOSE, &[3, 0xe9]));
    assert_eq!(socket.frame(PATIENCE), Some((CLOSE, vec![3, 0xe9])));
    assert_eq!(socket.frame(PATIENCE), None);
    assert_eq!(status(&phone.register(60)), 200);
}

#[test]
fn frames_that_break_the_rules_close_the_connection() {
    let server = server("");
    for (octets, code) in [
        (vec![TEXT, 2, b'h', b'i'], 1002u16),
        (masked(0xc1, b"deflated"), 1002),
        (masked(TEXT, b"\xff\xff"), 1007),
        (vec![TEXT, 0xff, 0, 0, 0, 0, 0, 16, 0, 0], 1009),
    ] {
        let mut socket = WebSocket::connect(server.at("ws"));
        socket.write(&octets);
        assert_eq!(socket.frame(PATIENCE), Some((CLOSE, code.to_be_bytes().to_vec())));
        assert_eq!(socket.frame(PATIENCE), None);
    }
}

#[test]
fn so_many_connections_and_no_more() {
    let server = server(&(param("max-connections", "6") + &param("max-connections-per-ip", "3")));
    let at = |ip: &str| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&format!("{ip}:0").parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
        socket.connect(&server.addr().into()).unwrap();
        TcpStream::from(socket)
    };
    let is_taken = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = [0; 2];
        stream.write_all(b"\r\n\r\n").is_ok() && stream.read_exact(&mut answer).is_ok()
    };
    let mut open: Vec<_> = (0..3).map(|_| at("127.0.0.2")).collect();
    assert!(open.iter_mut().all(is_taken));
    assert!(!is_taken(&mut at("127.0.0.2")), "one source has its share");
    open.extend((0..3).map(|_| at("127.0.0.3")));
    assert!(open.iter_mut().all(is_taken));
    assert!(!is_taken(&mut at("127.0.0.4")), "the profile has its share");
    open.truncate(5);
    // The server sees it go a moment later.
    let until = std::time::Instant::now() + PATIENCE;
    while !is_taken(&mut at("127.0.0.4")) {
        assert!(std::time::Instant::now() < until, "a place that was left is not given away");
    }
}
