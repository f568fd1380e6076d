use std::time::Duration;

use chappe_chat::{OfflineCopy, QueueSettings};

use crate::world::{World, pass};

async fn for_all() -> World {
    let ttl = Duration::from_secs(3600);
    World::with(QueueSettings { copies: OfflineCopy::EveryDevice, ttl, ..QueueSettings::default() }).await
}

#[tokio::test(start_paused = true)]
async fn the_first_device_is_enough() {
    let world = World::new().await;
    world.send("1009", "hello").await;
    world.register("1009", "a", &[200]).await;
    world.register("1009", "b", &[200]).await;
    assert_eq!(world.sent(), ["a: hello"]);
}

#[tokio::test(start_paused = true)]
async fn every_device_gets_its_copy_once() {
    let world = for_all().await;
    world.send("1009", "hello").await;
    world.register("1009", "a", &[200]).await;
    world.register("1009", "b", &[200]).await;
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.sent(), ["a: hello", "b: hello"]);
    assert_eq!(world.reports(), ["Accepted 202 -", "Success 200 a"]);
    // It holds up nobody, counts for nobody, and is no failure in the end.
    assert_eq!(world.router.queue().waiting("1009@chat.test"), 0);
    assert_eq!(world.send("1009", "two").await.code, 200);
    pass(3700).await;
    assert_eq!(world.states().await, ["delivered"]);
    assert_eq!(world.reports(), ["Success 200 b"]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_missed_it_gets_it_when_it_comes() {
    let world = for_all().await;
    world.sip.set("1009", "a", &[200]);
    world.sip.set("1009", "b", &[0]);
    assert_eq!(world.send("1009", "hello").await.code, 200);
    assert!(world.states().await.is_empty());
    pass(40).await;
    assert_eq!(world.states().await, ["waiting"]);
    assert_eq!(world.sent(), ["a: hello", "b: hello"]);
    world.register("1009", "b", &[200]).await;
    assert_eq!(world.sent(), ["b: hello"]);
}

#[tokio::test(start_paused = true)]
async fn dead_devices_do_not_hold_up_a_live_one() {
    let world = World::new().await;
    world.send("1009", "one").await;
    world.send("1009", "two").await;
    for dead in 0..49 {
        world.sip.set("1009", &format!("dead{dead}"), &[0]);
    }
    world.register("1009", "live", &[200]).await;
    let live: Vec<_> = world.sent().into_iter().filter(|sent| sent.starts_with("live")).collect();
    assert_eq!(live, ["live: one", "live: two"]);
    assert_eq!(world.states().await, ["delivered", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_refused_it_for_good_is_not_asked_again() {
    let world = World::new().await;
    world.send("1009", "hello").await;
    world.sip.set("1009", "never", &[415]);
    world.register("1009", "later", &[480, 200]).await;
    assert_eq!(world.sent(), ["never: hello", "later: hello"]);
    assert_eq!(world.states().await, ["waiting"]);
    pass(40).await;
    assert_eq!(world.sent(), ["later: hello"]);
    assert_eq!(world.states().await, ["delivered"]);
}
