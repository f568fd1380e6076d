//! Those who do not know the password, many of them and at speed.

use std::time::Duration;

use chappe_event_socket::EventSocketConfig;
use chappe_event_socket::client::{Client, ClientError};
use tokio::io::AsyncWriteExt as _;

use crate::{Server, TIME, config, read_to_end, read_until};

#[tokio::test]
async fn ten_thousand_of_them_take_the_places_there_are() {
    let server = Server::start_with(EventSocketConfig { max_unauthenticated: 8, ..config() });
    let mut idle = Vec::new();
    for _ in 0..8 {
        let mut stream = server.raw().await;
        read_until(&mut stream, "auth/request\n\n").await;
        idle.push(stream);
    }
    for _ in 0..10_000 {
        let text = read_to_end(server.raw().await).await;
        // Nothing at all is said to one whose buffer was gone already.
        assert!(text.is_empty() || text.contains("Too many connections."), "{text}");
    }
    assert_eq!(server.socket.connections(), 8);
    drop(idle);
    let in_time = async {
        while server.socket.connections() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIME, in_time).await.expect("who left is forgotten");
    assert_eq!(server.client().await.api("echo in").await.expect("an answer"), "in");
}

#[tokio::test]
async fn a_wrong_password_costs_time_and_holds_up_nobody_else() {
    let delay = Duration::from_millis(500);
    let server = Server::start_with(EventSocketConfig { failed_auth_delay: delay, ..config() });
    let begun = std::time::Instant::now();
    let address = server.address();
    let guess = Client::connect_within(TIME, &address, "guess");
    let other = async {
        let answer = server.client().await.api("echo in").await.expect("an answer");
        (answer, begun.elapsed())
    };
    let (guessed, (answer, soon)) = tokio::join!(guess, other);
    assert!(matches!(guessed, Err(ClientError::WrongPassword)), "a guess is let in");
    assert!(begun.elapsed() >= delay && soon < delay, "{:?}, {soon:?}", begun.elapsed());
    assert_eq!(answer, "in");
}

#[tokio::test]
async fn commands_after_a_wrong_password_are_not_heard() {
    let server = Server::start();
    let mut stream = server.raw().await;
    stream.write_all(b"auth wrong\n\nauth secret\n\napi echo in\n\n").await.expect("sent");
    let text = read_to_end(stream).await;
    assert!(text.contains("-ERR invalid") && !text.contains("api/response"), "{text}");
}

#[tokio::test]
async fn odd_headers_reach_the_bus_as_they_are() {
    let server = Server::start();
    let mut listener = server.client().await;
    listener.command("event plain CUSTOM odd::one").await.expect("subscribed");
    let mut stream = server.raw().await;
    let event =
        b"auth secret\n\nsendevent CUSTOM\nEvent-Subclass: odd::one\npercent: 100% sure%zz%\nnul: a\0b\n\
                  cr: a\rb: c\nno colon\n: no name\nempty:\nutf: \xff\xfe\n\n";
    stream.write_all(event).await.expect("sent");
    let frame = listener.next_within(TIME).await.expect("connected").expect("an event");
    let (headers, _) = frame.plain_event();
    let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(value("percent"), Some("100% sure%zz%"));
    assert_eq!(value("nul"), Some("a\0b"));
    assert_eq!((value("cr"), value("b")), (Some("a"), Some("c")), "a carriage return ends a line");
    assert_eq!(value("utf"), Some("\u{fffd}\u{fffd}"));
}
