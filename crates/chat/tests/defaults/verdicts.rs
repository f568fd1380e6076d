use std::sync::Arc;

use chappe_chat::{App, AppRow, Delivery, Outcome, Quirks, Ran, Router};
use chappe_event::Event;

use crate::world::{World, every, message};

/// An app that is always too busy.
struct Busy;

impl App for Busy {
    fn row(&self) -> &AppRow {
        &AppRow { name: "busy", syntax: "", doc: "Be too busy.", takes: false, module: "mod_test" }
    }

    fn run<'a>(&'a self, _: &'a mut Event, _: Option<&'a str>, _: &'a Arc<Router>) -> Ran<'a> {
        Ran::Now(Outcome::Failed(Delivery::Overloaded { retry_after_secs: 3 }))
    }
}

#[test]
fn a_failed_app_ends_the_message_and_the_sender_is_told() {
    for inline in ["", "inline=\"true\""] {
        let actions =
            format!("<action application=\"busy\" {inline}/><action application=\"reply\" data=\"r\"/>");
        let world = World::with(&every(&actions)).watched();
        world.router.add_app(Arc::new(Busy));
        let verdict = world.route(message("1009"));
        assert_eq!((verdict.code, verdict.retry_after), (503, Some(3)), "{inline}");
        assert!(world.sip.sent().is_empty());
        assert_eq!(world.events.reports(), ["Failure 503 -"]);
    }
}

#[test]
fn freeswitch_takes_no_notice_of_a_failed_app() {
    let actions = "<action application=\"busy\"/><action application=\"reply\" data=\"r\"/>";
    let world = World::with(&every(actions));
    world.router.add_app(Arc::new(Busy));
    world.router.set_quirks(Quirks::freeswitch());
    world.route(message("1009"));
    assert_eq!(world.sip.sent(), ["1004: r", "1009: hello"]);
}

#[test]
fn a_delivery_is_the_senders_answer() {
    let cases = [
        ("1009", 200, "OK", None),
        ("busy", 486, "Busy Here", None),
        ("nobody", 202, "Accepted", None),
        ("silent", 202, "Accepted", None),
        ("overloaded", 503, "Service Unavailable", Some(5)),
        ("broken", 500, "Server Internal Error", None),
    ];
    for (to, code, reason, retry_after) in cases {
        let verdict = World::with("").route(message(to));
        assert_eq!(
            (verdict.code, &*verdict.reason, verdict.retry_after),
            (code, reason, retry_after),
            "{to}"
        );
    }
}

#[test]
fn a_missing_app_is_an_error_and_nothing_is_delivered() {
    for inline in ["", "inline=\"true\""] {
        let world = World::with(&every(&format!("<action application=\"nosuch\" {inline}/>")));
        assert_eq!(world.route(message("1009")).code, 500);
        assert!(world.sip.sent().is_empty());
    }
}

#[test]
fn a_missing_chat_interface_is_an_error() {
    let world = World::with("");
    let mut elsewhere = message("1009");
    elsewhere.add("dest_proto", "xmpp");
    assert_eq!(world.route(elsewhere).code, 501);
    let mut nowhere = message("1009");
    nowhere.remove("dest_proto");
    assert_eq!(world.route(nowhere).code, 500);
}

#[test]
fn hops_run_out() {
    let reply = every("<action application=\"reply\" data=\"${max_forwards}\"/>");
    for (hops, code, sent) in
        [(None, 200, "1004: 70"), (Some("7"), 200, "1004: 6"), (Some("2"), 200, "1004: 1")]
    {
        let world = World::with(&reply);
        let mut hopping = message("1009");
        hops.into_iter().for_each(|hops| hopping.add("max_forwards", hops));
        assert_eq!(world.route(hopping).code, code);
        assert_eq!(world.sip.sent(), [sent]);
    }
    for hops in ["1", "0", "-3"] {
        let world = World::with(&reply);
        let mut hopping = message("1009");
        hopping.add("max_forwards", hops);
        let verdict = world.route(hopping);
        assert_eq!((verdict.code, &*verdict.reason), (483, "Too Many Hops"), "{hops}");
        assert!(world.sip.sent().is_empty());
    }
}
