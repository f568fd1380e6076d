use std::future::Future;
use std::task::{Context, Poll, Waker};

use chappe_chat::Verdict;

use crate::world::{World, every, message};

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
