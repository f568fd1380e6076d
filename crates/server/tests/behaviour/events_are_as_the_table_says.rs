//! Each kind of event is made to happen in a running server, and has the headers that the reference page says.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chappe_event_socket::client::Client;

use crate::harness::{Folder, MAIN, Running, chappe};

/// Kinds that are not seen here, and where they are tested instead.
const ELSEWHERE: [&str; 11] = [
    // before anybody can listen
    "STARTUP",
    // crates/event-socket, tests/connections.rs
    "CUSTOM event_socket::missed",
    // crates/tables, tests/apps.rs
    "CUSTOM limit::usage",
    // crates/chat, tests/queue/trouble.rs
    "CUSTOM SMS::STORE",
    // crates/sip-endpoint, tests/limits_by_sender.rs
    "CUSTOM sofia::ban",
    // crates/sip-endpoint, tests/registration.rs
    "CUSTOM sofia::expire",
    // crates/sip-endpoint, tests/pings.rs
    "CUSTOM sofia::sip_user_state",
    // crates/sip-endpoint, tests/gateways.rs and tests/gateway_messages.rs
    "CUSTOM sofia::gateway_add",
    "CUSTOM sofia::gateway_del",
    "CUSTOM sofia::gateway_invalid_digest_req",
    "CUSTOM sofia::gateway_state",
];

/// `NAME [SUBCLASS]` and the headers of each kind of event that the page says the server fires.
fn table() -> BTreeMap<String, Vec<String>> {
    let output = chappe().args(["reference", "events"]).output().expect("runs");
    let page = String::from_utf8(output.stdout).expect("text");
    let fired = page.split("## Events that ask").next().expect("the first part");
    let rows = fired.lines().filter(|line| line.starts_with("| `"));
    let kinds = rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let headers = cells[2].split(", ").filter(|header| !header.is_empty()).map(str::to_owned);
        (cells[0].replace('`', ""), headers.collect())
    });
    kinds.collect()
}

/// A configuration in which everything that is announced is.
fn folder() -> Folder {
    let folder = Folder::new();
    let main = MAIN
        .replace(
            r#"<configuration name="event_socket.conf">"#,
            r#"<configuration name="switch.conf"><settings><param name="event-heartbeat-interval" value="1"/></settings></configuration><configuration name="event_socket.conf">"#,
        )
        .replace(
            r#"<param name="context" value="default"/>"#,
            r#"<param name="context" value="default"/><param name="fire-message-events" value="true"/>"#,
        );
    folder.write("freeswitch.xml", &main);
    folder
}

/// Listens until each of `wanted` came once; what came of each kind.
async fn listen(client: &mut Client, wanted: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut seen = BTreeMap::new();
    let until = Instant::now() + Duration::from_secs(20);
    while !wanted.iter().all(|kind| seen.contains_key(*kind)) {
        let left = until.saturating_duration_since(Instant::now());
        let frame = client.next_within(left).await.expect("connected");
        let Some(frame) = frame else { panic!("of {wanted:?} came {:?}", seen.keys()) };
        let (headers, _) = frame.plain_event();
        let value =
            |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let kind = match (value("Event-Name"), value("Event-Subclass")) {
            (Some(name), Some(subclass)) => format!("{name} {subclass}"),
            (Some(name), None) => name.to_owned(),
            _ => continue,
        };
        seen.entry(kind).or_insert_with(|| headers.into_iter().map(|(name, _)| name).collect());
    }
    seen
}

#[tokio::test]
async fn each_kind_has_its_headers() {
    let table = table();
    let folder = folder();
    let server = Running::folder(&folder);
    let address = server.line("event socket").rsplit(' ').next().expect("an address").to_owned();
    let mut client = Client::connect(&address, "ClueCon").await.expect("let in");
    client.command("event plain ALL").await.expect("subscribed");

    assert!(server.send(&["--to", "echo", "--wait", "1", "hi"]).status.success());
    assert!(server.send(&["--to", "1001", "hi"]).status.success());
    let mut wrong = chappe();
    wrong.args(["send", "--server", &server.sip(), "--password", "wrong", "--to", "echo", "hi"]);
    assert!(!wrong.output().expect("runs").status.success());
    client.api("bgapi status").await.expect("an answer");
    client.api("sched_api +1000 some status").await.expect("an answer");
    client.api("sched_del some").await.expect("an answer");
    client.api("sched_api @1 other echo").await.expect("an answer");
    client.api("load mod_dptools").await.expect("an answer");
    client.api("unload mod_dptools").await.expect("an answer");
    assert_eq!(client.api("reloadxml").await.expect("an answer"), "+OK [Success]\n");
    server.signal("HUP");
    let last = "SHUTDOWN";
    let wanted: Vec<&str> =
        table.keys().map(String::as_str).filter(|kind| !ELSEWHERE.contains(kind)).collect();
    let before: Vec<&str> = wanted.iter().copied().filter(|kind| *kind != last).collect();
    let mut seen = listen(&mut client, &before).await;
    server.signal("TERM");
    seen.extend(listen(&mut client, &[last]).await);

    for (kind, headers) in table.iter().filter(|(kind, _)| wanted.contains(&kind.as_str())) {
        for header in headers {
            assert!(seen[kind].contains(header), "{kind} has no {header}: {:?}", seen[kind]);
        }
    }
    for kind in seen.keys() {
        assert!(table.contains_key(kind), "{kind} is not in the table");
    }
}
