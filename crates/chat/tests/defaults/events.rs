use chappe_event::EventName;

use crate::world::{World, every, message};

#[test]
fn each_message_gets_a_truthful_report() {
    let cases = [
        ("1009", "Success 200 sip:1009@192.0.2.1"),
        ("busy", "Failure 486 sip:busy@192.0.2.1"),
        ("nobody", "Accepted 202 -"),
        ("silent", "Accepted 202 -"),
        ("overloaded", "Failure 503 -"),
        ("broken", "Failure 500 -"),
    ];
    for (to, report) in cases {
        let world = World::with("").watched();
        world.route(message(to));
        assert_eq!(world.events.reports(), [report]);
    }
}

#[test]
fn what_the_plan_dealt_with_is_a_success_and_its_reply_has_its_own_report() {
    let world = World::with(&every("<action application=\"reply\" data=\"r\"/>")).watched();
    world.route(message("1009"));
    assert_eq!(world.events.reports(), ["Success 200 sip:1004@192.0.2.1", "Success 200 -"]);
}

#[test]
fn a_message_sent_on_is_reported_once() {
    let world = World::with(&every("<action application=\"send\"/>")).watched();
    world.route(message("busy"));
    assert_eq!(world.events.reports(), ["Failure 486 sip:busy@192.0.2.1"]);
    assert_eq!(world.events.of(EventName::Message).len(), 2);
}

#[test]
fn a_report_has_the_messages_headers_and_no_body() {
    let world = World::with("").watched();
    world.route(message("1009"));
    let reports = world.events.of(EventName::Custom);
    let headers: Vec<_> = reports[0].headers().map(|(name, _)| name).collect();
    assert_eq!(reports[0].get("to"), Some("1009@chat.test"));
    assert!(reports[0].body().is_none());
    let names = headers.iter().filter(|name| **name == "Event-Name").count();
    assert_eq!(names, 1, "{headers:?}");
}

#[test]
fn the_message_is_fired_with_its_outcome() {
    let fired = |to: &str, blocking: bool| {
        let world = World::with("").watched();
        let mut sent = message(to);
        if blocking {
            sent.add("blocking", "true");
        }
        world.route(sent);
        let events = world.events.of(EventName::Message);
        assert_eq!(events.len(), 1);
        let header = |name| events[0].get(name).unwrap_or("-").to_owned();
        ["Nonblocking-Delivery", "Delivery-Result-Code", "Delivery-Failure"].map(header).join(" ")
    };
    assert_eq!(fired("1009", false), "true - -");
    assert_eq!(fired("1009", true), "- 200 false");
    assert_eq!(fired("busy", true), "- 486 true");
    // What is kept is no failure: it will be told of once more.
    assert_eq!(fired("silent", true), "- - false");
    assert_eq!(fired("nobody", true), "- - false");
}

#[test]
fn fire_shows_the_message_as_it_is_by_then() {
    let world = World::with(&every(
        "<action application=\"set\" data=\"x=1\"/><action application=\"fire\"/>\
         <action application=\"set\" data=\"x=2\"/>",
    ))
    .watched();
    world.route(message("1009"));
    let events = world.events.of(EventName::Message);
    let values: Vec<_> = events.iter().map(|event| event.get("x")).collect();
    assert_eq!(values, [Some("1"), Some("2")]);
}
