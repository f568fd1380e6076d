//! Headers keep their order, arrays and the rules of their event; FreeSWITCH's `switch_event.c` is the measure.

use bytes::Bytes;
use chappe_event::{Event, EventName, Name, Value, header};

fn texts(event: &Event) -> Vec<(&str, &str)> {
    event.headers().map(|(name, value)| (name, value.as_str())).collect()
}

fn elements<'e>(event: &'e Event, name: &str) -> Vec<&'e str> {
    match event.headers().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((_, Value::Array(array))) => array.iter().collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_message_has_each_header_once() {
    let mut event = Event::new(EventName::Message);
    event.add(header::TO, "1009@chat.test");
    event.add(header::FROM, "1004@chat.test");
    event.add("TO", "1010@chat.test");
    event.add_display(header::MAX_FORWARDS, 70);
    event.add_display("MAX_forwards", 69);
    assert_eq!(texts(&event), [("from", "1004@chat.test"), ("TO", "1010@chat.test"), ("MAX_forwards", "69")]);
}

#[test]
fn other_events_may_have_a_header_twice() {
    let mut event = Event::custom("SMS::SEND_MESSAGE");
    event.add("x", "1");
    event.add("X", "2");
    event.add_top("priority", "HIGH");
    let both = [("priority", "HIGH"), ("Event-Subclass", "SMS::SEND_MESSAGE"), ("x", "1"), ("X", "2")];
    assert_eq!(texts(&event), both);
    assert_eq!(event.get("x"), Some("1"));
    event.set("x", "3");
    assert_eq!(texts(&event)[2..], [("x", "3")]);
    assert!(event.remove("x"));
    assert!(!event.remove("x"));
}

#[test]
fn an_empty_value_removes() {
    for name in [EventName::Message, EventName::Custom] {
        let mut event = Event::new(name);
        event.add("x", "1");
        event.add("X", "");
        event.push("y", "");
        assert_eq!(texts(&event), []);
    }
}

#[test]
fn arrays_grow_at_both_ends() {
    let mut event = Event::new(EventName::Message);
    event.add("list", "one");
    event.push("LIST", "two");
    event.unshift("list", "zero");
    event.push("list", "");
    assert_eq!(event.get("list"), Some("ARRAY::zero|:one|:two|:"));
    assert_eq!(elements(&event, "list"), ["zero", "one", "two", ""]);
    assert_eq!(event.get("list[1]"), Some("one"));
    assert_eq!(event.get("List[4]"), None);
    assert_eq!(event.element("list", 3), Some(""));
}

#[test]
fn an_array_of_one_is_an_array() {
    let mut event = Event::new(EventName::Custom);
    event.push("list", "a|:b");
    assert_eq!(event.get("list"), Some("a|:b"));
    assert_eq!(elements(&event, "list"), ["a|:b"]);
    event.add("plain", "x");
    assert_eq!(event.element("plain", 0), None);
}

#[test]
fn a_joined_array_is_taken_apart() {
    let mut event = Event::new(EventName::Message);
    event.add("list", "ARRAY::one|:two|:three");
    assert_eq!(elements(&event, "list"), ["one", "two", "three"]);
    event.add("list", "ARRAY::four|:five");
    assert_eq!(elements(&event, "list"), ["four", "five"], "headers of a message are unique");
    event.add("none", "ARRAY::");
    assert_eq!(event.get("none"), None);

    let mut event = Event::new(EventName::Custom);
    event.add("list", "one");
    event.add("list", "ARRAY::two|:three");
    assert_eq!(elements(&event, "list"), ["one", "two", "three"]);
}

#[test]
fn single_elements_are_set() {
    let mut event = Event::new(EventName::Message);
    event.add("list[2]", "two");
    assert_eq!(event.get("list"), Some("ARRAY::|:|:two"));
    event.add("list[0]", "zero");
    assert_eq!(event.get("list"), Some("ARRAY::zero|:|:two"));
    event.add("list[4001]", "too far");
    event.add("list[-1]", "too near");
    assert_eq!(elements(&event, "list").len(), 3);
    event.add("plain", "lost");
    event.add("plain[1]", "b");
    assert_eq!(event.get("plain"), Some("ARRAY::|:b"));
    event.add("first[0]", "a");
    assert_eq!((event.get("first"), event.get("first[0]")), (Some("a"), Some("a")));
}

#[test]
fn the_body_is_octets_and_reads_as_text() {
    let mut event = Event::new(EventName::Message);
    assert_eq!((event.get("_body"), event.body_text().as_ref()), (None, ""));
    event.set_body(Some(Bytes::from_static(b"caf\xc3\xa9")));
    assert_eq!(event.get("_body"), Some("café"));
    assert_eq!(event.get("_BODY"), None);
    event.set_body(Some(Bytes::from_static(b"caf\xe9")));
    assert_eq!(event.get("_body"), Some("caf\u{FFFD}"));
    assert_eq!(event.clone().body().unwrap().as_ref(), b"caf\xe9");
    event.add("_body", "new");
    assert_eq!(event.body().unwrap().as_ref(), b"new");
    assert_eq!(texts(&event), [("_body", "new")]);
    event.add("_body", "");
    assert_eq!((event.body().unwrap().len(), texts(&event)), (0, vec![]));
}

#[test]
fn a_reply_swaps_sender_and_recipient() {
    let mut event = Event::new(EventName::Message);
    let rows = [
        ("Event-Name", "MESSAGE"),
        ("proto", "sip"),
        ("to_proto", "sip"),
        ("from", "1004@chat.test"),
        ("from_user", "1004"),
        ("FROM_host", "chat.test"),
        ("to_user", "1009"),
        ("to", "1009@chat.test"),
        ("from_full", "<sip:1004@chat.test>"),
        ("sip_h_X-A", "1"),
    ];
    for (name, value) in rows {
        event.add(Name::copied(name), value);
    }
    event.push("list", "a");
    event.push("list", "b");
    event.set_body(Some(Bytes::from_static(b"hello there")));
    let reply = event.reply();
    let expected = [
        ("Event-Name", "MESSAGE"),
        ("proto", "sip"),
        ("from_proto", "sip"),
        ("to", "1004@chat.test"),
        ("to_user", "1004"),
        ("to_host", "chat.test"),
        ("from_user", "1009"),
        ("from", "1009@chat.test"),
        ("to_full", "<sip:1004@chat.test>"),
        ("sip_h_X-A", "1"),
        ("list", "ARRAY::a|:b"),
        ("replying", "true"),
        ("orig_body", "hello there"),
    ];
    assert_eq!(texts(&reply), expected);
    assert_eq!(reply.body(), None);
}

#[test]
fn merging_adds_headers_and_arrays() {
    let mut event = Event::custom("SMS::DELIVERY_REPORT");
    event.add("Status", "Success");
    let mut other = Event::new(EventName::Message);
    other.add("from", "1004@chat.test");
    other.add("list", "ARRAY::a|:b");
    event.merge(&other);
    assert_eq!(texts(&event)[2..], [("from", "1004@chat.test"), ("list", "ARRAY::a|:b")]);
    assert_eq!(event.element("list", 1), Some("b"));
}

#[test]
fn equal_events_have_the_same_headers_in_order() {
    let event = |pairs: &[(&'static str, &str)]| {
        let mut event = Event::new(EventName::Custom);
        pairs.iter().for_each(|(name, value)| event.add(*name, value));
        event
    };
    assert_eq!(event(&[("a", "1"), ("b", "2")]), event(&[("a", "1"), ("b", "2")]));
    assert_ne!(event(&[("a", "1"), ("b", "2")]), event(&[("b", "2"), ("a", "1")]));
    assert_ne!(event(&[("a", "1")]), event(&[("A", "1")]));
}

#[test]
fn truth_is_read_as_freeswitch_does() {
    let mut event = Event::new(EventName::Message);
    event.add(header::BLOCKING, "TRUE");
    event.add(header::REPLYING, "0");
    assert!(event.is_true("blocking"));
    assert!(!event.is_true("replying"));
    assert!(!event.is_true("final_delivery"));
}
