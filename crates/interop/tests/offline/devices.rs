//! Which devices get what waits, and what their answers mean.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chappe_interop::{Agent, Folder};

use crate::{registered, report, reports, server};

const SOON: Duration = Duration::from_secs(2);

/// What two devices get that register one after the other.
fn two_devices(offline_copy: &str, second_gets_it: bool) {
    let server = server(Folder::new(), &[("offline-copy", offline_copy)]);
    let mut reports = reports(&server);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"kept"), 202);
    let mut first = registered(&server, "1001");
    let received = first.receive_within(SOON);
    assert_eq!(received.text(), "kept");
    // Its end is known before the second device comes.
    assert_eq!(report(&mut reports, "1001").header("Status"), "Accepted");
    assert_eq!(report(&mut reports, "1001").header("Status"), "Success");
    let mut second = registered(&server, "1001");
    if second_gets_it {
        let copy = second.receive_within(SOON);
        assert_eq!(copy.text(), "kept");
        assert_eq!(copy.header("Message-ID"), received.header("Message-ID"));
    }
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"live"), 200);
    assert_eq!(first.receive().text(), "live");
    assert_eq!(second.receive().text(), "live");
}

#[test]
fn the_first_device_gets_it() {
    two_devices("first", false);
}

#[test]
fn every_device_gets_it() {
    two_devices("every-device", true);
}

#[test]
fn who_is_busy_is_asked_again() {
    let server = server(Folder::new(), &[]);
    let mut reports = reports(&server);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"hello"), 202);
    let asked = AtomicU32::new(0);
    let busy_first = move |_: &_| if asked.fetch_add(1, Ordering::Relaxed) == 0 { 486 } else { 200 };
    let mut to = Agent::answering(server.sip(), "1001", Box::new(busy_first));
    assert_eq!(to.register(), 200);
    let [refused, taken] = [to.receive(), to.receive()];
    assert_ne!(refused.branch(), taken.branch());
    for name in ["Message-ID", "Call-ID"] {
        assert!(taken.header(name).is_some_and(|value| !value.is_empty()), "{}", taken.head);
        assert_eq!(taken.header(name), refused.header(name), "{}\n{}", taken.head, refused.head);
    }
    assert_eq!(report(&mut reports, "1001").header("Status"), "Accepted");
    let delivered = report(&mut reports, "1001");
    assert_eq!((delivered.header("Status"), delivered.header("Delivery-Attempts")), ("Success", "2"));
}

/// A sender does not wait for a device that says nothing for longer than `accept-after`; once the device speaks, it has the
/// message.
#[test]
fn who_is_silent_at_first_gets_it() {
    let server = server(Folder::new(), &[("accept-after", "1")]);
    let mut reports = reports(&server);
    let mut from = Agent::udp(server.sip(), "1000");
    let heard = AtomicU32::new(0);
    // By Timer E the packets come after 0, 0.5, 1.5 and 3.5 s.
    let deaf = move |_: &_| if heard.fetch_add(1, Ordering::Relaxed) < 3 { 0 } else { 200 };
    let mut to = Agent::answering(server.sip(), "1001", Box::new(deaf));
    assert_eq!(to.register(), 200);
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"hello"), 202);
    assert_eq!(report(&mut reports, "1001").header("Status"), "Accepted");
    assert_eq!(report(&mut reports, "1001").header("Status"), "Success");
    assert_eq!(to.receive().text(), "hello");
}

/// Forty-nine contacts at which nobody answers, before the one that does and after it.
#[test]
fn dead_bindings_hold_up_nobody() {
    let server = server(Folder::new(), &[]);
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback socket");
    let silent = silent.local_addr().expect("a bound socket");
    let mut from = Agent::udp(server.sip(), "1000");
    let mut to = Agent::udp(server.sip(), "1001");
    for number in 0..49 {
        assert_eq!(to.register_contact(&format!("sip:dead{number}@{silent}")), 200);
        if number == 24 {
            // It is under way to all of them when the one comes that lives.
            assert_eq!(from.message(&server.uri("1001"), "text/plain", b"kept"), 202);
            assert_eq!(to.register(), 200);
            assert_eq!(to.receive_within(SOON).text(), "kept");
        }
    }
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"live"), 200);
    assert_eq!(to.receive_within(SOON).text(), "live");
    let server = server.start_again();
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"live, after a restart"), 200);
    assert_eq!(to.receive_within(SOON).text(), "live, after a restart");
}
