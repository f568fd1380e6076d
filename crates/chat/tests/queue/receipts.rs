use chappe_event::Event;

use crate::world::{World, message, pass};

fn cpim(to: &str, wanted: &str) -> Event {
    let mut message = message(to, "");
    message.add("type", "message/cpim");
    let body = format!(
        "From: <sip:1004@chat.test>\r\nTo: <sip:{to}@chat.test>\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
         imdn.Message-ID: m1\r\nimdn.Disposition-Notification: {wanted}\r\n\r\n\
         Content-Type: text/plain\r\n\r\nhello"
    );
    message.set_body(Some(body.into()));
    message
}

/// The statuses of the notifications that 1004 got.
fn told(world: &World) -> Vec<String> {
    let to_sender = world.sent().into_iter().filter(|sent| sent.starts_with("sender: "));
    let status = |sent: String| {
        assert!(sent.contains("<message-id>m1</message-id>"), "{sent}");
        sent.split("<status><").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or("?").to_owned()
    };
    to_sender.map(status).collect()
}

const ALL: &str = "positive-delivery, negative-delivery, processing";

#[tokio::test(start_paused = true)]
async fn the_sender_is_told_what_it_asked_for() {
    for (wanted, expected) in [
        (ALL, vec!["stored", "failed"]),
        ("processing", vec!["stored"]),
        ("negative-delivery", vec!["failed"]),
        ("positive-delivery", vec![]),
    ] {
        let world = World::new().await;
        world.sip.set("1004", "sender", &[200]);
        assert_eq!(world.route(cpim("1009", wanted)).await.code, 202);
        world.register("1009", "a", &[404]).await;
        assert_eq!(told(&world), expected, "{wanted}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_goes_straight_through_is_processed() {
    let world = World::new().await;
    world.sip.set("1004", "sender", &[200]);
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.route(cpim("1009", ALL)).await.code, 200);
    assert_eq!(told(&world), ["processed"]);
    world.register("1009", "a", &[404]).await;
    assert_eq!(world.route(cpim("1009", ALL)).await.code, 404);
    assert!(told(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_receipt_waits_for_a_sender_who_is_away() {
    let world = World::new().await;
    let mut brief = cpim("1009", ALL);
    brief.add("expires", "60");
    world.route(brief).await;
    pass(70).await;
    assert_eq!(world.states().await, ["expired", "waiting", "waiting"]);
    world.register("1004", "sender", &[200]).await;
    assert_eq!(told(&world), ["stored", "failed"]);
}

#[tokio::test(start_paused = true)]
async fn there_is_no_receipt_of_a_receipt() {
    let world = World::new().await;
    world.sip.set("1004", "sender", &[200]);
    let mut receipt = cpim("1009", ALL);
    let body = "From: <sip:1004@chat.test>\r\nTo: <sip:1009@chat.test>\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
                imdn.Message-ID: m1\r\nimdn.Disposition-Notification: processing\r\n\r\n\
                Content-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n\r\n<imdn/>";
    receipt.set_body(Some(body.into()));
    assert_eq!(world.route(receipt).await.code, 202);
    assert!(told(&world).is_empty());
}
