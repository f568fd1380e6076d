//! Input that nobody should send.

mod fixture;

use chappe_sip_msg::HeaderName;
use fixture::phone::{parsed, status};
use fixture::{Server, param};

fn is_alive(server: &Server) -> bool {
    status(&server.phone("1000").register(60)) == 200
}

#[test]
fn garbage_is_dropped() {
    let server = Server::with("");
    let mut phone = server.phone("x");
    let commas = vec![b','; 65_000];
    let mut long = b"MESSAGE sip:a@b SIP/2.0\r\nContact: ".to_vec();
    long.extend_from_slice(&commas);
    let mut contacts = phone.request("REGISTER", "sip:chat.test", "sip:1000@chat.test", "", "").into_bytes();
    contacts.truncate(contacts.len() - 21);
    contacts.extend_from_slice(b"Contact: ");
    contacts.extend_from_slice(&commas[..60_000]);
    contacts.extend_from_slice(b"\r\n\r\n");
    let cases: [&[u8]; 9] = [
        b"",
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"MESSAGE sip:a@b SIP/2.0\r\n",
        &commas,
        &long,
        &contacts,
        &[0xff; 1400],
    ];
    for bytes in cases {
        phone.send_raw(bytes);
    }
    assert!(is_alive(&server));
    for bytes in &cases[3..] {
        let mut stream = server.tcp_phone("x");
        stream.send_raw(bytes);
    }
    assert!(is_alive(&server));
}

#[test]
fn what_can_be_answered_is_answered() {
    let server = Server::with("");
    let mut phone = server.phone("1000");
    let to = "sip:1001@chat.test";
    let cases = [
        (phone.request("MESSAGE", to, to, "Require: nonsense\r\n", "x"), 420),
        (phone.request("MESSAGE", "tel:+1", to, "", "x"), 416),
        (phone.request("MESSAGE", to, to, "", "x").replace("Max-Forwards: 70", "Max-Forwards: 0"), 483),
        (phone.request("MESSAGE", to, to, "", "x").replace(" SIP/2.0\r\nVia", " SIP/7.0\r\nVia"), 505),
        (phone.request("MESSAGE", to, to, "", "x").replace("Content-Length: 1", "Content-Length: 99"), 400),
        (phone.request("MESSAGE", to, to, "Content-Encoding: gzip\r\n", "x"), 415),
        (phone.request("INVITE", to, to, "", ""), 405),
        (phone.request("NONSENSE", to, to, "", ""), 501),
        (phone.request("OPTIONS", "sip:chat.test", "sip:chat.test", "", ""), 200),
    ];
    for (request, expected) in cases {
        let answer = phone.transact(&request);
        assert_eq!(status(&answer), expected, "{request}");
    }
    let big = "x".repeat(130 * 1024);
    let mut stream = server.tcp_phone("1000");
    let request = stream.request("MESSAGE", to, to, "", &big);
    assert_eq!(status(&stream.transact(&request)), 413);
}

#[test]
fn bombs_of_headers_cost_an_answer() {
    let server = Server::with("");
    let uri = "sip:chat.test";
    let line = |name: &str, value: &str| format!("{name}: {value}\r\n");
    let most =
        |start: &str, piece: &str, end: &str| format!("{start}{}{end}", piece.repeat(8_000 / piece.len()));
    let cases = [
        (line("X", "").repeat(9_000), 513),
        (line("v", "SIP/2.0/UDP h").repeat(3_000), 513),
        (line("X", &"y".repeat(60_000)), 513),
        (line("X", &" \r\n".repeat(10_000)), 513),
        (line("X", &" y\r\n".repeat(10_000)), 513),
        // As much as a line may have: nothing is read by going down into it.
        (line("User-Agent", &most("", "(", "")), 200),
        (line("User-Agent", &most("", "(\\", "")), 200),
        (line("Contact", &most("", "<", "")), 400),
        (line("Contact", &most("\"", "\\\"", "\" <sip:a@b>")), 200),
        (line("Contact", &most("<sip:a@b>", ";a", "")), 200),
        (line("Contact", &most("<sip:a@b>", ";a=\"\"", "")), 200),
        (line("Contact", &most("", "<sip:a@b>,", "<sip:a@b>")), 200),
        (line("Record-Route", &most("", "<sip:a@b>,", "<sip:a@b>")).repeat(6), 200),
        (line("v", &most("", "SIP/2.0/UDP h,", "SIP/2.0/UDP h")).repeat(6), 200),
        (line("Authorization", &most("Digest ", "a=b,", "a=b")), 200),
    ];
    for (headers, expected) in cases {
        let mut phone = server.phone("1000");
        let request = phone.request("OPTIONS", uri, uri, &headers, "");
        let shown = &headers[..headers.len().min(60)];
        assert_eq!(status(&phone.transact(&request)), expected, "{shown:?}");
        let mut stream = server.tcp_phone("1000");
        let request = stream.request("OPTIONS", uri, uri, &headers, "");
        assert_eq!(status(&stream.transact(&request)), expected, "{shown:?}");
    }
    assert!(is_alive(&server));
}

/// RFC 3261 §18.2.1: where an answer goes is the server's to say, not the sender's.
#[test]
fn a_via_that_lies_gets_its_answer_all_the_same() {
    let server = Server::with("");
    let mut phone = server.phone("1000");
    let uri = "sip:chat.test";
    for lie in [
        "192.0.2.99:9;rport",
        "192.0.2.99;received=192.0.2.98;rport=9",
        "192.0.2.99:9;maddr=192.0.2.97;ttl=255;rport;received=\"192.0.2.98\"",
        "255.255.255.255;rport",
        "[2001:db8::1]:9;rport=0;received=[::1]",
        "chat.test;rport;RECEIVED=192.0.2.98;Received=192.0.2.97",
    ] {
        let request = phone.request("OPTIONS", uri, uri, "", "");
        let told = format!("{};rport", phone.addr());
        assert!(request.contains(&told));
        let answer = phone.transact(&request.replace(&told, lie));
        assert_eq!(status(&answer), 200, "{lie}");
        let answer = parsed(&answer);
        let via = answer.via().unwrap();
        assert_eq!(
            (via.received, via.rport),
            (Some(&b"127.0.0.1"[..]), Some(Some(phone.addr().port()))),
            "{lie}"
        );
        assert_eq!(via.params.iter().filter(|param| param.name.eq_ignore_ascii_case(b"received")).count(), 1);
    }
}

#[test]
fn an_answer_that_nobody_asked_for_ends_nothing() {
    let server = Server::with("");
    let mut callee = server.registered("1001");
    callee.answers = None;
    let mut caller = server.phone("1000");
    let request = caller.signed_message("1001", "x");
    caller.send_raw(request.as_bytes());
    let got = callee.receive();
    let mut stranger = server.phone("x");
    let mut answer = Vec::new();
    chappe_sip_msg::ResponseWriter::to(&parsed(&got), None, 200, "", "t", &mut answer).finish();
    let answer = String::from_utf8(answer).unwrap();
    let branch = String::from_utf8(parsed(&got).via().unwrap().branch.unwrap().to_vec()).unwrap();
    let guess = |last: &str| format!("{}{last}", &branch[..branch.len() - 1]);
    for (from, to) in [
        (branch.clone(), guess(if branch.ends_with('0') { "1" } else { "0" })),
        (branch.clone(), branch.to_uppercase()),
        (branch.clone(), String::new()),
        ("MESSAGE\r\n".to_owned(), "INVITE\r\n".to_owned()),
        ("Via: ".to_owned(), "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx, ".to_owned()),
        ("SIP/2.0 200".to_owned(), "SIP/2.0 1200".to_owned()),
    ] {
        assert!(answer.contains(&from), "{from}");
        stranger.send_raw(answer.replacen(&from, &to, 1).as_bytes());
    }
    assert!(caller.final_response().is_none() && !caller.pump(std::time::Duration::from_millis(200)));
    callee.answer(&got, 200);
    assert_eq!(status(&caller.response_to(&request)), 200);
}

#[test]
fn a_merged_request_is_482() {
    let server = Server::with(&param("auth-messages", "false"));
    let mut phone = server.phone("1000");
    let to = "sip:1001@chat.test";
    let request = phone.request("MESSAGE", to, to, "", "x");
    assert_eq!(status(&phone.transact(&request)), 202);
    let other_way = request.replace("branch=z9hG4bK", "branch=z9hG4bKother");
    assert_eq!(status(&phone.transact(&other_way)), 482);
}

#[test]
fn too_many_requests_a_second_are_503_with_retry_after() {
    let server = Server::with(&param("max-recv-requests-per-second", "3"));
    let mut phone = server.phone("1000");
    let answers: Vec<_> = (0..5)
        .map(|_| phone.transact(&phone.request("OPTIONS", "sip:chat.test", "sip:chat.test", "", "")))
        .collect();
    let codes: Vec<_> = answers.iter().map(|answer| status(answer)).collect();
    assert_eq!(codes, [200, 200, 200, 503, 503]);
    let last = parsed(&answers[4]);
    assert_eq!(last.first(HeaderName::RetryAfter), Some(&b"1"[..]));
}

#[test]
fn a_retransmission_of_what_is_under_way_is_absorbed_when_new_requests_are_refused() {
    let params = param("max-recv-requests-per-second", "3") + &param("auth-messages", "false");
    let server = Server::with(&params);
    let mut phone = server.phone("1000");
    let to = "sip:tar+x@chat.test";
    let stuck = phone.request("MESSAGE", to, to, "", "x");
    phone.send_raw(stuck.as_bytes());
    let uri = "sip:chat.test";
    let refused =
        (0..20).any(|_| status(&phone.transact(&phone.request("OPTIONS", uri, uri, "", ""))) == 503);
    assert!(refused);
    phone.send_raw(stuck.as_bytes());
    assert!(!phone.pump(std::time::Duration::from_millis(200)), "the message under way was answered");
}

#[test]
fn too_many_messages_under_way_are_503() {
    let params = param("max-message-flows", "2") + &param("shards", "1") + &param("auth-messages", "false");
    let server = Server::with(&params);
    let mut phone = server.phone("1000");
    let to = "sip:tar+x@chat.test";
    for _ in 0..2 {
        let stuck = phone.request("MESSAGE", to, to, "", "x");
        phone.send_raw(stuck.as_bytes());
    }
    let answer = phone.transact(&phone.request("MESSAGE", to, to, "", "x"));
    assert_eq!(status(&answer), 503);
}

#[test]
fn a_ping_on_a_stream_is_answered() {
    let server = Server::with("");
    let mut phone = server.tcp_phone("1000");
    phone.send_raw(b"\r\n\r\n");
    assert_eq!(phone.read_octets(2), b"\r\n");
    assert_eq!(status(&phone.register(60)), 200);
}

#[test]
fn a_stun_request_is_answered_with_the_address_it_came_from() {
    let server = Server::with("");
    let mut phone = server.phone("1000");
    let transaction = *b"\x21\x12\xa4\x42twelve bytes";
    phone.send_raw(&[&[0, 1, 0, 0][..], &transaction].concat());
    let answer = phone.read_datagram();
    let port = (phone.addr().port() ^ 0x2112).to_be_bytes();
    let expected = [
        &[1, 1, 0, 12][..],
        &transaction,
        &[0, 0x20, 0, 8, 0, 1],
        &port,
        &[127 ^ 0x21, 0x12, 0xa4, 1 ^ 0x42],
    ];
    assert_eq!(answer, expected.concat());
    assert_eq!(status(&phone.register(60)), 200);
}
