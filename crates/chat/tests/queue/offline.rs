use chappe_chat::Delivery;
use chappe_store::{Put, Store};

use crate::world::{World, id, message, pass, settle};

#[tokio::test(start_paused = true)]
async fn a_message_to_nobody_is_kept_and_delivered_when_a_device_comes() {
    let world = World::new().await;
    let verdict = world.send("1009", "hello").await;
    assert_eq!((verdict.code, &*verdict.reason), (202, "Accepted"));
    assert_eq!(world.states().await, ["waiting"]);
    assert_eq!(world.reports(), ["Accepted 202 -"]);
    assert_eq!(world.router.queue().waiting("1009@chat.test"), 1);
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.sent(), ["a: hello"]);
    assert_eq!(world.states().await, ["delivered"]);
    assert_eq!(world.reports(), ["Success 200 a"]);
    assert_eq!(world.router.queue().waiting("1009@chat.test"), 0);
    world.register("1009", "a", &[200]).await;
    pass(90_000).await;
    assert!(world.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_flows_straight_through_touches_no_store() {
    let world = World::new().await;
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.send("1009", "hello").await.code, 200);
    assert!(world.stored().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_the_senders_and_nothing_is_kept() {
    let world = World::new().await;
    for code in [486, 404, 603] {
        world.register("1009", "a", &[code]).await;
        assert_eq!(world.send("1009", "hello").await.code, code);
    }
    assert!(world.stored().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn messages_come_in_their_order_and_new_ones_behind_them() {
    let world = World::new().await;
    for number in 0..150 {
        assert_eq!(world.send("1009", &number.to_string()).await.code, 202);
    }
    world.sip.set("1009", "a", &[200]);
    // Nobody has told the queue yet: the new one must not overtake those that wait.
    assert_eq!(world.send("1009", "150").await.code, 202);
    for _ in 0..20 {
        settle().await;
    }
    let expected: Vec<_> = (0..=150).map(|number| format!("a: {number}")).collect();
    assert_eq!(world.sent(), expected);
    assert_eq!(world.send("1009", "151").await.code, 200);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_the_delivery() {
    let world = World::new().await;
    world.sip.set("1009", "a", &[0]);
    assert_eq!(world.send("1009", "hello").await.code, 202);
    assert_eq!(world.states().await, ["waiting"]);
    world.sip.answer("a", 200).await;
    assert_eq!(world.states().await, ["delivered"]);
    assert_eq!(world.reports(), ["Accepted 202 -", "Success 200 a"]);
    pass(90_000).await;
    assert_eq!(world.sent(), ["a: hello"]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_device_is_tried_again_on_a_growing_interval() {
    let world = World::new().await;
    world.sip.set("1009", "a", &[0, 0, 0, 200]);
    world.send("1009", "hello").await;
    assert_eq!(world.sent(), ["a: hello"]);
    // Timer F, then 30 s give or take.
    pass(32 + 26 - 2).await;
    assert!(world.sent().is_empty());
    pass(9).await;
    assert_eq!(world.sent(), ["a: hello"]);
    // Timer F, then 60 s.
    pass(32 + 53 - 9).await;
    assert!(world.sent().is_empty());
    pass(23).await;
    assert_eq!(world.sent(), ["a: hello"]);
    pass(32 + 135).await;
    assert_eq!(world.sent(), ["a: hello"]);
    assert_eq!(world.states().await, ["delivered"]);
    let attempts: Vec<_> = world.stored().await[0].attempts.iter().map(|attempt| attempt.code).collect();
    assert_eq!(attempts, [0, 0, 0, 200]);
}

#[tokio::test(start_paused = true)]
async fn a_new_device_is_not_kept_waiting_by_one_that_is_gone() {
    let world = World::new().await;
    world.sip.set("1009", "gone", &[0]);
    world.send("1009", "hello").await;
    world.register("1009", "new", &[200]).await;
    assert_eq!(world.sent(), ["gone: hello", "new: hello"]);
    assert_eq!(world.states().await, ["delivered"]);
    // Also while the queue is waiting for the other.
    let world = World::new().await;
    world.send("1009", "hello").await;
    world.register("1009", "gone", &[0]).await;
    world.register("1009", "new", &[200]).await;
    assert_eq!(world.sent(), ["gone: hello", "new: hello"]);
    assert_eq!(world.states().await, ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_refuses_one_message_for_the_moment_gets_the_others() {
    let world = World::new().await;
    world.send("1009", "one").await;
    world.send("1009", "two").await;
    world.register("1009", "a", &[486, 200]).await;
    assert_eq!(world.sent(), ["a: one", "a: two"]);
    assert_eq!(world.states().await, ["waiting", "delivered"]);
    pass(40).await;
    assert_eq!(world.sent(), ["a: one"]);
    assert_eq!(world.states().await, ["delivered", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_always_busy_is_tried_until_the_message_runs_out() {
    let world = World::new().await;
    let mut brief = message("1009", "hello");
    brief.add("expires", "600");
    world.route(brief).await;
    world.register("1009", "a", &[486]).await;
    pass(700).await;
    assert_eq!(world.states().await, ["expired"]);
    assert_eq!(world.sent().len(), 5);
    assert_eq!(world.reports(), ["Accepted 202 -", "Failure 408 -"]);
    assert_eq!(world.router.queue().waiting("1009@chat.test"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_over_and_reported() {
    for (code, state) in
        [(404, "refused"), (415, "refused"), (603, "refused"), (480, "waiting"), (503, "waiting")]
    {
        let world = World::new().await;
        world.send("1009", "hello").await;
        world.reports();
        world.register("1009", "a", &[code]).await;
        assert_eq!(world.states().await, [state], "{code}");
        let expected = if state == "refused" { vec![format!("Failure {code} a")] } else { vec![] };
        assert_eq!(world.reports(), expected, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waited_before_a_restart_is_delivered_after_it() {
    let before = World::new().await;
    before.send("1009", "hello").await;
    before.send("1010", "you").await;
    let after = World::on(before.store.clone());
    after.sip.set("1009", "a", &[200]);
    after.open().await;
    assert_eq!(after.sent(), ["a: hello"]);
    after.register("1010", "b", &[200]).await;
    assert_eq!(after.sent(), ["b: you"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_keeps_its_name_from_attempt_to_attempt() {
    let world = World::new().await;
    let mut named = message("1009", "hello");
    named.add("Message-ID", "abc");
    world.route(named.clone()).await;
    assert_eq!(world.stored().await[0].id.as_str(), "abc");
    // The same request once more, after a restart for instance: answered, not kept twice.
    assert_eq!(world.route(named).await.code, 202);
    assert_eq!(world.states().await, ["waiting"]);
    assert_eq!(world.router.queue().waiting("1009@chat.test"), 1);
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.sent(), ["a: hello"]);
    let report = &world.events("SMS::DELIVERY_REPORT")[2];
    assert_eq!(report.get("Message-ID"), Some("abc"));
    assert_eq!(report.get("Delivery-Attempts"), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn an_operator_takes_a_message_back() {
    let world = World::new().await;
    world.send("1009", "hello").await;
    let id = id(&world.stored().await[0]);
    assert_eq!(world.router.queue().cancel(&id).await, Ok(true));
    assert_eq!(world.router.queue().cancel(&id).await, Ok(false));
    assert_eq!(world.states().await, ["cancelled"]);
    assert_eq!(world.reports(), ["Accepted 202 -", "Failure 487 -"]);
    world.register("1009", "a", &[200]).await;
    assert!(world.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn is_composing_is_never_kept() {
    let world = World::new().await;
    let mut composing = message("1009", "typing");
    composing.add("type", "application/im-iscomposing+xml");
    assert_eq!(world.route(composing).await.code, 480);
    assert!(world.stored().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_store_the_sender_is_told_that_nobody_is_there() {
    let world = World::closed();
    assert_eq!(world.send("1009", "hello").await.code, 480);
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_for_a_store_that_is_being_read() {
    let world = World::closed();
    world.router.queue().is_about_to_open();
    let sending = tokio::spawn(world.router.route(message("1009", "hello")));
    pass(2).await;
    assert!(!sending.is_finished());
    world.open().await;
    assert_eq!(sending.await.unwrap().code, 202);
    // Where that takes for ever it is refused, and may be tried again.
    let world = World::closed();
    world.router.queue().is_about_to_open();
    let verdict = world.send("1009", "hello").await;
    assert_eq!((verdict.code, verdict.retry_after), (503, Some(1)));
}

#[tokio::test(start_paused = true)]
async fn the_queue_tells_what_happens() {
    let world = World::new().await;
    world.send("1009", "hello").await;
    world.register("1009", "a", &[200]).await;
    let told: Vec<_> = world
        .events("SMS::QUEUE")
        .iter()
        .map(|event| ["Action", "Queue-Waiting"].map(|name| event.get(name).unwrap().to_owned()).join(" "))
        .collect();
    assert_eq!(told, ["stored 1", "delivered 0"]);
}

#[tokio::test(start_paused = true)]
async fn the_chat_command_and_replies_are_kept_too() {
    let world = World::new().await;
    let mut reply = message("1009", "reply");
    reply.add("replying", "true");
    assert_eq!(world.route(reply).await.code, 202);
    let mut past = message("1009", "past the plan");
    assert_eq!(world.router.chat_send("sip", &mut past).await, Delivery::NobodyRegistered);
    assert_eq!(world.states().await, ["waiting"]);
    // A store's word on a message it knows.
    let summary = &world.stored().await[0];
    let record = world.store.get(&summary.id).await.unwrap().unwrap();
    assert!(record.message.is_some());
    assert_ne!(Put::Stored, Put::Known(summary.id.clone(), summary.state));
}

#[tokio::test(start_paused = true)]
async fn who_repeats_a_request_to_a_restarted_server_is_answered() {
    let before = World::new().await;
    let mut named = message("1009", "hello");
    named.add("Message-ID", "abc");
    before.route(named).await;
    before.register("1009", "a", &[200]).await;
    let after = World::on(before.store.clone());
    after.open().await;
    let queue = after.router.queue();
    assert!(queue.remembers("abc") && !queue.remembers("other"));
    pass(60).await;
    assert!(!queue.remembers("abc"));
}

#[tokio::test(start_paused = true)]
async fn messages_made_of_one_event_are_all_kept() {
    let world = World::new().await;
    // A program that sends on what it got, all headers with it.
    for (to, body) in [("1009", "one"), ("1010", "one"), ("1009", "two"), ("1009", "one")] {
        let mut copy = message(to, body);
        copy.add("Message-ID", "abc");
        assert_eq!(world.route(copy).await.code, 202);
    }
    assert_eq!(world.states().await.len(), 3, "the last one is the first one again");
    world.register("1009", "a", &[200]).await;
    world.register("1010", "b", &[200]).await;
    assert_eq!(world.sent(), ["a: one", "a: two", "b: one"]);
    world.unregister("1009", "a");
    let mut again = message("1009", "three");
    again.add("Message-ID", "abc");
    assert_eq!(world.route(again).await.code, 202);
    assert_eq!(world.router.queue().waiting("1009@chat.test"), 1);
}
