//! A part of the server that panics.

mod fixture;

use std::sync::Arc;

use chappe_chat::{ChatInterface, Sent};
use chappe_event::Event;
use fixture::Server;
use fixture::phone::status;

/// Panics, at once or later.
struct Faulty {
    name: &'static str,
    at_once: bool,
}

impl ChatInterface for Faulty {
    fn name(&self) -> &str {
        self.name
    }

    fn send<'a>(&'a self, _: &'a mut Event) -> Sent<'a> {
        assert!(!self.at_once, "a fault at once");
        Sent::Later(Box::pin(async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            panic!("a fault later");
        }))
    }
}

#[test]
fn only_the_message_that_meets_a_fault_is_answered_500() {
    let server = Server::with("");
    for (name, at_once) in [("now", true), ("later", false)] {
        server.router.add_interface(Arc::new(Faulty { name, at_once }));
    }
    let mut device = server.registered("1001");
    let mut sender = server.phone("1000");
    for to in ["now+x", "later+x", "now+x"] {
        assert_eq!(status(&sender.message(to, "x")), 500, "{to}");
        let answer = sender.message_while("1001", "x", &mut [&mut device]);
        assert_eq!(status(&answer), 200, "after {to}");
    }
}
