use crate::world::{World, every, message};

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
