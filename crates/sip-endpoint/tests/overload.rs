//! More requests than a shard has time for.

mod fixture;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, header_text, parsed, status};
use fixture::{Server, param};

/// What the tests allow a request to wait.
const AGE: Duration = Duration::from_millis(30);

/// One shard, without credentials.
fn server() -> Server {
    let age = AGE.as_millis().to_string();
    let params = [("shards", "1"), ("auth-messages", "false"), ("max-request-age", &age)];
    Server::with(&params.map(|(name, value)| param(name, value)).concat())
}

fn message(phone: &Phone, to: &str) -> String {
    let to = format!("sip:{to}@chat.test");
    phone.request("MESSAGE", &to, &to, "Content-Type: text/plain\r\n", "x")
}

/// Waits until what was sent is too old.
fn grow_old() {
    let sent = Instant::now();
    while sent.elapsed() <= AGE {
        std::thread::yield_now();
    }
}

/// Final answers by their status, until so many have come.
fn answers(phone: &mut Phone, count: usize) -> BTreeMap<u16, Vec<Vec<u8>>> {
    let mut answers: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
    let end = Instant::now() + Duration::from_secs(10);
    for _ in 0..count {
        let answer = loop {
            assert!(
                Instant::now() < end,
                "{:?}",
                answers.iter().map(|(c, a)| (c, a.len())).collect::<Vec<_>>()
            );
            match phone.final_response() {
                Some(answer) => break answer,
                None => phone.pump(Duration::from_millis(100)),
            };
        };
        answers.entry(status(&answer)).or_default().push(answer);
    }
    answers
}

#[test]
fn what_waited_too_long_is_503_and_the_end_of_the_queue_is_served() {
    let server = server();
    let (mut stuck, mut phone) = (server.phone("1000"), server.phone("1001"));
    let stalls = message(&stuck, "stall+x");
    let held = server.stall.by(&mut stuck, &stalls);
    for _ in 0..100 {
        phone.send_raw(message(&phone, "1002").as_bytes());
    }
    grow_old();
    drop(held);
    // Reads of 32: three of them leave somebody waiting.
    let answers = answers(&mut phone, 100);
    assert_eq!(
        answers.iter().map(|(code, all)| (*code, all.len())).collect::<Vec<_>>(),
        [(202, 4), (503, 96)]
    );
    for refused in &answers[&503] {
        let seconds: u32 = header_text(refused, HeaderName::RetryAfter).parse().unwrap();
        assert!((1..=5).contains(&seconds));
        assert!(parsed(refused).to().unwrap().tag().is_some());
    }
    let shown = server.api("sofia status profile internal");
    assert!(shown.contains("SHED-IN          \t96\n") && shown.contains("DROPPED-IN       \t0\n"), "{shown}");
    assert_eq!(status(&phone.transact(&message(&phone, "1002"))), 202);
}

#[test]
fn what_is_under_way_goes_first() {
    let server = server();
    let (mut stuck, mut phone) = (server.phone("1000"), server.phone("1001"));
    let mut device = server.registered("1002");
    device.answers = None;
    let under_way = message(&stuck, "1002");
    stuck.send_raw(under_way.as_bytes());
    let delivered = device.receive();
    let stalls = message(&stuck, "stall+x");
    let held = server.stall.by(&mut stuck, &stalls);
    for _ in 0..50 {
        phone.send_raw(message(&phone, "1003").as_bytes());
    }
    // Both among those that are refused: a retransmission, and the device's answer.
    stuck.send_raw(stalls.as_bytes());
    device.answer(&delivered, 200);
    for _ in 0..50 {
        phone.send_raw(message(&phone, "1003").as_bytes());
    }
    grow_old();
    drop(held);
    assert_eq!(status(&stuck.response_to(&under_way)), 200);
    assert_eq!(answers(&mut phone, 100)[&503].len(), 95);
    assert!(stuck.final_response().is_none() && stuck.is_quiet(), "the retransmission was answered");
}

#[test]
fn without_a_limit_everything_waits_its_turn() {
    let params = [("shards", "1"), ("auth-messages", "false"), ("max-request-age", "0")];
    let server = Server::with(&params.map(|(name, value)| param(name, value)).concat());
    let (mut stuck, mut phone) = (server.phone("1000"), server.phone("1001"));
    let stalls = message(&stuck, "stall+x");
    let held = server.stall.by(&mut stuck, &stalls);
    for _ in 0..100 {
        phone.send_raw(message(&phone, "1002").as_bytes());
    }
    grow_old();
    drop(held);
    assert_eq!(answers(&mut phone, 100)[&202].len(), 100);
}

#[test]
fn no_room_for_messages_leaves_room_for_phones_that_register() {
    let params = [("shards", "1"), ("auth-messages", "false"), ("max-message-flows", "2")];
    let server = Server::with(&params.map(|(name, value)| param(name, value)).concat());
    let mut phone = server.phone("1000");
    for _ in 0..2 {
        let stuck = message(&phone, "tar+x");
        phone.send_raw(stuck.as_bytes());
    }
    let mut refused = 0;
    while refused < 3 {
        refused += u32::from(status(&phone.transact(&message(&phone, "1002"))) == 503);
    }
    assert_eq!(status(&server.phone("1001").register(60)), 200);
}

#[test]
fn a_connection_hears_503_of_what_waited_too_long() {
    let server = server();
    let mut stuck = server.phone("1000");
    let mut phone = server.tcp_phone("1001");
    // The connection is there, and so is what it sends afterwards.
    assert_eq!(status(&phone.transact(&message(&phone, "1002"))), 202);
    let stalls = message(&stuck, "stall+x");
    let held = server.stall.by(&mut stuck, &stalls);
    for _ in 0..100 {
        phone.send_raw(message(&phone, "1002").as_bytes());
    }
    // The last of them is in the mailbox once the connection behind it answers.
    phone.send_raw(b"\r\n\r\n");
    assert_eq!(phone.read_octets(2), b"\r\n");
    grow_old();
    drop(held);
    let answers = answers(&mut phone, 100);
    assert_eq!(
        answers.iter().map(|(code, all)| (*code, all.len())).collect::<Vec<_>>(),
        [(202, 32), (503, 68)]
    );
    assert!(answers[&503].iter().all(|refused| !header_text(refused, HeaderName::RetryAfter).is_empty()));
}
