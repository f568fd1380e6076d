//! `reloadxml` and SIGHUP: a good configuration takes over without touching the sockets, a broken one changes nothing.

use crate::harness::{Folder, MAIN, Running, text};

fn answer(server: &Running) -> String {
    text(&server.send(&["--to", "echo", "--wait", "5", "x"]))
}

#[test]
fn a_broken_file_leaves_what_runs() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    assert_eq!(answer(&server), "200 OK\necho: first\n");

    folder.write("chatplan.xml", "<include>\n<context name=\"default\">\n</extension>\n</include>\n");
    let said = server.api("reloadxml");
    assert!(said.starts_with("-ERR "), "{said}");
    assert!(said.contains("chatplan.xml:3"), "{said}");
    assert_eq!(answer(&server), "200 OK\necho: first\n");

    folder.answer("second");
    assert_eq!(server.api("reloadxml"), "+OK [Success]\n");
    assert_eq!(answer(&server), "200 OK\necho: second\n");
}

#[test]
fn nothing_of_a_wrong_configuration_is_applied() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    folder.answer("second");
    folder.write(
        "freeswitch.xml",
        &MAIN.replace(r#"name="sip-port" value="0""#, r#"name="sip-port" value="x""#),
    );
    assert!(server.api("reloadxml").starts_with("-ERR "));
    assert_eq!(answer(&server), "200 OK\necho: first\n");
}

#[test]
fn a_changed_chatplan_touches_no_socket() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    let registered = server.send(&["--wait", "0"]);
    assert!(registered.status.success());
    let before = server.api("sofia status");
    folder.answer("second");
    assert_eq!(server.api("reloadxml"), "+OK [Success]\n");
    assert_eq!(server.api("sofia status"), before);
    assert_eq!(answer(&server), "200 OK\necho: second\n");
}

#[test]
fn a_hangup_reloads() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    folder.answer("second");
    server.signal("HUP");
    let reloaded = (0..200).any(|_| answer(&server) == "200 OK\necho: second\n");
    assert!(reloaded);
}
