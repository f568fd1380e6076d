//! Lines that other programs read.

mod fixture;

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use chappe_store::KeptBinding;
use fixture::phone::status;
use fixture::{Server, param};
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

type Lines = Arc<Mutex<String>>;

struct Keep(Lines);

struct Message<'s>(&'s mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = writeln!(self.0, "{value:?}");
        }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut Message(&mut self.0.lock()));
    }
}

/// What all threads of this process have logged.
static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(Keep(lines.clone()));
    tracing::subscriber::set_global_default(subscriber).expect("it is set once");
    lines
});

#[test]
fn failed_authentication_is_logged_for_fail2ban() {
    LazyLock::force(&LINES);
    let server = Server::with(&param("log-auth-failures", "true"));
    let mut phone = server.phone("1003");
    phone.password = "wrong".to_owned();
    assert_eq!(status(&phone.register(60)), 401);
    assert_eq!(status(&phone.message("1001", "x")), 407);
    let lines = LINES.lock();
    for (what, method) in
        [("challenge", "REGISTER"), ("failure", "REGISTER"), ("challenge", "INVITE"), ("failure", "INVITE")]
    {
        let line = format!(
            "SIP auth {what} ({method}) on sofia profile 'internal' for [1003@chat.test] from ip 127.0.0.1\n"
        );
        assert!(lines.contains(&line), "{line} is not in {lines}");
    }
}

#[test]
fn siptrace_shows_messages_in_and_out() {
    LazyLock::force(&LINES);
    let server = Server::with("");
    assert_eq!(server.api("sofia profile internal siptrace on"), "Enabled sip debugging on internal");
    let mut phone = server.phone("1002");
    let request = phone.request("OPTIONS", "sip:traced@chat.test", "sip:chat.test", "", "");
    phone.transact(&request);
    assert_eq!(server.api("sofia global siptrace off"), "+OK Global siptrace off");
    let lines = LINES.lock();
    assert!(lines.contains(&format!("bytes from UDP:{}\nOPTIONS sip:traced@chat.test", phone.addr())));
    assert!(lines.contains(&format!("bytes to UDP:{}\nSIP/2.0 200 OK", phone.addr())));
}

#[test]
fn a_registration_that_can_not_be_read_is_left_out_and_told_of() {
    LazyLock::force(&LINES);
    let server = Server::with("");
    let phone = server.registered("1001");
    let good = server.runtime.block_on(server.store.bindings("internal", 0)).unwrap().remove(0);
    let bad = KeptBinding { contact: "sip:1001@h\r\nX-Evil: 1".into(), ..good };
    server.store.bind(bad);
    let server = server.restarted(&fixture::profile("internal", &param("sip-ip", "127.0.0.1")));
    let contacts: Vec<_> = server.endpoint.registrations().into_iter().map(|r| r.contact).collect();
    assert_eq!(contacts, [phone.contact()]);
    let lines = LINES.lock();
    let line = "a registration of \"1001@chat.test\" at \"sip:1001@h\\r\\nX-Evil: 1\" in profile internal is left out: \
                its contact is no SIP address\n";
    assert!(lines.contains(line), "{line} is not in {lines}");
    assert!(
        lines.contains("profile internal has 1 registrations of an earlier run; 1 can't be read\n"),
        "{lines}"
    );
}

#[test]
fn shedding_is_told_of_while_it_lasts_and_when_it_is_over() {
    LazyLock::force(&LINES);
    let params = [("shards", "1"), ("auth-messages", "false"), ("max-request-age", "30")];
    let server = Server::with(&params.map(|(name, value)| param(name, value)).concat());
    let (mut stuck, mut phone) = (server.phone("1000"), server.phone("1001"));
    let message = |phone: &fixture::phone::Phone, to: &str| {
        phone.request("MESSAGE", to, to, "Content-Type: text/plain\r\n", "x")
    };
    let stalls = message(&stuck, "sip:stall+x@chat.test");
    let held = server.stall.by(&mut stuck, &stalls);
    for _ in 0..70 {
        phone.send_raw(message(&phone, "sip:1002@chat.test").as_bytes());
    }
    let sent = std::time::Instant::now();
    while sent.elapsed() <= std::time::Duration::from_millis(30) {
        std::thread::yield_now();
    }
    drop(held);
    for line in [
        "profile internal has more requests than it can serve: 64 answered 503 and 0 dropped in the last second\n",
        "profile internal serves all requests again, after 64 answered 503 and 0 dropped\n",
    ] {
        while !LINES.lock().contains(line) {
            assert!(sent.elapsed().as_secs() < 10, "{line} is not in {}", LINES.lock());
            phone.pump(std::time::Duration::from_millis(20));
        }
    }
}
