use chappe_chat::QueueSettings;
use chappe_event::header;

use crate::world::{World, message};

#[tokio::test(start_paused = true)]
async fn a_flood_to_one_user_ends_at_its_bound() {
    let world = World::with(QueueSettings { max_per_user: 3, ..QueueSettings::default() }).await;
    let mut codes = Vec::new();
    for number in 0..5 {
        codes.push(world.send("1009", &number.to_string()).await.code);
    }
    assert_eq!(codes, [202, 202, 202, 480, 480]);
    assert_eq!(world.send("1010", "x").await.code, 202);
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.sent(), ["a: 0", "a: 1", "a: 2"]);
    world.unregister("1009", "a");
    assert_eq!(world.send("1009", "again").await.code, 202);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_sender_leaves_room_for_others() {
    let world = World::with(QueueSettings { max_per_sender: 2, ..QueueSettings::default() }).await;
    let mut codes = Vec::new();
    for user in ["1009", "1010", "1011"] {
        codes.push(world.send(user, "x").await.code);
    }
    assert_eq!(codes, [202, 202, 480]);
    let mut other = message("1011", "x");
    other.set(header::FROM, "1005@chat.test");
    assert_eq!(world.route(other).await.code, 202);
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.send("1011", "again").await.code, 202, "what was delivered takes no room");
}

#[tokio::test(start_paused = true)]
async fn all_lines_together_are_bounded() {
    let world = World::with(QueueSettings { max_in_all: 2, ..QueueSettings::default() }).await;
    let mut answers = Vec::new();
    for user in ["1009", "1010", "1011"] {
        let verdict = world.send(user, "x").await;
        answers.push((verdict.code, verdict.retry_after));
    }
    assert_eq!(answers, [(202, None), (202, None), (503, Some(60))]);
}

#[tokio::test(start_paused = true)]
async fn more_recipients_than_are_served_at_a_time_get_theirs() {
    let world = World::new().await;
    let users: Vec<String> = (0..3000).map(|number| format!("u{number}")).collect();
    for user in &users {
        world.send(user, "x").await;
        world.sip.set(user, user, &[200]);
    }
    for user in &users {
        world.router.queue().came(&format!("{user}@chat.test"), true);
    }
    for _ in 0..100 {
        crate::world::settle().await;
    }
    assert_eq!(world.sent().len(), users.len());
}
