use crate::world::{World, message, pass};

#[tokio::test(start_paused = true)]
async fn what_runs_out_is_a_failure() {
    let world = World::new().await;
    let mut brief = message("1009", "brief");
    brief.add("expires", "60");
    world.route(brief).await;
    world.send("1009", "long").await;
    pass(62).await;
    assert_eq!(world.states().await, ["expired", "waiting"]);
    assert_eq!(world.reports(), ["Accepted 202 -", "Accepted 202 -", "Failure 408 -"]);
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.sent(), ["a: long"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_of_use_at_once_alone_is_not_kept() {
    let world = World::new().await;
    let mut now = message("1009", "now");
    now.add("expires", "0");
    assert_eq!(world.route(now).await.code, 480);
    assert!(world.states().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deferred_message_waits_for_its_time_and_holds_up_nobody() {
    for header in ["Deferred-Delivery", "deliver_at"] {
        let world = World::new().await;
        world.register("1009", "a", &[200]).await;
        let mut later = message("1009", "later");
        later.add(header, "600");
        assert_eq!(world.route(later).await.code, 202);
        assert_eq!(world.send("1009", "now").await.code, 200);
        pass(590).await;
        assert_eq!(world.sent(), ["a: now"]);
        pass(15).await;
        assert_eq!(world.sent(), ["a: later"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_changes_nothing() {
    const DAY: i64 = 86_400_000_000;
    let world = World::new().await;
    let mut brief = message("1009", "hello");
    brief.add("expires", "3600");
    world.route(brief).await;
    for step in [DAY, -2 * DAY, DAY] {
        world.clock.advance(step);
        pass(600).await;
        assert_eq!(world.states().await, ["waiting"], "{step}");
    }
    pass(1900).await;
    assert_eq!(world.states().await, ["expired"]);
}

#[tokio::test(start_paused = true)]
async fn finished_messages_are_forgotten_in_the_end() {
    let world = World::new().await;
    world.send("1009", "hello").await;
    world.register("1009", "a", &[200]).await;
    pass(86_000).await;
    assert_eq!(world.states().await, ["delivered"]);
    pass(600).await;
    assert!(world.states().await.is_empty());
}
