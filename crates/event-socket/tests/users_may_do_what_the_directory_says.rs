//! `userauth`, and what each user may do.

use std::sync::Arc;

use chappe_event::{Event, EventName};
use chappe_event_socket::command::Command;
use chappe_event_socket::session::{Output, Session};
use chappe_event_socket::{Account, Accounts};

fn accounts() -> Accounts {
    Arc::new(|name, domain| {
        let account = |events: Option<&str>, api: Option<&str>, log| Account {
            password: Some(format!("{name}-pw")),
            events: events.map(str::to_owned),
            api: api.map(str::to_owned),
            log,
        };
        match (name, domain) {
            ("root", "x.test") => Some(account(None, None, true)),
            ("watch", "x.test") => Some(account(
                Some("MESSAGE HEARTBEAT CUSTOM SMS::DELIVERY_REPORT"),
                Some("status,show"),
                false,
            )),
            ("empty", "x.test") => Some(Account { password: Some(String::new()), ..Account::default() }),
            ("none", "x.test") => Some(Account::default()),
            _ => None,
        }
    })
}

struct Client(Session);

impl Client {
    fn new() -> Self {
        Self(Session::new("ClueCon".into(), Box::new(|| "uuid".to_owned())).with_accounts(accounts()))
    }

    fn of(user: &str) -> Self {
        let mut client = Self::new();
        let answer = client.say(&format!("userauth {user}@x.test:{user}-pw"));
        assert!(answer.starts_with("+OK accepted / "), "{answer}");
        client
    }

    /// What a line leads to: replies as they are, the rest in a word.
    fn say(&mut self, line: &str) -> String {
        let mut out = Vec::new();
        self.0.handle(&Command { line: line.to_owned(), ..Command::default() }, &mut out);
        let told = out.iter().filter_map(|output| match output {
            Output::Reply(frame) => {
                let frame = String::from_utf8_lossy(frame);
                let text = frame.strip_prefix("Content-Type: command/reply\nReply-Text: ").expect("a reply");
                Some(text.trim_end().replace('\n', " / "))
            }
            Output::Api { line, .. } => Some(format!("api {line}")),
            Output::Job { line, .. } => Some(format!("job {line}")),
            Output::AuthFailed { user } => Some(format!("failed {}", user.as_deref().unwrap_or("-"))),
            Output::Stranger => Some("stranger".to_owned()),
            Output::Close(_) => Some("close".to_owned()),
            _ => None,
        });
        told.collect::<Vec<_>>().join(" | ")
    }

    fn hears(&self, event: Event) -> bool {
        self.0.subscription.passes(&event)
    }
}

#[test]
fn who_gets_in_and_who_does_not() {
    for (line, expected) in [
        (
            "userauth root@x.test:root-pw",
            "+OK accepted / Allowed-Events: all / Allowed-API: all / Allowed-LOG: true",
        ),
        (
            "userauth watch:watch-pw@x.test",
            "+OK accepted / Allowed-Events: MESSAGE HEARTBEAT CUSTOM SMS::DELIVERY_REPORT / \
             Allowed-API: status,show / Allowed-LOG: false",
        ),
        ("userauth root@x.test:wrong", "failed root@x.test | -ERR invalid | close"),
        ("userauth root@y.test:root-pw", "failed root@y.test | -ERR invalid | close"),
        ("userauth nobody@x.test:nobody-pw", "failed nobody@x.test | -ERR invalid | close"),
        ("userauth empty@x.test:", "failed empty@x.test | -ERR invalid | close"),
        ("userauth none@x.test:", "failed none@x.test | -ERR invalid | close"),
        ("userauth root:root-pw", "failed root@ | -ERR invalid | close"),
        ("userauth ", "failed @ | -ERR invalid | close"),
        ("userauth root@x.test:ClueCon", "failed root@x.test | -ERR invalid | close"),
        ("auth wrong", "failed - | -ERR invalid | close"),
    ] {
        assert_eq!(Client::new().say(line), expected, "{line}");
    }
}

#[test]
fn what_is_not_allowed_is_denied() {
    let mut client = Client::of("watch");
    const DENIED: &str = "-ERR permission denied";
    for (line, expected) in [
        ("api status", "api status"),
        ("api system id", DENIED),
        ("bgapi system id", DENIED),
        ("api bgapi system id", DENIED),
        ("bgapi show registrations", "+OK Job-UUID: uuid / Job-UUID: uuid | job show registrations"),
        ("log debug", DENIED),
        ("event plain ALL", DENIED),
        ("event plain MESSAGE API", DENIED),
        ("event json MESSAGE CUSTOM SMS::SEND_MESSAGE", DENIED),
        ("event json MESSAGE CUSTOM SMS::DELIVERY_REPORT", "+OK event listener enabled json"),
        ("filter from x", "+OK filter added. [from]=[x]"),
        ("filter delete all", "+OK filter deleted. [all][]"),
    ] {
        assert_eq!(client.say(line), expected, "{line}");
    }
    assert!(client.hears(Event::new(EventName::Message)));
    assert!(client.hears(Event::custom("SMS::DELIVERY_REPORT")));
    assert!(!client.hears(Event::custom("SMS::SEND_MESSAGE")));
    assert!(!client.hears(Event::new(EventName::Api)), "what was denied is not heard in part");
}

#[test]
fn who_may_do_all_is_denied_nothing() {
    let mut client = Client::of("root");
    assert_eq!(client.say("api system id"), "api system id");
    assert_eq!(client.say("log 7"), "+OK log level 7 [7]");
    assert_eq!(client.say("event plain ALL"), "+OK event listener enabled plain");
    assert!(client.hears(Event::custom("any::thing")));
}

#[test]
fn other_protocols_are_not_listened_to() {
    for line in [
        "GET / HTTP/1.1",
        "POST /x HTTP/1.0",
        "post /x http/1.1",
        "PRI * HTTP/2.0",
        "MESSAGE sip:1000@x.test SIP/2.0",
        "OPTIONS * RTSP/1.0",
    ] {
        assert_eq!(Client::new().say(line), "stranger | close", "{line}");
    }
    // Once somebody has said the password, a line is a command like any other.
    assert_eq!(Client::of("root").say("api echo HTTP/1.1"), "api echo HTTP/1.1");
}

#[test]
fn who_guesses_commands_is_shown_out() {
    let mut client = Client::new();
    for _ in 1..10 {
        assert_eq!(client.say("api status"), "-ERR command not found");
    }
    assert_eq!(client.say("api status"), "-ERR command not found | close");
}
