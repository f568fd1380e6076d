//! Messages as a router keeps them: a MESSAGE event of some 35 headers, 600 octets of text.

use chappe_event::{Event, EventName};
use chappe_store::{Kept, MessageId, State};

/// Octets of text.
const BODY: usize = 600;
/// Users to whom the messages are.
const RECIPIENTS: u32 = 10_000;
/// Headers beside those that name somebody.
const HEADERS: [(&str, &str); 29] = [
    ("Event-Name", "MESSAGE"),
    ("Core-UUID", "5a5c29d4-7e0b-4d3c-9a8c-2f1f3f0e3a77"),
    ("FreeSWITCH-Hostname", "chat-1"),
    ("FreeSWITCH-Switchname", "chat-1"),
    ("FreeSWITCH-IPv4", "192.0.2.10"),
    ("FreeSWITCH-IPv6", "2001:db8::10"),
    ("Event-Date-Local", "2026-01-01 12:00:00"),
    ("Event-Date-GMT", "Thu, 01 Jan 2026 12:00:00 GMT"),
    ("Event-Date-Timestamp", "1767268800000000"),
    ("Event-Calling-File", "message.rs"),
    ("Event-Calling-Function", "message"),
    ("Event-Calling-Line-Number", "100"),
    ("Event-Sequence", "123456"),
    ("login", "sip:mod_sofia@192.0.2.10:5060"),
    ("proto", "sip"),
    ("from_host", "example.org"),
    ("from_full", "<sip:1000@example.org>;tag=8f3a2b1c"),
    ("to_host", "example.org"),
    ("subject", "SIMPLE MESSAGE"),
    ("context", "public"),
    ("type", "text/plain"),
    ("dest_proto", "sip"),
    ("sip_profile", "internal"),
    ("from_sip_ip", "192.0.2.20"),
    ("from_sip_port", "5062"),
    ("to_sip_ip", "192.0.2.10"),
    ("to_sip_port", "5060"),
    ("DP_MATCH", "ARRAY::1001|:1001"),
    ("max_forwards", "70"),
];

pub fn kept(number: u32) -> Kept {
    let user = 1000 + number % RECIPIENTS;
    let recipient = format!("{user}@example.org");
    let digits = u128::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let id = MessageId::from(format!("{digits:032x}").as_str());
    Kept {
        message: event(&recipient, &id),
        id,
        origin: Some(digits.rotate_left(64)),
        recipient: recipient.into(),
        sender: "1000@example.org".into(),
        state: State::Waiting,
        accepted: 1_767_268_800_000_000 + i64::from(number),
        not_before: 0,
        expires: 1_767_873_600_000_000 + i64::from(number),
        attempts: Vec::new(),
    }
}

fn event(recipient: &str, id: &MessageId) -> Event {
    let mut event = Event::new(EventName::Message);
    HEADERS.iter().for_each(|(name, value)| event.add(*name, value));
    event.add("from", "1000@example.org");
    event.add("from_user", "1000");
    event.add("to", recipient);
    event.add("to_user", recipient.split('@').next().unwrap_or_default());
    event.add("Message-ID", id.as_str());
    event.add("call_id", format!("{id}@192.0.2.20"));
    event.set_body(Some(vec![b'x'; BODY].into()));
    event
}

/// Octets of a message as a row, about: names, values, text.
pub fn octets(kept: &Kept) -> Vec<u8> {
    let mut octets = Vec::with_capacity(2048);
    for (name, value) in kept.message.headers() {
        octets.extend_from_slice(name.as_bytes());
        octets.extend_from_slice(value.as_str().as_bytes());
        octets.extend_from_slice(&[0, 0]);
    }
    octets.extend_from_slice(kept.message.body().map_or(&[], |body| body));
    octets
}
