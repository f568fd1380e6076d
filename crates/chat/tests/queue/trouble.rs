use chappe_store::StoreError;

use crate::world::{World, pass};

#[tokio::test(start_paused = true)]
async fn a_store_in_trouble_refuses_what_needs_it_and_nothing_else() {
    let world = World::new().await;
    world.register("1009", "a", &[200]).await;
    world.store.set_trouble(Some(StoreError::Full));
    assert_eq!(world.send("1009", "hello").await.code, 200);
    let verdict = world.send("1010", "hello").await;
    assert_eq!((verdict.code, verdict.retry_after), (503, Some(60)));
    assert_eq!(world.reports(), ["Success 200 a", "Failure 503 -"]);
    assert_eq!(world.router.queue().waiting("1010@chat.test"), 0);
    pass(2).await;
    world.store.set_trouble(None);
    pass(2).await;
    assert_eq!(world.send("1010", "hello").await.code, 202);
    let told: Vec<_> = world
        .events("SMS::STORE")
        .iter()
        .map(|event| format!("{} {}", event.get("Status").unwrap(), event.get("Reason").unwrap_or("-")))
        .collect();
    assert_eq!(told, ["trouble the disk is full", "ok -"]);
}

#[tokio::test(start_paused = true)]
async fn while_nothing_can_be_promised_what_is_under_way_is_waited_for() {
    let world = World::new().await;
    world.sip.set("1009", "a", &[0]);
    world.store.set_trouble(Some(StoreError::ReadOnly));
    let router = world.router.clone();
    let sending = tokio::spawn(router.route(crate::world::message("1009", "hello")));
    pass(10).await;
    assert!(!sending.is_finished());
    world.sip.answer("a", 200).await;
    assert_eq!(sending.await.unwrap().code, 200);
}

#[tokio::test(start_paused = true)]
async fn what_a_full_disk_can_not_take_down_is_not_sent_twice() {
    let world = World::new().await;
    world.send("1009", "hello").await;
    world.store.set_trouble(Some(StoreError::Full));
    world.register("1009", "a", &[200]).await;
    world.register("1009", "a", &[200]).await;
    pass(100).await;
    assert_eq!(world.sent(), ["a: hello"]);
    assert_eq!(world.reports(), ["Accepted 202 -", "Success 200 a"]);
    world.store.set_trouble(None);
    pass(2).await;
    assert_eq!(world.states().await, ["delivered"]);
}
