//! mod_hash, mod_db and the app `limit` in a running server.

use crate::harness::{Folder, MAIN, Running, text};

/// A folder whose server loads the modules too, and whose chatplan runs these actions before it answers.
fn folder(actions: &str) -> Folder {
    let folder = Folder::new();
    let modules =
        "<load module=\"mod_dptools\"/><load module=\"mod_hash\"/><load module=\"mod_db\"/></modules>";
    folder.write("freeswitch.xml", &MAIN.replacen("</modules>", modules, 1));
    folder.answer("here");
    let chatplan = std::fs::read_to_string(folder.path().join("chatplan.xml")).expect("readable");
    folder.write("chatplan.xml", &chatplan.replacen("<action", &format!("{actions}<action"), 1));
    folder
}

#[test]
fn a_message_over_the_limit_is_refused() {
    let folder = folder(
        "<action application=\"limit\" data=\"hash inbound ${from_user} 2/3600\"/>\
         <action application=\"db\" data=\"insert/last/${from_user}/${_body}\"/>",
    );
    let server = Running::folder(&folder);
    for body in ["one", "two"] {
        let said = text(&server.send(&["--to", "echo", "--wait", "5", body]));
        assert!(said.contains("echo: here"), "{said}");
    }
    let said = text(&server.send(&["--to", "echo", "three"]));
    assert!(said.contains("503"), "{said}");
    for (command, answer) in [
        ("db select/last/1000", "two"),
        ("limit_usage hash inbound 1000 rate", "0/3"),
        ("hash insert/r/k/v", "+OK\n"),
        ("show limits", "type,name,ikey\nlimit,db,mod_db\nlimit,hash,mod_hash\n\n2 total.\n"),
        ("limit_interval_reset hash inbound 1000", "+OK"),
        ("unload mod_hash", "+OK\n"),
        ("hash select/r/k", "-ERR hash Command not found!\n"),
        ("load mod_hash", "+OK Reloading XML\n+OK\n"),
        ("hash_dump all", "-ERR no reply\n"),
    ] {
        assert_eq!(server.api(command), answer, "{command}");
    }
    assert!(folder.path().join("db/call_limit.db").is_file());
}

#[test]
fn a_broken_database_stops_its_module_alone() {
    let folder = folder("");
    std::fs::create_dir(folder.path().join("db")).expect("a folder");
    let file = folder.write("db/call_limit.db", &"this is no database".repeat(100));
    let server = Running::folder(&folder);
    assert_eq!(server.api("hash insert/r/k/v"), "+OK\n");
    assert_eq!(server.api("db select/r/k"), "-ERR db Command not found!\n");
    let said = server.api("load mod_db");
    assert!(said.contains("call_limit.db: file is not a database"), "{said}");
    std::fs::remove_file(file).expect("removable");
    server.api("load mod_db");
    assert_eq!(server.api("db insert/r/k/v"), "+OK");
}
