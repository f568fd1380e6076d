//! Notifications of what became of a message, RFC 5438.

use crate::world::{World, every, message};

const CPIM: &str = "From: <sip:1004@chat.test>\r\nTo: <sip:echo@chat.test>\r\n\r\n\
                    Content-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n\r\n<imdn/>";

#[test]
fn nobody_replies_to_a_notification() {
    let cases = [
        ("message/imdn+xml", "<imdn/>", 0),
        ("message/cpim", CPIM, 0),
        ("message/cpim", "From: <sip:1004@chat.test>\r\n\r\nContent-Type: text/plain\r\n\r\nhello", 1),
        ("text/plain", "hello", 1),
    ];
    for (kind, body, replies) in cases {
        let world = World::with(&every("<action application=\"reply\" data=\"r\"/>"));
        let mut message = message("echo");
        message.add("type", kind);
        message.set_body(Some(body.into()));
        assert_eq!(world.route(message).code, 200);
        world.run_spawned();
        assert_eq!(world.sip.sent().len(), replies, "{kind}: {body}");
    }
}

#[test]
fn a_text_in_reply_to_cpim_is_a_text() {
    let world = World::with(&every("<action application=\"reply\" data=\"r\"/>")).watched();
    let mut message = message("echo");
    message.add("type", "message/cpim");
    assert_eq!(world.route(message).code, 200);
    world.run_spawned();
    let events = world.events.of(chappe_event::EventName::Message);
    let types: Vec<_> = events.iter().map(|event| (event.get("to"), event.get("type"))).collect();
    assert!(types.contains(&(Some("1004@chat.test"), Some("text/plain"))), "{types:?}");
}
