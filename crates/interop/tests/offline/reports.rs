//! What the event socket hears of a message that waits.

use chappe_interop::{Agent, Folder};

use crate::{registered, report, reports, server};

#[test]
fn a_message_that_waits_is_accepted_and_then_delivered() {
    let server = server(Folder::new(), &[]);
    let mut reports = reports(&server);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "text/plain;charset=UTF-8", b"hello"), 202);
    let accepted = report(&mut reports, "1001");
    let mut to = registered(&server, "1001");
    let received = to.receive();
    let delivered = report(&mut reports, "1001");
    for (report, status, code) in [(&accepted, "Accepted", "202"), (&delivered, "Success", "200")] {
        assert_eq!(report.header("Status"), status, "{report:?}");
        assert_eq!(report.header("Delivery-Result-Code"), code, "{report:?}");
        assert_eq!(Some(report.header("Message-ID")), received.header("Message-ID"), "{report:?}");
        assert!(report.header("from").starts_with("1000@"), "{report:?}");
        assert_eq!(report.header("type"), "text/plain;charset=UTF-8");
        assert_eq!(report.body, "");
    }
    let contact = format!("sip:1001@127.0.0.1:{}", to.port());
    assert_eq!(delivered.header("Delivery-Device"), contact, "{delivered:?}");
    assert_eq!(delivered.header("Delivery-Attempts"), "1", "{delivered:?}");
}

/// Whoever listens after a restart hears the end of what was accepted before.
#[test]
fn the_end_is_reported_after_a_restart() {
    let server = server(Folder::new(), &[]);
    let mut from = Agent::udp(server.sip(), "1000");
    let id = {
        let mut reports = reports(&server);
        assert_eq!(from.message(&server.uri("1001"), "text/plain", b"hello"), 202);
        report(&mut reports, "1001").header("Message-ID").to_owned()
    };
    let server = server.start_again();
    let mut reports = reports(&server);
    let mut to = registered(&server, "1001");
    assert_eq!(to.receive().header("Message-ID"), Some(id.as_str()));
    let delivered = report(&mut reports, "1001");
    assert_eq!((delivered.header("Status"), delivered.header("Message-ID")), ("Success", id.as_str()));
}

#[test]
fn a_refusal_for_good_ends_it() {
    let server = server(Folder::new(), &[]);
    let mut reports = reports(&server);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "application/x-unheard-of", b"hello"), 202);
    assert_eq!(report(&mut reports, "1001").header("Status"), "Accepted");
    let mut to = Agent::answering(server.sip(), "1001", Box::new(|_| 415));
    assert_eq!(to.register(), 200);
    assert_eq!(to.receive().text(), "hello");
    let failure = report(&mut reports, "1001");
    assert_eq!((failure.header("Status"), failure.header("Delivery-Result-Code")), ("Failure", "415"));
    assert_eq!(failure.header("Delivery-Result-Reason"), "Not Now", "{failure:?}");
}
