//! OPTIONS to registered devices.

mod fixture;

use std::time::{Duration, Instant};

use fixture::phone::{Phone, status};
use fixture::{Server, param};

fn server(more: &str) -> Server {
    let asks = param("all-reg-options-ping", "true") + &param("ping-mean-interval", "1");
    Server::with(&format!("{asks}{}{}{more}", param("sip-user-ping-max", "1"), param("timer-T1X64", "1000")))
}

/// Until so many events of a device's state were fired, answering what comes meanwhile.
fn wait_for_states(server: &Server, phone: &mut Phone, count: usize) {
    let until = Instant::now() + Duration::from_secs(20);
    while server.seen.count("sofia::sip_user_state") < count {
        assert!(Instant::now() < until, "it is not told");
        phone.pump(Duration::from_millis(20));
    }
}

fn state(server: &Server, number: usize) -> (String, String) {
    let events = server.seen.0.lock();
    let mut states = events.iter().filter(|event| event.subclass() == Some("sofia::sip_user_state"));
    let event = states.nth(number).expect("so many were fired");
    let get = |name| event.get(name).unwrap_or_default().to_owned();
    (get("sip_user"), get("Ping-Status"))
}

#[test]
fn a_device_that_answers_no_longer_is_told_of_and_so_is_that_it_does_again() {
    let server = server("");
    let mut phone = server.registered("1001");
    let asked = String::from_utf8(phone.receive()).unwrap();
    assert!(asked.starts_with(&format!("OPTIONS {} SIP/2.0\r\n", phone.contact())), "{asked}");
    phone.answers = None;
    wait_for_states(&server, &mut phone, 1);
    assert_eq!(state(&server, 0), ("1001@chat.test".to_owned(), "UNREACHABLE".to_owned()));
    assert_eq!(server.seen.count("sofia::expire"), 0);
    phone.answers = Some(501);
    wait_for_states(&server, &mut phone, 2);
    assert_eq!(state(&server, 1).1, "REACHABLE");
}

#[test]
fn a_device_that_is_gone_is_taken_out_where_that_is_asked_for() {
    let server = server(&param("unregister-on-options-fail", "true"));
    let mut phone = server.registered("1001");
    phone.answers = None;
    wait_for_states(&server, &mut phone, 1);
    let until = Instant::now() + Duration::from_secs(5);
    while server.seen.count("sofia::expire") == 0 {
        assert!(Instant::now() < until, "it is not taken out");
        std::thread::yield_now();
    }
    assert!(server.endpoint.registrations().is_empty());
    phone.answers = Some(200);
    assert_eq!(status(&phone.register(600)), 200);
}
