//! One MESSAGE at a time is under way to a device, RFC 3428 §8, so that messages arrive in the order they were sent.

mod fixture;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chappe_chat::Delivery;
use chappe_event::{Event, EventName, header};
use chappe_sip_msg::HeaderName;
use chappe_store::Record;
use fixture::phone::{Phone, header_text, parsed, status};
use fixture::upstream::{Upstream, with_gateways};
use fixture::{Server, param};
use futures_util::future::join_all;

/// Long enough that nothing in a test is sent again.
const NEVER_AGAIN: [(&str, &str); 3] =
    [("timer-T1", "10000"), ("timer-T2", "10000"), ("timer-T1X64", "64000")];

/// Senders need no credentials.
fn server(params: &[(&str, &str)]) -> Server {
    let params: String = params.iter().map(|(name, value)| param(name, value)).collect();
    Server::with(&(params + &param("auth-messages", "false")))
}

/// A device that is registered and answers when it is told to.
fn device(server: &Server) -> Phone {
    let mut device = server.registered("1001");
    device.answers = None;
    device
}

fn send_as(sender: &mut Phone, kind: &str, body: &str) -> String {
    let to = "sip:1001@chat.test";
    let request = sender.request("MESSAGE", to, to, &format!("Content-Type: {kind}\r\n"), body);
    sender.send_raw(request.as_bytes());
    request
}

fn send(sender: &mut Phone, body: &str) -> String {
    send_as(sender, "text/plain", body)
}

fn send_all(sender: &mut Phone, bodies: &[&str]) -> Vec<String> {
    bodies.iter().map(|body| send(sender, body)).collect()
}

fn codes(sender: &mut Phone, requests: &[String]) -> Vec<u16> {
    requests.iter().map(|request| status(&sender.response_to(request))).collect()
}

fn body(request: &[u8]) -> String {
    String::from_utf8_lossy(parsed(request).body()).into_owned()
}

/// All that was sent before is under way, or waits: the shard has answered something that came behind it.
fn is_read(sender: &mut Phone) {
    let options = sender.request("OPTIONS", "sip:chat.test", "sip:chat.test", "", "");
    assert_eq!(status(&sender.transact(&options)), 200);
}

/// Takes and answers what comes, until these have come.
fn take(device: &mut Phone, bodies: &[&str]) {
    for expected in bodies {
        let request = device.receive();
        assert_eq!(body(&request), *expected);
        device.answer(&request, 200);
    }
}

/// What waits for the device in the store, in order, with what became of its copies; once so many have ended.
fn stored(server: &Server, count: usize) -> Vec<(String, Vec<String>)> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let waiting = server.store.waiting("1001@chat.test", i64::MAX, 0, 100);
        let records = server.runtime.block_on(waiting).expect("the store can be read");
        let all: Vec<_> = records.iter().map(told).collect();
        if all.iter().filter(|(_, reasons)| !reasons.is_empty()).count() == count {
            return all;
        }
        assert!(Instant::now() < until, "{count} are not stored: {all:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn told(record: &Record) -> (String, Vec<String>) {
    let body = record.message.as_ref().map(|message| message.body_text().into_owned());
    let reasons = record.summary.attempts.iter().map(|attempt| attempt.reason.to_string());
    (body.unwrap_or_default(), reasons.collect())
}

#[test]
fn the_next_waits_until_the_first_that_was_lost_is_answered() {
    let server = server(&[("timer-T1", "300")]);
    let (mut device, mut sender) = (device(&server), server.phone("1000"));
    let sent = send_all(&mut sender, &["one", "two", "three"]);
    let lost = device.receive();
    let again = device.receive();
    assert_eq!((body(&lost), &again), ("one".to_owned(), &lost));
    device.answer(&again, 100);
    assert!(device.is_quiet(), "a provisional answer is no end");
    device.answer(&again, 200);
    take(&mut device, &["two", "three"]);
    assert_eq!(codes(&mut sender, &sent), [200; 3]);
}

#[test]
fn an_answer_alone_lets_the_next_go_at_once() {
    let server = server(&NEVER_AGAIN);
    let (mut device, mut sender) = (device(&server), server.phone("1000"));
    let sent = send_all(&mut sender, &["one", "two", "three", "four"]);
    let start = Instant::now();
    take(&mut device, &["one"]);
    let refused = device.receive();
    device.answer(&refused, 486);
    take(&mut device, &["three", "four"]);
    assert!(start.elapsed() < Duration::from_secs(2), "nothing but answers came");
    assert_eq!(codes(&mut sender, &sent), [200, 486, 200, 200]);
}

/// The shard that sent the request, as its branch says.
fn shard(request: &[u8]) -> String {
    let via = header_text(request, HeaderName::Via);
    let (_, branch) = via.split_once("branch=z9hG4bK").expect("a branch of ours");
    branch[..4].to_owned()
}

#[test]
fn senders_on_several_shards_share_the_one_place() {
    const SENDERS: usize = 24;
    let server = server(&NEVER_AGAIN);
    let mut device = device(&server);
    let mut senders: Vec<_> = (0..SENDERS).map(|_| server.phone("1000")).collect();
    let sent: Vec<_> = senders.iter_mut().map(|sender| send(sender, "x")).collect();
    let mut shards = HashSet::new();
    for _ in 0..SENDERS {
        let request = device.receive();
        shards.insert(shard(&request));
        assert!(!device.pump(Duration::from_millis(20)), "two at a time");
        device.answer(&request, 200);
    }
    assert_eq!(shards.len(), 2, "both shards have sent");
    for (sender, request) in senders.iter_mut().zip(&sent) {
        assert_eq!(status(&sender.response_to(request)), 200);
    }
}

#[test]
fn what_programs_send_to_one_recipient_stays_in_order() {
    let server = server(&[("shards", "4")]);
    let mut device = server.registered("1001");
    let bodies: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    let sending = send_events(&server, bodies.iter().map(|body| ("1001@chat.test", &**body)));
    let got: Vec<_> = bodies.iter().map(|_| body(&device.receive())).collect();
    assert_eq!(got, bodies);
    all_are_delivered(&server, sending);
}

type Sending = tokio::task::JoinHandle<Vec<Delivery>>;

/// From a thread that is no shard's, each to a recipient.
fn send_events<'a>(server: &Server, all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Sending {
    let send = |(to, body): (&str, &str)| {
        let (router, mut event) = (server.router.clone(), event(to, body));
        async move { router.chat_send("sip", &mut event).await }
    };
    server.runtime.spawn(join_all(all.into_iter().map(send)))
}

fn all_are_delivered(server: &Server, sending: Sending) {
    let outcomes = server.runtime.block_on(sending).expect("nothing panics");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Delivery::Delivered { .. })), "{outcomes:?}");
}

fn event(to: &str, body: &str) -> Event {
    let mut event = Event::new(EventName::Message);
    for (name, value) in [(header::PROTO, "sip"), (header::FROM, "1000@chat.test"), (header::TO, to)] {
        event.add(name, value);
    }
    event.add(header::FROM_FULL, "<sip:1000@chat.test>;tag=1");
    event.add(header::TYPE, "text/plain");
    event.set_body(Some(body.to_owned().into()));
    event
}

#[test]
fn a_device_that_never_answers_holds_nobody_up_and_all_is_kept_in_order() {
    let server = server(&[("timer-T1X64", "1500")]).accept_after(300);
    let (mut device, mut sender) = (device(&server), server.phone("1000"));
    let start = Instant::now();
    let sent = send_all(&mut sender, &["one", "two", "three", "four"]);
    assert_eq!(codes(&mut sender, &sent), [202; 4]);
    assert!(start.elapsed() < Duration::from_millis(900), "nobody waits for another's time");
    let late = send(&mut sender, "late");
    assert_eq!(status(&sender.response_to(&late)), 202);
    let kept = stored(&server, 4);
    let silent = |body: &str, reason: &str| (body.to_owned(), vec![reason.to_owned()]);
    let expected = [("one", "No Answer"), ("two", "Not Sent"), ("three", "Not Sent"), ("four", "Not Sent")];
    assert_eq!(kept[..4], expected.map(|(body, reason)| silent(body, reason)));
    assert_eq!(kept[4], ("late".to_owned(), vec![]));
    while device.pump(Duration::from_millis(50)) {}
    let seen: Vec<_> = device.inbox.drain(..).map(|request| body(&request)).collect();
    assert_eq!(seen, ["one"]);
    device.register(3600);
    take(&mut device, &["one", "two", "three", "four", "late"]);
    assert!(device.is_quiet(), "each is sent once");
}

#[test]
fn a_device_that_answers_late_gets_what_waited_and_then_what_was_kept() {
    let server = server(&NEVER_AGAIN).accept_after(200);
    let (mut device, mut sender) = (device(&server), server.phone("1000"));
    let sent = send_all(&mut sender, &["one", "two"]);
    assert_eq!(codes(&mut sender, &sent), [202; 2]);
    let kept = send(&mut sender, "three");
    assert_eq!(status(&sender.response_to(&kept)), 202);
    take(&mut device, &["one", "two", "three"]);
    assert!(device.is_quiet(), "each is sent once");
}

#[test]
fn a_device_that_is_away_ends_all_that_wait_for_it_at_once() {
    let server = server(&NEVER_AGAIN).accept_after(20_000);
    let mut device = server.tcp_phone("1001");
    device.register(3600);
    device.answers = None;
    let mut sender = server.phone("1000");
    let sent = send_all(&mut sender, &["one", "two", "three"]);
    assert_eq!(body(&device.receive()), "one");
    is_read(&mut sender);
    drop(device);
    assert_eq!(codes(&mut sender, &sent), [202; 3]);
    let bodies: Vec<_> = stored(&server, 3).into_iter().map(|(body, _)| body).collect();
    assert_eq!(bodies, ["one", "two", "three"]);
}

#[test]
fn senders_on_several_shards_hear_that_the_device_is_away() {
    let server = server(&NEVER_AGAIN).accept_after(20_000);
    let mut device = server.tcp_phone("1001");
    device.register(3600);
    device.answers = None;
    let mut senders: Vec<_> = (0..24).map(|_| server.phone("1000")).collect();
    let sent: Vec<_> = senders.iter_mut().map(|sender| send(sender, "x")).collect();
    device.receive();
    senders.iter_mut().for_each(is_read);
    drop(device);
    for (sender, request) in senders.iter_mut().zip(&sent) {
        assert_eq!(status(&sender.response_to(request)), 202);
    }
    stored(&server, 24);
}

#[test]
fn what_waits_behind_one_that_is_refused_for_overload_is_kept() {
    for (code, answer) in [(503, 500), (408, 480)] {
        let server = server(&NEVER_AGAIN);
        let (mut device, mut sender) = (device(&server), server.phone("1000"));
        let sent = send_all(&mut sender, &["one", "two", "three"]);
        let first = device.receive();
        is_read(&mut sender);
        device.answer(&first, code);
        let codes = codes(&mut sender, &sent);
        assert_eq!(codes, [answer, 202, 202], "{code}");
        let bodies: Vec<_> = stored(&server, 2).into_iter().map(|(body, _)| body).collect();
        assert_eq!(bodies, ["two", "three"]);
        assert!(device.is_quiet(), "the queue tries again, later");
    }
}

#[test]
fn so_many_wait_and_the_next_is_refused() {
    let server = server(&NEVER_AGAIN).accept_after(20_000);
    let (mut device, mut sender) = (device(&server), server.phone("1000"));
    let bodies: Vec<_> = (0..65).map(|number| number.to_string()).collect();
    let bodies: Vec<_> = bodies.iter().map(String::as_str).collect();
    let sent = send_all(&mut sender, &bodies);
    let refused = send(&mut sender, "one too many");
    let answer = sender.response_to(&refused);
    assert_eq!(status(&answer), 503);
    assert_eq!(header_text(&answer, HeaderName::RetryAfter), "1");
    take(&mut device, &bodies);
    assert_eq!(codes(&mut sender, &sent), [200; 65]);
    let after = send(&mut sender, "after");
    take(&mut device, &["after"]);
    assert_eq!(status(&sender.response_to(&after)), 200);
}

#[test]
fn a_copy_that_finds_no_place_to_wait_does_not_keep_the_other_device_from_its_own() {
    let server = server(&NEVER_AGAIN).accept_after(20_000);
    let (mut silent, mut sender) = (device(&server), server.phone("1000"));
    let mut quick = server.registered("1001");
    for number in 0..70 {
        let request = send(&mut sender, &number.to_string());
        assert_eq!(body(&quick.receive()), number.to_string());
        assert_eq!(status(&sender.response_to(&request)), 200);
    }
    let first = silent.receive();
    silent.answer(&first, 200);
    let rest: Vec<_> = (1..65).map(|number| number.to_string()).collect();
    take(&mut silent, &rest.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(silent.is_quiet());
}

#[test]
fn the_limit_may_be_another_or_none() {
    for (limit, pending) in [("0", 5), ("1", 1), ("3", 3), ("1000", 5)] {
        let params = [&NEVER_AGAIN[..], &[("max-pending-per-target", limit)]].concat();
        let server = server(&params);
        let (mut device, mut sender) = (device(&server), server.phone("1000"));
        let bodies = ["a", "b", "c", "d", "e"];
        let sent = send_all(&mut sender, &bodies);
        let mut under_way: Vec<_> = (0..pending).map(|_| device.receive()).collect();
        assert!(device.is_quiet(), "{limit}");
        assert!(under_way.iter().map(|request| body(request)).eq(bodies[..pending].iter().copied()));
        // The second one's answer is as good as the first one's.
        under_way.reverse();
        under_way.iter().for_each(|request| device.answer(request, 200));
        take(&mut device, &bodies[pending..]);
        assert_eq!(codes(&mut sender, &sent), [200; 5], "{limit}");
    }
}

#[test]
fn a_limit_that_a_reload_raises_counts_from_the_next_answer_on() {
    let params = |limit: &str| {
        let own = [("auth-messages", "false"), ("sip-ip", "127.0.0.1"), ("max-pending-per-target", limit)];
        let all = NEVER_AGAIN.iter().chain(&own).map(|(name, value)| param(name, value));
        fixture::profile("internal", &all.collect::<String>())
    };
    let server = Server::profiles(&params("1"));
    let (mut device, mut sender) = (device(&server), server.phone("1000"));
    let sent = send_all(&mut sender, &["one", "two", "three"]);
    let first = device.receive();
    is_read(&mut sender);
    assert!(device.is_quiet());
    assert!(server.configure(&params("0")).failed.is_empty());
    let past = send(&mut sender, "past them");
    take(&mut device, &["past them"]);
    assert_eq!(status(&sender.response_to(&past)), 200);
    device.answer(&first, 200);
    take(&mut device, &["two", "three"]);
    assert_eq!(codes(&mut sender, &sent), [200; 3]);
}

#[test]
fn that_somebody_is_typing_is_told_in_its_place_and_never_kept() {
    let notice = "application/im-iscomposing+xml";
    let server = server(&NEVER_AGAIN).accept_after(300);
    let (mut device, mut sender) = (device(&server), server.phone("1000"));
    let mut sent = vec![send(&mut sender, "one"), send_as(&mut sender, notice, "<typing/>")];
    sent.push(send(&mut sender, "two"));
    take(&mut device, &["one", "<typing/>", "two"]);
    assert_eq!(codes(&mut sender, &sent), [200; 3]);

    let mut sent = vec![send(&mut sender, "three"), send_as(&mut sender, notice, "<typing/>")];
    sent.push(send(&mut sender, "four"));
    assert_eq!(codes(&mut sender, &sent), [202, 480, 202]);
    take(&mut device, &["three", "<typing/>", "four"]);
    assert!(device.is_quiet());
}

#[test]
fn what_waits_is_under_way_when_the_profile_is_drained() {
    let server = server(&[]).accept_after(20_000);
    let (mut device, mut sender) = (device(&server), server.phone("1000"));
    let sent = send_all(&mut sender, &["one", "two", "three"]);
    let mut seen = vec![body(&device.receive())];
    is_read(&mut sender);
    let endpoint = server.endpoint.clone();
    let drained = server.runtime.spawn(async move { endpoint.drain(Duration::from_secs(20)).await });
    device.answers = Some(200);
    // An answer is lost where it came to a shard that was idle and has ended: then the request comes again.
    while seen.len() < 3 {
        seen.push(body(&device.receive()));
        seen.dedup();
    }
    assert_eq!(seen, ["one", "two", "three"]);
    assert_eq!(codes(&mut sender, &sent), [200; 3]);
    server.runtime.block_on(drained).unwrap();
    assert!(server.endpoint.listening().is_empty());
}

#[test]
fn what_waits_goes_to_the_contact_it_was_meant_for() {
    let params = [&NEVER_AGAIN[..], &[("multiple-registrations", "false")]].concat();
    let server = server(&params);
    let (mut before, mut sender) = (device(&server), server.phone("1000"));
    let sent = send_all(&mut sender, &["one", "two"]);
    let first = before.receive();
    is_read(&mut sender);
    let mut after = server.registered("1001");
    let elsewhere = send(&mut sender, "three");
    assert_eq!(body(&after.receive()), "three");
    assert_eq!(status(&sender.response_to(&elsewhere)), 200);
    before.answer(&first, 200);
    take(&mut before, &["two"]);
    assert_eq!(codes(&mut sender, &sent), [200; 2]);
}

#[test]
fn behind_a_gateway_each_number_is_a_target() {
    let upstream = Upstream::new();
    let params: String = NEVER_AGAIN.iter().map(|(name, value)| param(name, value)).collect();
    let server = Server::profiles(&with_gateways(&params, &upstream.gateway("carrier", "register=false")));
    let sending = send_events(
        &server,
        [("gateway/carrier/1", "one"), ("gateway/carrier/1", "two"), ("gateway/carrier/2", "other")],
    );
    // Different targets may be different shards' business.
    let mut both = [upstream.receive(), upstream.receive()];
    both.sort_unstable_by_key(|request| body(&request.bytes));
    let [first, other] = both;
    assert_eq!((body(&first.bytes), body(&other.bytes)), ("one".to_owned(), "other".to_owned()));
    assert!(upstream.try_receive(Duration::from_millis(150)).is_none());
    upstream.answer(&other, 200, &[]);
    assert!(upstream.try_receive(Duration::from_millis(150)).is_none());
    let challenge = "Digest realm=\"up\", nonce=\"m1\", qop=\"auth\"";
    let again = upstream.challenge(&first, 407, challenge);
    assert_eq!(body(&again.bytes), "one", "a challenge is no end");
    upstream.answer(&again, 200, &[]);
    let second = upstream.receive();
    assert_eq!(body(&second.bytes), "two");
    upstream.answer(&second, 200, &[]);
    all_are_delivered(&server, sending);
}
