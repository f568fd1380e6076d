//! What scripts hand to apps: a sender's text may be in it.

use std::task::{Context, Poll, Waker};

use chappe_chat::Quirks;

use crate::world::{World, message};

/// What the app `set` leaves in the header `x`.
fn set(world: &World, data: &str) -> String {
    let mut event = message("1009");
    let mut running = Box::pin(world.router.execute_app(&mut event, "set", Some(data)));
    match running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(_) => drop(running),
        Poll::Pending => panic!("nothing is slow"),
    }
    event.get("x").unwrap_or_default().to_owned()
}

#[test]
fn a_sender_reads_no_variables_and_calls_no_commands() {
    let world = World::with("");
    world.router.globals().set("secret", "s3cret");
    let chat = "${chat(sip|a@b|1009@chat.test|called)}";
    for (data, expected) in [
        ("x=${from_user} said ${_body}", "1004 said hello"),
        ("x=[${secret}]", "[]"),
        (&format!("x={chat}"), chat),
        ("x=${expand(echo ${secret})}", "${expand(echo )}"),
        ("x=plain", "plain"),
    ] {
        assert_eq!(set(&world, data), expected, "{data}");
    }
    assert!(world.sip.sent().is_empty(), "no command was called");
}

#[test]
fn freeswitch_fills_in_everything() {
    let world = World::with("");
    world.router.globals().set("secret", "s3cret");
    world.router.set_quirks(Quirks::freeswitch());
    assert_eq!(set(&world, "x=${secret} ${chat(sip|a@b|1009@chat.test|called)}"), "s3cret Sent");
}
