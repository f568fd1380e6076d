//! What is said and what is answered, without a socket.
//!
//! A script's lines: `>` what the client says (further `>` lines are headers of the same command, `>>` its body), `<` the
//! reply's text, `!` what the session asks its owner to do, `*` an event, with its headers, that somebody fires, and `=`
//! whether the client is sent it.

use chappe_event::{Event, EventName, Name};
use chappe_event_socket::command::Command;
use chappe_event_socket::session::{Output, Session};

/// Plays the client's lines of a script and checks everything else.
#[track_caller]
fn check(script: &str) {
    let mut count = 0;
    let new_uuid = move || {
        count += 1;
        format!("uuid-{count}")
    };
    let mut session = Session::new("ClueCon".into(), Box::new(new_uuid));
    let mut seen = Vec::new();
    let lines: Vec<_> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut rest = lines.as_slice();
    while let Some((&line, after)) = rest.split_first() {
        rest = after;
        if line.starts_with('>') {
            let more = rest.iter().take_while(|line| line.starts_with('>')).count();
            seen.push(line.to_owned());
            seen.extend(rest[..more].iter().map(|line| line.to_string()));
            let mut outputs = Vec::new();
            session.handle(&command(line, &rest[..more]), &mut outputs);
            seen.extend(outputs.iter().map(text));
            rest = &rest[more..];
        } else if let Some(event) = line.strip_prefix("* ") {
            seen.push(line.to_owned());
            let sent = session.subscription.passes(&fired(event));
            seen.push(if sent { "= sent" } else { "= not sent" }.to_owned());
        }
    }
    assert_eq!(seen, lines, "\n{}", seen.join("\n"));
}

fn command(line: &str, more: &[&str]) -> Command {
    let mut command = Command { line: line[1..].trim_start().to_owned(), ..Command::default() };
    for line in more {
        match line.strip_prefix(">>") {
            Some(body) => command.body = Some(body.trim_start().as_bytes().to_vec()),
            None => {
                let (name, value) = line[1..].split_once(':').expect("a header");
                command.headers.push((name.trim().to_owned(), value.trim_start().to_owned()));
            }
        }
    }
    command
}

fn fired(text: &str) -> Event {
    let mut words = text.split(' ');
    let name = words.next().and_then(EventName::parse).expect("an event's name");
    let mut event = Event::new(name);
    event.add("Event-Name", name.as_str());
    for word in words {
        let (header, value) = word.split_once('=').expect("header=value");
        event.add(Name::copied(header), value);
    }
    event
}

fn text(output: &Output) -> String {
    match output {
        Output::Reply(frame) => {
            let frame = String::from_utf8_lossy(frame);
            let reply = frame.strip_prefix("Content-Type: command/reply\nReply-Text: ").expect("a reply");
            let reply = reply.strip_suffix("\n\n").expect("a blank line at the end");
            format!("< {}", reply.replace('\n', " / "))
        }
        Output::Close(frame) => {
            let frame = String::from_utf8_lossy(frame);
            assert!(frame.starts_with("Content-Type: text/disconnect-notice\nContent-Length: "), "{frame}");
            "! close".to_owned()
        }
        Output::Api { line, console: false } => format!("! api {line}"),
        Output::Api { line, console: true } => format!("! console {line}"),
        Output::Job { job, line } => format!("! job {job}: {line}"),
        Output::Fire(event) => {
            let headers: Vec<_> =
                event.headers().map(|(name, value)| format!("{name}={}", value.as_str())).collect();
            let body = event.body().map(|_| format!(" body={}", event.body_text())).unwrap_or_default();
            format!("! fire {} {}{body}", event.name(), headers.join(" "))
        }
        Output::Authenticated => "! authenticated".to_owned(),
        Output::AuthFailed { user: None } => "! authentication failed".to_owned(),
        Output::AuthFailed { user: Some(user) } => format!("! authentication of {user} failed"),
        Output::Stranger => "! stranger".to_owned(),
        Output::Subscribed => "! subscribed".to_owned(),
        Output::Log(level) => format!("! log {}", level.map_or("nothing", |level| level.as_str())),
        Output::FlushEvents => "! flush events".to_owned(),
        Output::FlushLogs => "! flush logs".to_owned(),
    }
}

/// A script that starts with the password said.
#[track_caller]
fn check_authenticated(script: &str) {
    check(&format!("> auth ClueCon\n! authenticated\n< +OK accepted\n{script}"));
}

#[test]
fn nothing_works_before_the_password() {
    check(
        "> api status
         < -ERR command not found
         > event plain ALL
         < -ERR command not found
         * MESSAGE
         = not sent
         > sendevent CUSTOM
         < -ERR command not found
         > AUTH ClueCon
         ! authenticated
         < +OK accepted
         > api status
         ! api status",
    );
}

#[test]
fn a_wrong_password_ends_the_connection() {
    for wrong in ["auth", "authClueCon"] {
        check(&format!("> {wrong}\n< -ERR command not found"));
    }
    for wrong in ["auth cluecon", "auth ClueCo", "auth ClueConn", "auth ClueCon x"] {
        check(&format!("> {wrong}\n! authentication failed\n< -ERR invalid\n! close"));
    }
}

#[test]
fn exit() {
    check("> exit\n< +OK bye\n! close");
    check_authenticated("> EXIT\n< +OK bye\n! close");
    check_authenticated("> ...\n< +OK bye\n! close");
}

#[test]
fn unknown_commands() {
    for unknown in ["nope", "api", "bgapi", "filter", "žluť", "\0"] {
        check_authenticated(&format!("> {unknown}\n< -ERR command not found"));
    }
}

#[test]
fn api() {
    check_authenticated(
        "> api status
         ! api status
         > API sofia status profile internal
         ! api sofia status profile internal
         > api help
         > console_execute: true
         ! console help
         > api help
         > Console_Execute: false
         ! api help",
    );
}

#[test]
fn bgapi() {
    check_authenticated(
        "> bgapi status
         < +OK Job-UUID: uuid-1 / Job-UUID: uuid-1
         ! job uuid-1: status
         > bgapi chat sip|a|b|c
         > job-uuid: mine
         < +OK Job-UUID: mine / Job-UUID: mine
         ! job mine: chat sip|a|b|c",
    );
}

#[test]
fn events_of_some_kinds() {
    check_authenticated(
        "* MESSAGE
         = not sent
         > event plain MESSAGE RECV_MESSAGE
         ! subscribed
         < +OK event listener enabled plain
         * MESSAGE
         = sent
         * HEARTBEAT
         = not sent
         > events json heartbeat
         ! subscribed
         < +OK event listener enabled json
         * HEARTBEAT
         = sent
         * MESSAGE
         = sent
         > event  XML  SWITCH_EVENT_API
         ! subscribed
         < +OK event listener enabled xml
         * API
         = sent",
    );
}

#[test]
fn names_nobody_knows() {
    check_authenticated(
        "> event plain
         < -ERR no keywords supplied
         > event
         < -ERR no keywords supplied
         > event plain NOPE
         < -ERR no keywords supplied
         > nixevent NOPE
         < -ERR no keywords supplied
         > event plain NOPE MESSAGE
         ! subscribed
         < +OK event listener enabled plain
         * MESSAGE
         = sent",
    );
}

#[test]
fn custom_subclasses() {
    check_authenticated(
        "> event plain MESSAGE CUSTOM SMS::SEND_MESSAGE sofia::register
         ! subscribed
         < +OK event listener enabled plain
         * MESSAGE
         = sent
         * CUSTOM Event-Subclass=SMS::SEND_MESSAGE
         = sent
         * CUSTOM Event-Subclass=sofia::register
         = sent
         * CUSTOM Event-Subclass=sofia::unregister
         = not sent
         > event plain CUSTOM sofia::unregister
         ! subscribed
         < +OK event listener enabled plain
         * CUSTOM Event-Subclass=sofia::unregister
         = sent
         > nixevent CUSTOM sofia::register
         ! subscribed
         < +OK events nixed
         * CUSTOM Event-Subclass=sofia::register
         = not sent
         * CUSTOM Event-Subclass=SMS::SEND_MESSAGE
         = sent",
    );
}

#[test]
fn all_events() {
    check_authenticated(
        "> events plain ALL
         ! subscribed
         < +OK event listener enabled plain
         * MESSAGE
         = sent
         * CUSTOM Event-Subclass=a::b
         = sent
         > nixevent HEARTBEAT
         ! subscribed
         < +OK events nixed
         * HEARTBEAT
         = not sent
         * MESSAGE
         = sent
         * CUSTOM Event-Subclass=a::b
         = sent
         > nixevent CUSTOM a::b
         ! subscribed
         < +OK events nixed
         * CUSTOM Event-Subclass=a::b
         = not sent
         * CUSTOM Event-Subclass=a::c
         = sent
         > nixevent ALL
         ! subscribed
         < +OK events nixed
         * MESSAGE
         = not sent",
    );
}

#[test]
fn noevents() {
    check_authenticated(
        "> noevents
         ! flush events
         < -ERR not listening for events
         > event json ALL
         ! subscribed
         < +OK event listener enabled json
         > noevents
         ! flush events
         ! subscribed
         < +OK no longer listening for events
         * MESSAGE
         = not sent
         > event MESSAGE
         ! subscribed
         < +OK event listener enabled json
         * HEARTBEAT
         = not sent",
    );
}

#[test]
fn filters_add_up() {
    check_authenticated(
        "> event plain ALL
         ! subscribed
         < +OK event listener enabled plain
         > filter from_user 1004
         ! subscribed
         < +OK filter added. [from_user]=[1004]
         > filter add to_user 1009
         ! subscribed
         < +OK filter added. [to_user]=[1009]
         * MESSAGE from_user=1004
         = sent
         * MESSAGE to_user=1009
         = sent
         * MESSAGE from_user=1005 to_user=1006
         = not sent
         * HEARTBEAT
         = not sent
         > filter delete from_user 1005
         ! subscribed
         < +OK filter deleted. [from_user][1005]
         * MESSAGE from_user=1004
         = sent
         > filter delete FROM_USER
         ! subscribed
         < +OK filter deleted. [FROM_USER][]
         * MESSAGE from_user=1004
         = not sent
         > filter delete all
         ! subscribed
         < +OK filter deleted. [all][]
         * MESSAGE from_user=1005
         = sent
         > filter from_user
         ! subscribed
         < -ERR invalid syntax
         > filter add from_user
         ! subscribed
         < -ERR invalid syntax",
    );
}

#[test]
fn filters_with_expressions_and_exclusions() {
    check_authenticated(
        "> event plain ALL
         ! subscribed
         < +OK event listener enabled plain
         > filter from_user /^10\\d\\d$/
         ! subscribed
         < +OK filter added. [from_user]=[/^10\\d\\d$/]
         > filter type -text/html
         ! subscribed
         < +OK filter added. [type]=[-text/html]
         > filter to_user /(/
         ! subscribed
         < +OK filter added. [to_user]=[/(/]
         * MESSAGE from_user=1004
         = sent
         * MESSAGE from_user=2004 to_user=(
         = not sent
         * MESSAGE from_user=1004 type=TEXT/HTML
         = not sent",
    );
}

#[test]
fn sendevent() {
    check_authenticated(
        "> sendevent CUSTOM
         > Event-Subclass: SMS::SEND_MESSAGE
         > dest_proto: sip
         > to: a%20b@c
         > Content-Length: 2
         >> hi
         < +OK uuid-1
         ! fire CUSTOM Event-Subclass=SMS::SEND_MESSAGE Command=sendevent CUSTOM dest_proto=sip to=a%20b@c Content-Length=2 Event-UUID=uuid-1 body=hi
         > sendevent NOTIFY
         > Event-Name: NOTIFY
         > x: 1
         > x: 2
         > _body: text
         < +OK uuid-2
         ! fire NOTIFY Command=sendevent NOTIFY Event-Name=NOTIFY x=1 x=2 Event-UUID=uuid-2 body=text
         > sendevent MESSAGE
         > Event-Name: MESSAGE
         > Event-Name: MESSAGE
         < +OK uuid-3
         ! fire MESSAGE Command=sendevent MESSAGE Event-Name=MESSAGE Event-Name=MESSAGE Event-UUID=uuid-3",
    );
}

#[test]
fn sendmsg_finds_no_call() {
    check_authenticated(
        "> sendmsg
         < -ERR invalid session id []
         > sendmsg abc
         > call-command: hangup
         < -ERR invalid session id [abc]
         > sendmsg
         > session-id: def
         < -ERR invalid session id [def]",
    );
}

#[test]
fn log() {
    check_authenticated(
        "> nolog
         ! flush logs
         < -ERR not loging
         > log 7
         ! log DEBUG
         < +OK log level 7 [7]
         > log DEBUG
         ! log DEBUG
         < +OK log level DEBUG [7]
         > log
         ! log DEBUG
         < +OK log level  [7]
         > log info
         ! log INFO
         < +OK log level info [6]
         > log nope
         < -ERR invalid log level
         > nolog
         ! flush logs
         ! log nothing
         < +OK no longer logging",
    );
}

#[test]
fn what_is_about_calls() {
    check_authenticated(
        "> linger
         < -ERR not controlling a session
         > nolinger
         < -ERR not controlling a session
         > divert_events on
         < -ERR not controlling a session.
         > myevents 2ab3eebb-da2a-4a86-9170-19141fe3e815
         < -ERR invalid uuid",
    );
}
