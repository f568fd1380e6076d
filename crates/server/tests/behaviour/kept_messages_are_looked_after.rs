//! What operators see of messages that wait, and do with them: the API command `message` and its kin.

use crate::harness::{Folder, MAIN, Running, text};

/// A server that keeps messages in `store`.
fn server(store: &str) -> (Folder, Running) {
    let folder = Folder::new();
    let sms = format!(
        "<configuration name=\"sms.conf\"><settings><param name=\"store\" value=\"{store}\"/></settings></configuration>"
    );
    folder.write("freeswitch.xml", &MAIN.replacen("</section>", &format!("{sms}</section>"), 1));
    let server = Running::folder(&folder);
    (folder, server)
}

/// Sends to 1001, who has no device, and gives the ids of all that are kept, in their order.
fn keep(server: &Running, texts: &[&str]) -> Vec<String> {
    for one in texts {
        let said = text(&server.send(&["--to", "1001", one]));
        assert!(said.contains("202"), "{said}");
    }
    let list = server.api("message list");
    let rows = list.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|row| row.split(',').next().unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn check(server: &Running, cases: &[(&str, &str)]) {
    for (command, answer) in cases {
        assert_eq!(server.api(command), *answer, "{command}");
    }
}

/// Asks until the answer has `part` in it.
#[track_caller]
fn until(server: &Running, command: &str, part: &str) -> String {
    let mut answer = String::new();
    for _ in 0..100 {
        answer = server.api(command);
        if answer.contains(part) {
            return answer;
        }
    }
    panic!("no {part} in {answer}");
}

#[test]
fn a_message_that_waits_is_shown() {
    let (_folder, server) = server("memory");
    let ids = keep(&server, &["a secret"]);
    let [id] = ids.as_slice() else { panic!("{ids:?}") };
    assert_eq!(id.len(), 32, "{id}");
    check(&server, &[("message waiting 1001@chat.test", "1"), ("message waiting 1000@chat.test", "0")]);
    let story = server.api(&format!("message show {id}"));
    for line in [
        format!("Message    {id}\n"),
        "State      waiting\n".to_owned(),
        "From       1000@chat.test\n".to_owned(),
        "To         1001@chat.test\n".to_owned(),
        "8 bytes, shown to nobody\n".to_owned(),
        "Attempts   0\n".to_owned(),
        "as soon as a device of 1001@chat.test registers".to_owned(),
    ] {
        assert!(story.contains(&line), "no {line} in {story}");
    }
    assert!(!story.contains("secret"), "{story}");
    let status = server.api("status");
    let lines: Vec<&str> = status.lines().collect();
    assert!(lines[6].starts_with("min idle cpu 0.00/"), "{status}");
    assert_eq!(
        lines[7],
        "message(s) kept: 1 waiting, 0 accepted, 0 delivered, 0 refused, 0 expired, 0 cancelled, 0 done"
    );
    let status = server.api("message status");
    assert!(status.contains("\ntrouble    none\naccepted   0\nwaiting    1\n"), "{status}");
}

#[test]
fn messages_are_listed_a_page_at_a_time() {
    let (_folder, server) = server("memory");
    let ids = keep(&server, &["one", "two", "three"]);
    assert_eq!(ids.len(), 3);
    let page = server.api("message list 1001@chat.test waiting limit 2");
    assert!(page.starts_with("id,from,to,state,accepted,expires,attempts,last_code\n"), "{page}");
    assert!(page.contains(&ids[1]) && !page.contains(&ids[2]), "{page}");
    let next = page.lines().last().and_then(|line| line.strip_prefix("There are more: ")).expect("a hint");
    let rest = server.api(next);
    assert!(rest.contains(&format!("\n{},1000@chat.test,1001@chat.test,waiting,", ids[2])), "{rest}");
    assert!(rest.ends_with("\n\n1 total.\n"), "{rest}");
    check(
        &server,
        &[("message list 1000@chat.test", "\n0 total.\n"), ("show messages delivered", "\n0 total.\n")],
    );
    let json: serde_json::Value = serde_json::from_str(&server.api("show messages as json")).expect("JSON");
    assert_eq!((&json["row_count"], &json["rows"][2]["id"]), (&3.into(), &ids[2].as_str().into()), "{json}");
    assert!(server.api("show messages as xml").contains(&format!("<id>{}</id>", ids[0])));
    assert!(
        server.api("show messages waiting as delim |").contains(&format!("\n{}|1000@chat.test|", ids[0]))
    );
    check(&server, &[("show messages as yaml", "-ERR Cannot find format yaml\n")]);
    assert!(server.api("show messages sleeping").starts_with("-USAGE: "));
}

#[test]
fn messages_are_taken_back() {
    let (_folder, server) = server("memory");
    let ids = keep(&server, &["one", "two", "three"]);
    let cancel = format!("message cancel {}", ids[0]);
    check(
        &server,
        &[
            (&cancel, "+OK Cancelled: 1\n"),
            (&cancel, &format!("-ERR message {} is cancelled already\n", ids[0])),
            ("message waiting 1001@chat.test", "2"),
            ("message cancel 1001@chat.test", "+OK Cancelled: 2\n"),
            ("message cancel 1001@chat.test", "+OK Cancelled: 0\n"),
            ("message waiting 1001@chat.test", "0"),
            ("message cancel 0af", "-ERR there is no message 0af\n"),
        ],
    );
    let story = server.api(&format!("message show {}", ids[1]));
    assert!(story.contains("an operator took it back"), "{story}");
}

#[test]
fn messages_are_tried_again_and_forgotten() {
    let (_folder, server) = server("memory");
    let ids = keep(&server, &["one"]);
    let retry = format!("message retry {}", ids[0]);
    let tried =
        format!("+OK message {} is tried now, in its turn among what waits for 1001@chat.test\n", ids[0]);
    check(
        &server,
        &[
            (&retry, &tried),
            ("message retry 1001@chat.test", "+OK Tried: 1\n"),
            ("message retry 1000@chat.test", "+OK Tried: 0\n"),
            ("message retry 0af", "-ERR there is no message 0af\n"),
        ],
    );
    let got = text(&server.send(&["--from", "1001", "--wait", "2"]));
    assert!(got.contains("one"), "{got}");
    let story = until(&server, &format!("message show {}", ids[0]), "State      delivered\n");
    assert!(story.contains("Attempts   1\n") && story.contains("  200 OK  sip:1001@127.0.0.1:"), "{story}");
    check(
        &server,
        &[
            (&retry, &format!("-ERR message {} is delivered already\n", ids[0])),
            ("message purge 3600", "+OK Forgotten: 0\n"),
            ("message purge", "+OK Forgotten: 1\n"),
            ("message list", "\n0 total.\n"),
            (&format!("message show {}", ids[0]), &format!("-ERR there is no message {}\n", ids[0])),
        ],
    );
}

#[test]
fn where_nothing_is_kept_commands_say_so() {
    let (_folder, server) = server("none");
    let nowhere = "-ERR messages are not kept: store is none in sms.conf\n";
    let commands = ["message list", "message status", "message waiting 1001@chat.test", "show messages"];
    check(&server, &commands.map(|command| (command, nowhere)));
    assert!(server.api("status").ends_with("\nmessages are not kept: store is none in sms.conf\n"));
}

#[test]
fn wrong_words_and_completion() {
    let (_folder, server) = server("memory");
    check(
        &server,
        &[
            ("message show", "-ERR a message's id is missing. USAGE: message show <id>\n"),
            (
                "message purge soon",
                "-ERR `soon` is not a number of seconds. USAGE: message purge [<seconds>]\n",
            ),
            ("console_complete message wa", "\n\n[             waiting]\t\n\nwrite=2:waiting "),
            ("console_complete message list exp", "\n\n[             expired]\t\n\nwrite=3:expired "),
        ],
    );
    assert!(server.api("message").starts_with("-USAGE: show <id>|list "));
    assert!(
        server.api("message frob").starts_with("-ERR there is no `message frob`. USAGE: message show <id>|")
    );
}
