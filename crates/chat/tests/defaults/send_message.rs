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
    assert_eq!(ask("chat sip|bot@chat.test|nobody@chat.test|hi"), "Error! Message Not Sent");
    assert_eq!(ask("chat nope|a|b|c"), "Error! Message Not Sent");
    assert_eq!(ask("chat sip|a"), "Invalid");
    assert_eq!(ask("chat"), "Invalid");
    assert_eq!(world.sip.sent(), ["1009: hi", "busy: hi", "nobody: hi"]);
}
