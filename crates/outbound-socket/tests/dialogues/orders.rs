//! What a program may ask for, and what it hears.

use chappe_event::{Event, EventName};

use crate::world::{Program, World};

fn execute(app: &str, data: &str, more: &str) -> String {
    format!("sendmsg\ncall-command: execute\nexecute-app-name: {app}\nexecute-app-arg: {data}{more}")
}

/// The value of a header in the answer to `connect`, decoded as client libraries do.
async fn connected(program: &mut Program) -> Vec<(String, String)> {
    program.send("connect\n\n").await;
    let frame = program.frame().await.expect("an answer");
    let decoded = |(name, value): (String, String)| (name, chappe_event::url_decode(&value).into_owned());
    frame.headers.into_iter().map(decoded).collect()
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

#[tokio::test]
async fn a_program_sees_the_message() {
    let world = World::new().await;
    let routed = world.route(&format!("{}/the/way async full", world.address()));
    let mut program = world.program().await;
    let data = connected(&mut program).await;
    for (name, expected) in [
        ("Event-Name", "CHANNEL_DATA"),
        ("Content-Type", "command/reply"),
        ("Reply-Text", "+OK\n"),
        ("Socket-Mode", "async"),
        ("Control", "full"),
        ("from", "1004@chat.test"),
        ("to_user", "1000"),
        ("Caller-Caller-ID-Number", "1004"),
        ("Caller-Destination-Number", "1000"),
        ("Channel-Name", "message/1004@chat.test"),
        ("socket_host", "127.0.0.1"),
        ("socket_path", "the/way"),
    ] {
        assert_eq!(value(&data, name), expected, "{name}");
    }
    assert_eq!(data[0].0, "_body");
    assert!(data.iter().all(|(name, _)| name != "Content-Length"));
    let id = value(&data, "Unique-ID");
    assert_eq!((id.len(), value(&data, "variable_uuid")), (36, id));
    assert_eq!(program.say("getvar from_user").await, "1004");
    assert_eq!(program.say("getvar nonsense").await, "-ERR command not found");
    assert_eq!(program.say("getvar _body").await, "first line%0Afrom: nobody%2541");
    assert_eq!(program.say("exit").await, "+OK bye");
    let (message, outcome) = routed.end().await;
    assert_eq!((outcome.as_str(), message.get("Unique-ID")), ("continue", Some(id)));
}

#[tokio::test]
async fn apps_run_and_are_told_of() {
    for words in ["", "async full"] {
        let world = World::new().await;
        let (routed, mut program) = world.handle(words).await;
        let data = connected(&mut program).await;
        let id = value(&data, "Unique-ID").to_owned();
        assert_eq!(program.say("myevents").await, "+OK Events Enabled");
        let order = execute("reply", "you are ${from_user}", "\nEvent-UUID: my-own\nevent-lock: true");
        program.send(&format!("{}\n\n", order.replace("sendmsg", &format!("sendmsg {id}")))).await;
        let began = program.event("CHANNEL_EXECUTE").await;
        let ended = program.event("CHANNEL_EXECUTE_COMPLETE").await;
        for event in [&began, &ended] {
            assert_eq!(event.header("Application"), Some("reply"));
            assert_eq!(event.header("Application-UUID"), Some("my-own"));
            assert_eq!(event.header("variable_current_application"), Some("reply"));
            assert_eq!(event.header("Unique-ID"), Some(id.as_str()));
        }
        assert_eq!(ended.header("Application-Response"), Some("_none_"));
        assert_eq!(program.answer().await, "+OK");
        assert_eq!(program.say("exit").await, "+OK bye");
        assert_eq!(routed.end().await.1, "dealt");
        assert_eq!(world.sip.sent(), ["1004@chat.test: you are 1004"]);
    }
}

#[tokio::test]
async fn what_a_program_sets_stays_with_the_message() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("").await;
    assert_eq!(program.say(&execute("set", "colour=blue", "")).await, "+OK");
    assert_eq!(program.say("getvar colour").await, "blue");
    assert_eq!(program.say(&execute("unset", "context", "")).await, "+OK");
    drop(program);
    let (message, outcome) = routed.end().await;
    assert_eq!((message.get("colour"), message.get("context")), (Some("blue"), None));
    assert_eq!(outcome, "continue");
}

#[tokio::test]
async fn the_apps_data_may_be_the_body() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("").await;
    program
        .send(
            "sendmsg\ncall-command: execute\nexecute-app-name: reply\ncontent-type: text/plain\n\
             content-length: 9\n\ntwo\nlines",
        )
        .await;
    assert_eq!(program.answer().await, "+OK");
    drop(program);
    assert_eq!(routed.end().await.1, "dealt");
    assert_eq!(world.sip.sent(), ["1004@chat.test: two\nlines"]);
}

/// Without `async` the reply comes when the app is done, and no command is heeded before.
#[tokio::test]
async fn an_app_holds_up_the_next_command_unless_async() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("").await;
    program.send(&format!("{}\n\ngetvar slow\n\n", execute("slow", "", ""))).await;
    world.gate.notify_one();
    assert_eq!((program.answer().await, program.answer().await), ("+OK".to_owned(), "done".to_owned()));
    drop(program);
    routed.end().await;

    let (routed, mut program) = world.handle("async").await;
    program.send(&format!("{}\n\ngetvar slow\n\n", execute("slow", "", ""))).await;
    assert_eq!(
        (program.answer().await, program.answer().await),
        ("+OK".to_owned(), "-ERR command not found".to_owned())
    );
    world.gate.notify_one();
    drop(program);
    assert_eq!(routed.end().await.0.get("slow"), Some("done"));
}

#[tokio::test]
async fn orders_are_carried_out_after_the_program_left() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("async").await;
    let orders: String = (0..20).map(|number| execute("reply", &number.to_string(), "\n\n")).collect();
    program.send(&format!("{orders}exit\n\n")).await;
    drop(program);
    assert_eq!(routed.end().await.1, "dealt");
    let expected: Vec<_> = (0..20).map(|number| format!("1004@chat.test: {number}")).collect();
    assert_eq!(world.sip.sent(), expected);
}

#[tokio::test]
async fn orders_that_wait_are_bounded() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("async").await;
    assert_eq!(program.say(&execute("slow", "", "")).await, "+OK");
    let head = "sendmsg\ncall-command: execute\nexecute-app-name: info\ncontent-type: text/plain";
    let body = "x".repeat(1024 * 1024);
    let mut answers = Vec::new();
    for _ in 0..4 {
        program.send(&format!("{head}\ncontent-length: {}\n\n{body}", body.len())).await;
        answers.push(program.answer().await);
    }
    assert_eq!(answers, ["+OK", "+OK", "+OK", "-ERR memory error"]);
    for _ in 0..996 {
        assert_eq!(program.say(&execute("info", "", "")).await, "+OK");
    }
    assert_eq!(program.say(&execute("info", "", "")).await, "-ERR memory error");
    world.gate.notify_one();
    drop(program);
    assert_eq!(routed.end().await.1, "continue");
}

#[tokio::test]
async fn loops_repeat_an_app() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("").await;
    assert_eq!(program.say(&execute("reply", "again", "\nloops: 3")).await, "+OK");
    assert_eq!(program.say(&execute("reply", "never", "\nloops: 0")).await, "+OK");
    assert_eq!(
        program.say(&execute("reply", "more", "\nloops: -1")).await,
        "-ERR too much was sent for this message"
    );
    drop(program);
    assert_eq!(routed.end().await.1, "dealt");
    let sent = world.sip.sent();
    assert_eq!(
        (sent.len(), sent[2].as_str(), sent[3].as_str()),
        (100, "1004@chat.test: again", "1004@chat.test: more")
    );
}

#[tokio::test]
async fn an_app_that_can_not_run_is_told_of() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("").await;
    assert_eq!(program.say(&execute("answer", "", "")).await, "-ERR invalid application [answer]");
    assert_eq!(program.say(&execute("stop", "", "")).await, "+OK");
    let refused = "-ERR no further app may run on this message";
    assert_eq!(program.say(&execute("reply", "no", "")).await, refused);
    drop(program);
    assert_eq!(routed.end().await.1, "dealt");
    assert!(world.sip.sent().is_empty());
}

/// Nobody waits in vain for an app that is not there.
#[tokio::test]
async fn an_app_that_is_not_there_completes() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("async").await;
    assert_eq!(program.say("myevents").await, "+OK Events Enabled");
    program.send(&format!("{}\n\n", execute("answer", "", "\nevent-uuid: u"))).await;
    let ended = program.event("CHANNEL_EXECUTE_COMPLETE").await;
    assert_eq!(ended.header("Application-UUID"), Some("u"));
    assert_eq!(ended.header("Application-Response"), Some("-ERR invalid application [answer]"));
    drop(program);
    assert_eq!(routed.end().await.1, "continue");
}

#[tokio::test]
async fn a_copy_that_is_sent_is_waited_for_by_the_sender() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("").await;
    assert_eq!(program.say(&execute("send", "", "")).await, "+OK");
    drop(program);
    assert_eq!(routed.end().await.1, "sending: 200");
    assert_eq!(world.sip.sent().len(), 1);
}

#[tokio::test]
async fn full_is_needed_for_the_rest() {
    let world = World::new().await;
    for (words, expected) in [("async", "-ERR command not found"), ("async full", "hello")] {
        let (routed, mut program) = world.handle(words).await;
        assert_eq!(program.say("api echo hello").await, expected);
        drop(program);
        routed.end().await;
    }
}

#[tokio::test]
async fn a_job_is_its_owners() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("full").await;
    let id = value(&connected(&mut program).await, "Unique-ID").to_owned();
    assert_eq!(program.say("myevents").await, "+OK Events Enabled");
    assert_eq!(program.say("event plain BACKGROUND_JOB HEARTBEAT").await, "+OK event listener enabled plain");
    // An event of somebody else's.
    world.bus.fire(Event::new(EventName::Heartbeat));
    assert_eq!(program.say("bgapi echo hello\nJob-UUID: job").await, "+OK Job-UUID: job");
    let frame = program.frame().await.expect("an event");
    let (headers, body) = frame.plain_event();
    assert_eq!((value(&headers, "Job-UUID"), value(&headers, "Job-Owner-UUID")), ("job", id.as_str()));
    assert_eq!(body, "hello");
    drop(program);
    routed.end().await;
}

/// What another client sends to the message reaches its program, whatever that listens to.
#[tokio::test]
async fn events_for_the_message_are_diverted() {
    let world = World::new().await;
    let (routed, mut program) = world.handle("").await;
    let id = value(&connected(&mut program).await, "Unique-ID").to_owned();
    assert_eq!(program.say("myevents").await, "+OK Events Enabled");
    let fire = |number: &str, id: &str| {
        let mut event = Event::new(EventName::General);
        event.add("Unique-ID", id);
        event.add("number", number);
        world.bus.fire(event);
    };
    fire("1", &id);
    assert_eq!(program.say("divert_events on").await, "+OK events diverted");
    fire("2", "another");
    fire("3", &id);
    assert_eq!(program.event("GENERAL").await.header("number"), Some("3"));
    drop(program);
    routed.end().await;
}
