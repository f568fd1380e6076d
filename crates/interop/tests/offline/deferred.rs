//! Messages that are to be delivered later.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chappe_interop::{Agent, Folder, Received, Server};

use crate::{registered, report, reports, server};

/// Sends with the header to a user who is there; how long it took, and what came.
fn sent_later(server: &Server, written: &str) -> (Duration, Received) {
    let mut to = registered(server, "1001");
    let mut reports = reports(server);
    let begun = Instant::now();
    let headers = [
        ("dest_proto", "sip"),
        ("from", "1000@127.0.0.1"),
        ("to", "1001@127.0.0.1"),
        ("type", "text/plain"),
        ("Deferred-Delivery", written),
    ];
    reports.send_message(&headers, b"later");
    assert_eq!(report(&mut reports, "1001").header("Status"), "Accepted");
    let received = to.receive();
    let waited = begun.elapsed();
    assert_eq!(report(&mut reports, "1001").header("Status"), "Success");
    (waited, received)
}

fn is_about_two_seconds(waited: Duration, least: u64) {
    assert!(waited >= Duration::from_millis(least), "after {waited:?}");
    assert!(waited < Duration::from_secs(6), "after {waited:?}");
}

#[test]
fn a_number_is_seconds_from_now() {
    let server = server(Folder::new(), &[]);
    let (waited, received) = sent_later(&server, "2");
    assert_eq!(received.text(), "later");
    is_about_two_seconds(waited, 2000);
}

#[test]
fn a_number_as_large_as_a_time_is_seconds_since_1970() {
    let server = server(Folder::new(), &[]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let (waited, _) = sent_later(&server, &(now.as_secs() + 3).to_string());
    is_about_two_seconds(waited, 2000);
}

#[test]
fn a_date_is_one_of_rfc_3339_or_of_a_mail() {
    let server = server(Folder::new(), &[]);
    for format in ["+%Y-%m-%dT%H:%M:%SZ", "+%a, %d %b %Y %H:%M:%S GMT"] {
        let date = std::process::Command::new("date")
            .args(["-u", "-d", "+3 seconds", format])
            .env("LC_ALL", "C")
            .output()
            .expect("date runs");
        let (waited, _) = sent_later(&server, String::from_utf8_lossy(&date.stdout).trim());
        is_about_two_seconds(waited, 1900);
    }
}

#[test]
fn a_chatplan_decides_when() {
    let folder = Folder::new();
    folder.write(
        "chatplan/default.xml",
        r#"<include>
<context name="default">
  <extension name="later"><condition field="to_user" expression="^1001$">
    <action application="set" data="deliver_at=2"/>
    <action application="send"/>
  </condition></extension>
</context>
</include>
"#,
    );
    let server = server(folder, &[]);
    let mut to = registered(&server, "1001");
    let mut from = Agent::udp(server.sip(), "1000");
    let begun = Instant::now();
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"later"), 202);
    assert!(begun.elapsed() < Duration::from_millis(1500), "the sender waited");
    assert_eq!(to.receive().text(), "later");
    is_about_two_seconds(begun.elapsed(), 2000);
}

/// It is neither forgotten nor delivered early.
#[test]
fn a_restart_does_not_change_when() {
    let server = server(Folder::new(), &[]);
    let mut to = registered(&server, "1001");
    let mut reports = reports(&server);
    let begun = Instant::now();
    let headers = [
        ("dest_proto", "sip"),
        ("from", "1000@127.0.0.1"),
        ("to", "1001@127.0.0.1"),
        ("type", "text/plain"),
        ("Deferred-Delivery", "3"),
    ];
    reports.send_message(&headers, b"later");
    assert_eq!(report(&mut reports, "1001").header("Status"), "Accepted");
    let server = server.start_again();
    assert_eq!(to.register(), 200);
    assert_eq!(to.receive().text(), "later");
    assert!(begun.elapsed() >= Duration::from_secs(3), "after {:?}", begun.elapsed());
    drop(server);
}
