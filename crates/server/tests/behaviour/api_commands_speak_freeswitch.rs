//! API commands whose output others read.

use crate::harness::{Folder, MAIN, Running, text};

#[test]
fn the_directory() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    for (command, answer) in [
        ("user_exists id 1000 chat.test", "true"),
        ("user_exists id 1009 chat.test", "false"),
        ("user_exists number-alias 1000 chat.test", "false"),
        ("user_exists id", "false"),
        ("user_data 1000@chat.test var user_context", "default"),
        ("user_data 1000@chat.test attr id", "1000"),
        ("user_data 1000@chat.test param password", "secret"),
        ("user_data 1009@chat.test var user_context", "-ERR no reply\n"),
        ("domain_exists chat.test", "true"),
        ("domain_exists other.test", "false"),
        (
            "list_users user 1001",
            "userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number\n\
             1001|default|chat.test||error/user_not_registered|||\n\n+OK\n",
        ),
    ] {
        assert_eq!(server.api(command), answer, "{command}");
    }
}

#[test]
fn the_server() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    let status = server.api("status");
    assert!(status.starts_with("UP 0 years, 0 days, 0 hours, "), "{status}");
    assert!(status.contains(") is ready\n"), "{status}");
    for (command, answer) in [
        ("fsctl loglevel", "+OK log level: DEBUG [7]\n"),
        ("fsctl loglevel notice", "+OK log level: NOTICE [5]\n"),
        ("fsctl loglevel nonsense", "-ERR syntax error, log level not set!\n"),
        ("fsctl ready_check", "true"),
        ("fsctl shutdown_check", "false"),
        ("show registrations", "\n0 total.\n"),
        ("show channels count", "\n0 total.\n"),
        (
            "show chat as json",
            r#"{"row_count":2,"rows":[{"type":"chat","name":"GLOBAL_SMS","ikey":"mod_sms"},{"type":"chat","name":"sip","ikey":"mod_sofia"}]}"#,
        ),
        ("show chat as yaml", "-ERR Cannot find format yaml\n"),
        ("msleep 1", "+OK"),
        ("log info hello", "+OK\n"),
        ("acl 127.0.0.1 loopback.auto", "true"),
        ("acl 192.0.2.1 loopback.auto", "false"),
        ("system echo hello", "-ERR system is switched off: set allow-system in sms.conf\n"),
        ("reloadacl", "+OK acl reloaded\n"),
        ("console_complete c=3;fscxx", "\n\n[               fsctl]\t\n\nwrite=3:fsctl "),
        ("console_complete reload mod_so", "\n\n[           mod_sofia]\t\n\nwrite=6:mod_sofia "),
        ("console_complete fsctl log", "\n\n[            loglevel]\t\n\nwrite=3:loglevel "),
    ] {
        assert_eq!(server.api(command), answer, "{command}");
    }
    assert!(server.api("show interfaces").contains("chat_application,reply,mod_sms\n"));
}

/// The app, the API command and the API command in a chatplan: off as shipped, on with `allow-system`.
#[test]
fn commands_of_the_machine_have_to_be_allowed() {
    for (allowed, api, reply) in [
        (
            false,
            "-ERR system is switched off: set allow-system in sms.conf\n",
            "[-ERR system is switched off",
        ),
        (true, "hi", "[hi]"),
    ] {
        let folder = Folder::new();
        folder.answer("[${system(printf hi)}]");
        let touched = folder.path().join("touched");
        let chatplan = std::fs::read_to_string(folder.path().join("chatplan.xml")).expect("readable");
        let action = format!("<action application=\"system\" data=\"touch {}\"/>", touched.display());
        folder.write("chatplan.xml", &chatplan.replace("</condition>", &format!("{action}</condition>")));
        if allowed {
            let sms = "<configuration name=\"sms.conf\"><settings>\
                       <param name=\"allow-system\" value=\"true\"/></settings></configuration>";
            folder.write("freeswitch.xml", &MAIN.replacen("</section>", &format!("{sms}</section>"), 1));
        }
        let server = Running::folder(&folder);
        assert_eq!(server.api("system printf hi"), api);
        let said = text(&server.send(&["--to", "echo", "--wait", "5", "hello"]));
        assert!(said.contains(&format!("echo: {reply}")), "{said}");
        assert_eq!(touched.exists(), allowed);
    }
}
