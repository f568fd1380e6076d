use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chappe_chat::{Opening, PlanSource, Verdict};
use chappe_event::Event;

use crate::world::{World, every, message, plan};

fn poll(routing: &mut std::pin::Pin<Box<impl Future<Output = Verdict>>>) -> Option<u16> {
    match routing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => Some(verdict.code),
        Poll::Pending => None,
    }
}

#[test]
fn the_sender_waits_for_the_device() {
    let world = World::with("").watched();
    let mut routing = Box::pin(world.router.route(message("slow")));
    assert_eq!(poll(&mut routing), None);
    assert_eq!(world.sip.sent(), ["slow: hello"]);
    assert!(world.events.reports().is_empty());
    world.sip.answer();
    assert_eq!(poll(&mut routing), Some(200));
    assert_eq!(world.events.reports(), ["Success 200 sip:slow@192.0.2.1"]);
}

#[test]
fn the_sender_does_not_wait_for_a_reply() {
    let world = World::with(&every("<action application=\"reply\" data=\"r\"/>")).watched();
    let mut slow_sender = message("1009");
    slow_sender.add("from", "slow@chat.test");
    assert_eq!(world.route(slow_sender).code, 200);
    assert_eq!(world.sip.sent(), ["slow: r"]);
    assert_eq!(world.events.reports(), ["Success 200 -"]);
    world.sip.answer();
    world.run_spawned();
    assert_eq!(world.events.reports(), ["Success 200 -", "Success 200 sip:slow@192.0.2.1"]);
}

#[test]
fn actions_after_send_do_not_wait_for_it_but_the_sender_does() {
    let world =
        World::with(&every("<action application=\"send\"/><action application=\"reply\" data=\"sent\"/>"));
    let mut routing = Box::pin(world.router.route(message("slow")));
    assert_eq!(poll(&mut routing), None);
    assert_eq!(world.sip.sent(), ["slow: hello", "1004: sent"]);
    world.sip.answer();
    assert_eq!(poll(&mut routing), Some(200));
}

#[test]
fn a_message_that_names_another_file_waits_for_it_alone() {
    let world = World::with("");
    for (path, expected) in [("/other.xml", "1004: other"), ("/missing.xml", "1009: hello")] {
        let sent = world.sip.sent().len();
        let mut elsewhere = message("1009");
        elsewhere.add("alt_path", path);
        let mut routing = Box::pin(world.router.route(elsewhere));
        assert_eq!(poll(&mut routing), None, "{path}");
        assert_eq!(world.route(message("1010")).code, 200);
        assert_eq!(poll(&mut routing), Some(200), "{path}");
        assert_eq!(world.sip.sent()[sent..], ["1010: hello", expected], "{path}");
    }
}

/// Answers at the second look: 1009 has a plan of its own, 1010 is nobody's.
struct Answers;

impl PlanSource for Answers {
    fn find(&self, message: &Event) -> Option<Opening> {
        let own = match message.get("to_user")? {
            "1009" => Some(plan(&every("<action application=\"reply\" data=\"own\"/>"))),
            "1010" => None,
            _ => return None,
        };
        let mut asked = false;
        Some(Box::pin(poll_fn(move |_| match std::mem::replace(&mut asked, true) {
            false => Poll::Pending,
            true => Poll::Ready(own.clone()),
        })))
    }
}

#[test]
fn a_message_whose_plan_is_asked_for_waits_alone_and_falls_back_to_the_plan_there_is() {
    let world = World::with(&every("<action application=\"reply\" data=\"the file's\"/>"));
    world.router.set_plan_source(Some(Arc::new(Answers)));
    for (to, expected) in [("1009", "1004: own"), ("1010", "1004: the file's")] {
        let sent = world.sip.sent().len();
        let mut routing = Box::pin(world.router.route(message(to)));
        assert_eq!(poll(&mut routing), None, "{to}");
        assert_eq!(world.route(message("1011")).code, 200);
        assert_eq!(poll(&mut routing), Some(200), "{to}");
        assert_eq!(world.sip.sent()[sent..], ["1004: the file's", expected], "{to}");
    }
    world.router.set_plan_source(None);
    assert_eq!(world.route(message("1009")).code, 200);
    assert_eq!(world.sip.sent().last().map(String::as_str), Some("1004: the file's"));
}

#[test]
fn nobody_is_asked_for_a_plan_where_a_file_is_named_or_mod_sms_is_not_loaded() {
    let world = World::with("");
    world.router.set_plan_source(Some(Arc::new(Answers)));
    let mut elsewhere = message("1009");
    elsewhere.add("alt_path", "/other.xml");
    let mut routing = Box::pin(world.router.route(elsewhere));
    assert_eq!((poll(&mut routing), poll(&mut routing)), (None, Some(200)));
    assert_eq!(world.sip.sent(), ["1004: other"]);
    world.router.set_plan(None);
    assert_eq!(world.route(message("1009")).code, 200);
    assert_eq!(world.sip.sent(), ["1004: other", "1009: hello"]);
}
