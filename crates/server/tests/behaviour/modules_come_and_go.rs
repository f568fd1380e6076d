//! `load`, `unload` and `reload`, in FreeSWITCH's words.

use crate::harness::{Folder, Running, text};

#[test]
fn what_is_not_there() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    for (command, answer) in [
        ("load mod_nope", "+OK Reloading XML\n-ERR [module load file routine returned an error]\n"),
        ("load mod_sms", "+OK Reloading XML\n-ERR [Module already loaded]\n"),
        ("unload mod_nope", "-ERR [No such module!]\n"),
        ("unload mod_logfile", "-ERR [No such module!]\n"),
        ("unload mod_commands", "-ERR [Module is not unloadable]\n"),
        ("load", "-USAGE: <mod_name>\n"),
        ("unload", "-USAGE: [-f] <mod_name>\n"),
        ("module_exists mod_sms", "true"),
        ("module_exists mod_logfile", "false"),
    ] {
        assert_eq!(server.api(command), answer, "{command}");
    }
}

#[test]
fn without_mod_sms_there_is_no_chatplan() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    assert_eq!(server.api("unload mod_sms"), "+OK\n");
    assert_eq!(server.api("module_exists mod_sms"), "false");
    assert!(!server.api("show chat").contains("GLOBAL_SMS"));
    let sent = text(&server.send(&["--to", "echo", "--wait", "0.3", "x"]));
    assert!(!sent.contains("echo: "), "{sent}");
    assert_eq!(server.api("load mod_sms"), "+OK Reloading XML\n+OK\n");
    assert_eq!(text(&server.send(&["--to", "echo", "--wait", "5", "x"])), "200 OK\necho: first\n");
}

#[test]
fn without_mod_sofia_there_is_no_sip() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    assert_eq!(server.api("unload mod_sofia"), "+OK\n");
    assert_eq!(server.api("sofia status"), "-ERR sofia Command not found!\n");
    assert!(!server.send(&["x"]).status.success());
    assert_eq!(server.api("load mod_sofia"), "+OK Reloading XML\n+OK\n");
    assert!(server.api("sofia status").contains("RUNNING"));
}

#[test]
fn a_reload_is_both() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    assert_eq!(server.api("reload mod_sms"), "+OK Reloading XML\n+OK module unloaded\n+OK module loaded\n");
    assert_eq!(
        server.api("reload mod_nope"),
        "+OK Reloading XML\n-ERR unloading module [No such module!]\n\
         -ERR loading module [module load file routine returned an error]\n"
    );
}
