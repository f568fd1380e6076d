use chappe_event::{Event, EventName};

use crate::world::{World, every};

fn send_message(to: &str) -> Event {
    let mut event = Event::custom("SMS::SEND_MESSAGE");
    let to = format!("{to}@chat.test");
    let headers = [("dest_proto", "sip"), ("from", "bot@chat.test"), ("to", to.as_str())];
    headers.into_iter().for_each(|(name, value)| event.add(name, value));
    event.set_body(Some("hello".into()));
    event
}

#[test]
fn it_is_sent_past_the_chatplan_and_reported_once() {
    for (to, report) in [("1009", "Success 200 sip:1009@192.0.2.1"), ("nobody", "Accepted 202 -")] {
        let world = World::with(&every("<action application=\"reply\" data=\"r\"/>")).watched();
        world.bus.fire(send_message(to));
        world.run_spawned();
        assert_eq!(world.sip.sent(), [format!("{to}: hello")]);
        assert_eq!(world.events.reports(), [report]);
        let seen = world.events.of(EventName::Custom);
        assert_eq!(seen.iter().filter(|event| event.subclass() == Some("SMS::SEND_MESSAGE")).count(), 2);
    }
}

#[test]
fn without_a_destination_it_is_a_failure() {
    let world = World::with("").watched();
    let mut nowhere = send_message("1009");
    nowhere.remove("dest_proto");
    world.bus.fire(nowhere);
    world.run_spawned();
    assert!(world.sip.sent().is_empty());
    assert_eq!(world.events.reports(), ["Failure 500 -"]);
}

#[test]
fn without_mod_sms_nobody_listens() {
    let world = World::with("").watched();
    world.router.set_plan(None);
    world.bus.fire(send_message("1009"));
    world.run_spawned();
    assert!(world.sip.sent().is_empty());
    assert_eq!(world.events.of(EventName::Custom)[0].get("skip_global_process"), None);
}

#[test]
fn the_chat_command_waits_for_the_outcome() {
    let world = World::with(&every("<action application=\"reply\" data=\"r\"/>"));
    let ask = |line: &str| match world.registry.execute(line, None) {
        chappe_api::Answer::Ready(text) => text,
        chappe_api::Answer::Later(_) => panic!("nothing is slow"),
    };
    assert_eq!(ask("chat sip|bot@chat.test|1009@chat.test|hi| text/plain "), "Sent");
    assert_eq!(ask("chat sip|bot@chat.test|busy@chat.test|hi"), "Error! Message Not Sent");
    assert_eq!(ask("chat sip|bot@chat.test|nobody@chat.test|hi"), "Sent");
    assert_eq!(ask("chat nope|a|b|c"), "Error! Message Not Sent");
    assert_eq!(ask("chat sip|a"), "Invalid");
    assert_eq!(ask("chat"), "Invalid");
    assert_eq!(world.sip.sent(), ["1009: hi", "busy: hi", "nobody: hi"]);
}

fn originated(headers: &[(&'static str, &str)]) -> Event {
    let mut event = Event::custom("SMS::ORIGINATE_MESSAGE");
    headers.iter().for_each(|(name, value)| event.add(*name, *value));
    event.set_body(Some("hello".into()));
    event
}

#[test]
fn an_originated_message_goes_through_the_chatplan() {
    let plan = "<extension name=\"e\"><condition field=\"to_user\" expression=\"^(\\d+)$\">\
                <action application=\"set\" data=\"to=1$1@chat.test\"/><action application=\"send\"/>\
                </condition></extension>\
                <extension name=\"echo\"><condition field=\"to_user\" expression=\"^echo$\">\
                <action application=\"reply\" data=\"${from_host} ${context} ${type} ${body}\"/>\
                </condition></extension>";
    for (headers, sent, report) in [
        (
            &[("from", "bot@chat.test"), ("to", "009@chat.test")][..],
            "1009: hello",
            "Success 200 sip:1009@192.0.2.1",
        ),
        (&[("from", "bot@chat.test"), ("to", "00@chat.test")], "100: hello", "Success 200 sip:100@192.0.2.1"),
        (
            &[("from", "1004@chat.test"), ("to", "echo@chat.test")],
            "1004: chat.test default text/plain hello",
            "",
        ),
        (&[("from", "1004@chat.test"), ("to", "other@chat.test")], "other: hello", ""),
        (
            &[
                ("from", "1004@chat.test"),
                ("to", "sip:echo@chat.test"),
                ("type", "text/x"),
                ("replying", "true"),
            ],
            "1004: chat.test default text/x hello",
            "",
        ),
        (
            &[("from", "1004@a"), ("to", "echo@b"), ("from_host", "mine"), ("skip_global_process", "true")],
            "1004: mine default text/plain hello",
            "",
        ),
    ] {
        let world = World::with(plan).watched();
        world.bus.fire(originated(headers));
        world.run_spawned();
        assert_eq!(world.sip.sent(), [sent], "{headers:?}");
        if !report.is_empty() {
            assert_eq!(world.events.reports(), [report], "{headers:?}");
        }
        let seen = world.events.of(EventName::Message);
        assert!(seen.iter().any(|event| event.get("to").is_some()), "the message is an event, too");
    }
}

#[test]
fn a_plan_that_originates_what_it_gets_ends() {
    let world = World::with(&every("<action application=\"stop\"/>")).watched();
    world.bus.fire(originated(&[("from", "a@b"), ("to", "c@d"), ("max_forwards", "1")]));
    world.run_spawned();
    assert!(
        world.events.reports().iter().any(|report| report.starts_with("Failure 483")),
        "{:?}",
        world.events.reports()
    );
}

#[test]
fn the_chat_command_goes_through_the_chatplan_when_asked() {
    let world = World::with(&every("<action application=\"reply\" data=\"${to_user} ${type} ${body}\"/>"));
    let ask = |line: &str| match world.registry.execute(line, None) {
        chappe_api::Answer::Ready(text) => text,
        chappe_api::Answer::Later(_) => panic!("nothing is slow"),
    };
    assert_eq!(ask("chat sip|1004@chat.test|x@chat.test|hi||chatplan"), "Sent");
    assert_eq!(ask("chat sip|1004@chat.test|x@chat.test|hi|text/x| CHATPLAN"), "Sent");
    assert_eq!(ask("chat sip|1004@chat.test|x@chat.test|hi|text/x|nonsense"), "Invalid");
    assert_eq!(world.sip.sent(), ["1004: x text/plain hi", "1004: x text/x hi"]);
}
