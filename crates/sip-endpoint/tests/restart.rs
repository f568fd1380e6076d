//! Registrations outlive the endpoint.

mod fixture;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_event::ManualClock;
use chappe_sip_endpoint::Registration;
use chappe_sip_msg::{HeaderName, ResponseWriter};
use chappe_store::{KeptBinding, Micros, Store as _};
use fixture::phone::{Phone, header_text, parsed, status};
use fixture::slow_store::SlowStore;
use fixture::{Server, param};

const SECOND: i64 = 1_000_000;

fn profile(params: &str) -> String {
    fixture::profile("internal", &(params.to_owned() + &param("sip-ip", "127.0.0.1")))
}

fn restarted(server: Server) -> Server {
    server.restarted(&profile(""))
}

/// What the store has, whether it is live or not.
fn stored(server: &Server) -> Vec<KeptBinding> {
    server.runtime.block_on(server.store.bindings("internal", Micros::MIN)).expect("memory has no trouble")
}

fn contacts(response: &[u8]) -> Vec<String> {
    let message = parsed(response);
    message.all(HeaderName::Contact).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

/// Registrations but for the time, which goes on.
fn registrations(server: &Server) -> Vec<Registration> {
    let all = server.endpoint.registrations();
    all.into_iter().map(|registration| Registration { expires: 0, ..registration }).collect()
}

/// A REGISTER of one and the same client.
fn register(phone: &Phone, cseq: u32, headers: &str) -> String {
    let request = phone.request("REGISTER", "sip:chat.test", "sip:1001@chat.test", headers, "");
    let numbered = |line: &str| match line.split_once(": ") {
        Some(("Call-ID", _)) => "Call-ID: one-and-the-same".to_owned(),
        Some(("CSeq", _)) => format!("CSeq: {cseq} REGISTER"),
        _ => line.to_owned(),
    };
    request.split("\r\n").map(numbered).collect::<Vec<_>>().join("\r\n")
}

#[test]
fn a_message_reaches_every_device_of_before() {
    let server = Server::with("");
    let (mut one, mut two) = (server.phone("1001"), server.phone("1001"));
    for (phone, q) in [(&mut one, "0.25"), (&mut two, "0.5")] {
        let contact = format!("Contact: <{}>;q={q}\r\nUser-Agent: phone/{q}\r\n", phone.contact());
        assert_eq!(status(&phone.register_contacts(&contact)), 200);
    }
    let (before, dialled) = (registrations(&server), server.api("sofia_contact 1001@chat.test"));
    let server = restarted(server);
    assert_eq!(registrations(&server), before);
    assert_eq!(server.api("sofia_contact 1001@chat.test"), dialled);
    one.turn_to(server.addr());
    two.turn_to(server.addr());
    let answer = server.phone("1000").message_while("1001", "after", &mut [&mut one, &mut two]);
    assert_eq!(status(&answer), 200);
    assert!(one.receive().ends_with(b"after") && two.receive().ends_with(b"after"));
    assert_eq!(server.seen.count("sofia::register"), 0);
}

#[test]
fn equals_keep_their_order() {
    let server = Server::with("");
    let phones: Vec<_> = (0..3).map(|_| server.phone("1001")).collect();
    for mut phone in phones {
        server.clock.advance(SECOND);
        assert_eq!(status(&phone.register(600)), 200);
    }
    let dialled = server.api("sofia_contact 1001@chat.test");
    assert_eq!(restarted(server).api("sofia_contact 1001@chat.test"), dialled);
}

#[test]
fn a_device_on_tcp_is_connected_to() {
    let server = Server::with("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut phone = server.tcp_phone("1001");
    let contact = format!("Contact: <sip:1001@{};transport=tcp>\r\n", listener.local_addr().unwrap());
    assert_eq!(status(&phone.register_contacts(&contact)), 200);
    let server = restarted(server);
    assert_eq!(server.endpoint.registrations()[0].transport, "tcp");
    let device = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 8192];
        let length = stream.read(&mut request).unwrap();
        let mut answer = Vec::new();
        ResponseWriter::to(&parsed(&request[..length]), None, 200, "", "d", &mut answer).finish();
        stream.write_all(&answer).unwrap();
    });
    assert_eq!(status(&server.phone("1000").message("1001", "by tcp")), 200);
    device.join().unwrap();
}

#[test]
fn the_path_is_taken() {
    let server = Server::with("");
    let mut edge = server.phone("edge");
    let path = format!("<sip:{};lr>", edge.addr());
    let headers = format!("Contact: <sip:1001@192.0.2.1>\r\nPath: {path}, <sip:192.0.2.2;lr>\r\n");
    assert_eq!(status(&server.phone("1001").register_contacts(&headers)), 200);
    let server = restarted(server);
    edge.turn_to(server.addr());
    let answer = server.phone("1000").message_while("1001", "by the edge", &mut [&mut edge]);
    assert_eq!(status(&answer), 200);
    let received = edge.receive();
    let received = parsed(&received);
    let route: Vec<_> = received.all(HeaderName::Route).map(|hop| String::from_utf8_lossy(hop)).collect();
    assert_eq!(route.join(", "), format!("{path}, <sip:192.0.2.2;lr>"));
}

#[test]
fn time_goes_on_while_nothing_runs() {
    let server = Server::with("");
    let mut phone = server.phone("1001");
    assert_eq!(status(&phone.register(600)), 200);
    server.clock.advance(200 * SECOND);
    let server = restarted(server);
    phone.turn_to(server.addr());
    assert_eq!(contacts(&phone.register_contacts("")), [format!("<{}>;expires=400", phone.contact())]);
    // Nothing has changed, so the store still says the same.
    server.clock.advance(399 * SECOND);
    let server = restarted(server);
    assert_eq!(server.endpoint.registrations().len(), 1);
    server.clock.advance(SECOND);
    let server = restarted(server);
    assert_eq!((registrations(&server), stored(&server)), (vec![], vec![]));
}

#[test]
fn who_went_stays_away() {
    let server = Server::with("");
    let mut phones: Vec<_> = ["1000", "1001", "1002", "1003"].map(|user| server.registered(user)).into();
    assert_eq!(stored(&server).len(), 4);
    assert_eq!(status(&phones[0].register(0)), 200);
    assert_eq!(status(&phones[1].register_contacts("Contact: *\r\nExpires: 0\r\n")), 200);
    server.api("sofia profile internal flush_inbound_reg 1002@chat.test");
    let server = restarted(server);
    let users: Vec<_> = registrations(&server).into_iter().map(|registration| registration.user).collect();
    assert_eq!(users, ["1003"]);
    server.api("sofia profile internal flush_inbound_reg");
    assert_eq!(registrations(&restarted(server)), []);
}

#[test]
fn an_older_request_is_still_refused() {
    let server = Server::with(&param("accept-blind-reg", "true"));
    let mut phone = server.phone("1001");
    let contact = format!("Contact: <{}>\r\n", phone.contact());
    assert_eq!(status(&phone.transact(&register(&phone, 7, &contact))), 200);
    let server = server.restarted(&profile(&param("accept-blind-reg", "true")));
    phone.turn_to(server.addr());
    let answers: Vec<_> = [(7, "0"), (6, "600"), (8, "600"), (9, "0")]
        .map(|(cseq, expires)| {
            let headers = format!("{contact}Expires: {expires}\r\n");
            status(&phone.transact(&register(&phone, cseq, &headers)))
        })
        .into();
    assert_eq!(answers, [500, 500, 200, 200]);
    assert_eq!(registrations(&restarted(server)), []);
}

#[test]
fn a_profile_that_is_stopped_forgets_nobody() {
    let server = Server::with("");
    let mut callee = server.registered("1001");
    server.api("sofia profile internal stop");
    assert_eq!((server.endpoint.registrations().len(), stored(&server).len()), (0, 1));
    server.api("sofia profile internal start");
    callee.turn_to(server.addr());
    let answer = server.phone("1000").message_while("1001", "again", &mut [&mut callee]);
    assert_eq!(status(&answer), 200);
    // A profile of another name has its own.
    let other = server.restarted(&fixture::profile("other", &param("sip-ip", "127.0.0.1")));
    assert_eq!((registrations(&other).len(), stored(&other).len()), (0, 1));
}

#[test]
fn a_restart_of_the_profile_alone_keeps_what_it_has() {
    let server = Server::with("");
    let mut phone = server.registered("1001");
    let before = registrations(&server);
    server.api("sofia profile internal restart");
    assert_eq!(registrations(&server), before);
    assert_eq!(status(&phone.register(0)), 200);
    assert_eq!(stored(&server), []);
}

/// A profile starts with these in a store that is not read yet.
fn slow_server<const N: usize>(rows: [KeptBinding; N]) -> (Arc<SlowStore>, Server) {
    let slow = Arc::new(SlowStore::default());
    rows.into_iter().for_each(|row| slow.bind(row));
    let server = Server::over(slow.clone(), Arc::new(ManualClock::at(1_790_000_000 * SECOND)));
    let applied = server.configure(&profile(&param("accept-blind-reg", "true")));
    assert_eq!(applied.started, ["internal"], "it starts without waiting for the store");
    (slow, server)
}

fn row(user: &str, contact: &str) -> KeptBinding {
    KeptBinding {
        profile: "internal".into(),
        aor: format!("{user}@chat.test").into(),
        contact: contact.into(),
        q: 1000,
        expires: 1_790_000_600 * SECOND,
        since: 1_790_000_000 * SECOND,
        call_id: "of-before".into(),
        cseq: 1,
        path: Vec::new(),
        received: ([127, 0, 0, 1], 9).into(),
        transport: "UDP".into(),
        user_agent: "phone".into(),
        flow: Box::default(),
        is_nat: false,
    }
}

const FLUSH: &str = "sofia profile internal flush_inbound_reg";

/// Until the profile has read what was kept.
fn wait_for_the_end(server: &Server) {
    let until = Instant::now() + Duration::from_secs(10);
    // Nobody is called that; the answer alone counts.
    while server.api(&format!("{FLUSH} nobody")).starts_with("-ERR") {
        assert!(Instant::now() < until, "it is never read");
        std::thread::yield_now();
    }
}

#[test]
fn what_comes_while_a_slow_store_is_read_wins() {
    let old = ["sip:1001@192.0.2.1", "sip:1001@192.0.2.2", "sip:1001@192.0.2.3"];
    let (slow, server) = slow_server(old.map(|contact| row("1001", contact)));
    let mut phone = server.phone("1001");
    let refreshed = "Contact: <sip:1001@192.0.2.1>;q=0.5, <sip:1001@192.0.2.2>;expires=0\r\n";
    assert_eq!(contacts(&phone.register_contacts(refreshed)).len(), 1);
    let flushed = server.api(FLUSH);
    assert!(flushed.starts_with("-ERR registrations are still being read"), "{flushed}");
    slow.opens();
    wait_for_the_end(&server);
    let left = contacts(&phone.register_contacts(""));
    assert_eq!(left, ["<sip:1001@192.0.2.3>;expires=600", "<sip:1001@192.0.2.1>;q=0.500;expires=3600"]);
    let both = ["1001@chat.test sip:1001@192.0.2.1", "1001@chat.test sip:1001@192.0.2.3"];
    let rows = stored(&server).into_iter().map(|row| format!("{} {}", row.aor, row.contact));
    assert_eq!(rows.collect::<Vec<_>>(), both);
}

#[test]
fn a_store_that_can_not_be_read_holds_up_nobody() {
    let (slow, server) = slow_server([row("1001", "sip:1001@192.0.2.1")]);
    slow.fails();
    wait_for_the_end(&server);
    assert_eq!(registrations(&server), []);
    let ok = server.phone("1002").register(600);
    assert_eq!((status(&ok), header_text(&ok, HeaderName::Contact).is_empty()), (200, false));
}
