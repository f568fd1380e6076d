//! How a message leaves a program's hands.

use std::time::Duration;

use chappe_event_socket::OutboundConfig;
use tokio::net::TcpListener;

use crate::world::World;

const REPLY: &str = "sendmsg\ncall-command: execute\nexecute-app-name: reply\nexecute-app-arg: yes";
const HANGUP: &str = "sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY";

async fn works(world: &World) {
    let (routed, mut program) = world.handle("").await;
    assert_eq!(program.say(REPLY).await, "+OK");
    assert_eq!(program.say("exit").await, "+OK bye");
    assert_eq!(routed.end().await.1, "dealt");
}

#[tokio::test]
async fn a_hangup_deals_with_the_message() {
    for words in ["", "async"] {
        let world = World::new().await;
        let (routed, mut program) = world.handle(words).await;
        assert_eq!(program.say("myevents").await, "+OK Events Enabled");
        assert_eq!(program.say(HANGUP).await, "+OK");
        assert_eq!(routed.end().await.1, "dealt");
        let mut seen = Vec::new();
        while let Some(frame) = program.frame().await {
            seen.push(frame.header("Content-Disposition").unwrap_or("event").to_owned());
        }
        assert_eq!(seen.last().map(String::as_str), Some("disconnect"));
    }
}

#[tokio::test]
async fn a_program_that_lingers_hears_the_end() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("async full").await;
    for (command, expected) in
        [("myevents", "+OK Events Enabled"), ("linger", "+OK will linger"), (HANGUP, "+OK")]
    {
        assert_eq!(program.say(command).await, expected);
    }
    let hung_up = program.event("CHANNEL_HANGUP_COMPLETE").await;
    assert_eq!(hung_up.header("Hangup-Cause"), Some("USER_BUSY"));
    let (message, outcome) = routed.end().await;
    assert_eq!(outcome, "dealt");
    // What happens to the message later bears its id.
    world.bus.fire(message);
    assert_eq!(program.event("MESSAGE").await.header("from_user"), Some("1004"));
    assert!(program.say(REPLY).await.starts_with("-ERR invalid session id"));
    assert_eq!(program.say("exit").await, "+OK bye");
    assert!(world.sip.sent().is_empty());
}

#[tokio::test]
async fn nobody_lingers_for_ever() {
    let world = World::with(OutboundConfig { max_linger: Duration::ZERO, ..OutboundConfig::default() }).await;
    let (routed, mut program) = world.handle("full").await;
    assert_eq!(program.say("linger 1000").await, "+OK will linger 1000 seconds");
    assert_eq!(program.say(HANGUP).await, "+OK");
    routed.end().await;
    let notice = program.frame().await.expect("a notice");
    assert_eq!(notice.header("Content-Disposition"), Some("linger"));
    let notice = program.frame().await.expect("a notice");
    assert_eq!(notice.header("Content-Disposition"), Some("disconnect"));
    assert_eq!(program.frame().await, None);
}

#[tokio::test]
async fn a_program_that_is_away_fails_the_message_for_a_while() {
    let world = World::new().await;
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let nobody = gone.local_addr().expect("it listens").to_string();
    drop(gone);
    assert_eq!(world.route(&nobody).end().await.1, "failed: 503, 5 s");
    works(&world).await;
    // Where several are named, the next one takes over.
    let routed = world.route(&format!("{nobody}|{}", world.address()));
    let mut program = world.program().await;
    assert_eq!(program.say("getvar socket_host").await, "127.0.0.1");
    drop(program);
    assert_eq!(routed.end().await.1, "continue");
}

#[tokio::test]
async fn a_program_that_says_nothing_has_not_handled_the_message() {
    let world = World::new().await;
    let (routed, program) = world.handle("").await;
    drop(program);
    assert_eq!(routed.end().await.1, "failed: 503, 5 s");
    works(&world).await;
}

#[tokio::test]
async fn what_is_no_command_fails_the_message() {
    let world = World::new().await;
    for garbage in ["a\nContent-Length: -1\n\n".to_owned(), "x".repeat(1024 * 1024 + 1)] {
        let (routed, mut program) = world.handle("").await;
        program.send(&garbage).await;
        assert_eq!(program.answer().await, "-ERR command parse error.");
        let outcome = routed.end().await.1;
        assert!(outcome.starts_with("failed: socket: it sent what is no command: "), "{outcome}");
        works(&world).await;
    }
}

#[tokio::test]
async fn the_apps_data_has_to_name_a_place() {
    let world = World::new().await;
    for (data, expected) in [("", "no host is named"), ("a:b", "`b` is no port")] {
        let outcome = world.route(data).end().await.1;
        assert!(outcome.starts_with(&format!("failed: socket: {expected}")), "{outcome}");
    }
}

#[tokio::test]
async fn a_program_has_its_time_and_no_more() {
    let config = OutboundConfig { timeout: Duration::from_millis(500), ..OutboundConfig::default() };
    let world = World::with(config).await;
    for command in ["connect", "sendmsg\ncall-command: execute\nexecute-app-name: slow"] {
        let (routed, mut program) = world.handle("async").await;
        program.send(&format!("{command}\n\n")).await;
        assert_eq!(routed.end().await.1, "failed: 503, 5 s", "{command}");
        while program.frame().await.is_some() {}
    }
    // Who is told to try again would have it done twice.
    let (routed, mut program) = world.handle("").await;
    assert_eq!(program.say(REPLY).await, "+OK");
    assert_eq!(routed.end().await.1, "dealt");
    assert_eq!(world.sip.sent(), ["1004@chat.test: yes"]);
}

#[tokio::test]
async fn connections_are_bounded() {
    let world = World::with(OutboundConfig { max_connections: 1, ..OutboundConfig::default() }).await;
    let (first, mut program) = world.handle("").await;
    assert_eq!(program.say("getvar from_user").await, "1004");
    assert_eq!(world.outbound.connections(), 1);
    assert_eq!(world.route(&world.address()).end().await.1, "failed: 503, 5 s");
    assert_eq!(program.say(REPLY).await, "+OK");
    drop(program);
    assert_eq!(first.end().await.1, "dealt");
    // With a new configuration there is room again at once.
    world.outbound.configure(OutboundConfig { max_connections: 2, ..OutboundConfig::default() });
    works(&world).await;
}

#[tokio::test]
async fn many_messages_are_handled_at_once() {
    const MANY: usize = 300;
    let world = World::new().await;
    let address = world.address();
    let routed: Vec<_> = (0..MANY).map(|_| world.route(&format!("{address} async"))).collect();
    let mut programs = Vec::new();
    for _ in 0..MANY {
        programs.push(world.program().await);
    }
    // The last one first: nobody waits for another.
    for program in programs.iter_mut().rev() {
        assert_eq!(program.say(REPLY).await, "+OK");
        assert_eq!(program.say("exit").await, "+OK bye");
    }
    for routed in routed {
        assert_eq!(routed.end().await.1, "dealt");
    }
    assert_eq!(world.sip.sent().len(), MANY);
}

#[tokio::test]
async fn the_server_ends() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("").await;
    assert_eq!(program.say("getvar from_user").await, "1004");
    world.outbound.stop();
    assert_eq!(routed.end().await.1, "failed: 503, 5 s");
    let notice = program.frame().await.expect("a notice");
    assert_eq!(notice.content_type(), "text/disconnect-notice");
    assert_eq!(world.route(&world.address()).end().await.1, "failed: 503, 5 s");
}

/// A program that takes nothing costs its own message.
#[tokio::test]
async fn a_program_that_reads_nothing_is_given_up() {
    let config = OutboundConfig { timeout: Duration::from_secs(2), ..OutboundConfig::default() };
    let world = World::with(config).await;
    let (routed, mut program) = world.handle("full").await;
    let line = format!("api echo {}\n\n", "x".repeat(500_000));
    // Until the server takes no more.
    let flood = async {
        for _ in 0..200 {
            program.send(&line).await;
        }
    };
    let flood = tokio::time::timeout(Duration::from_millis(1_500), flood);
    let (_, (_, outcome)) = tokio::join!(flood, routed.end());
    assert_eq!(outcome, "failed: 503, 5 s");
    drop(program);
    works(&world).await;
}
