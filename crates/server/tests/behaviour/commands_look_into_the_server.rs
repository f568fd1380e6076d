//! API commands that tell what the server has: its configuration, its machine, what consoles were told.

use crate::harness::{Folder, MAIN, Running, text};

#[track_caller]
fn check(server: &Running, cases: &[(&str, &str)]) {
    for (command, answer) in cases {
        assert_eq!(server.api(command), *answer, "{command}");
    }
}

#[test]
fn the_configuration_as_it_is_written() {
    let folder = Folder::new();
    let main = MAIN.replace("name=\"chat.test\">", "name=\"chat.test\" note=\"é\">");
    folder.write("freeswitch.xml", &main.replace("<user id=\"1001\">", "<user id=\"1001\" badge=\"7\">"));
    let server = Running::folder(&folder);
    let user = "<user id=\"1000\" domain-name=\"chat.test\">\n  <variables>\n    \
                <variable name=\"user_context\" value=\"default\"></variable>\n  </variables>\n  <params>\n    \
                <param name=\"password\" value=\"secret\"></param>\n  </params>\n  \
                <profile-variables></profile-variables>\n</user>\n";
    check(
        &server,
        &[
            ("find_user_xml id 1000 chat.test", user),
            ("find_user_xml id 1009 chat.test", "-ERR can't find user\n"),
            ("find_user_xml id", "-ERR bad args\n"),
            ("user_data 1001@chat.test attr badge", "7"),
            ("user_data 1001@chat.test attr domain-name", "chat.test"),
            ("user_data 1001@chat.test attr nosuch", "-ERR no reply\n"),
            ("user_exists badge 7 chat.test", "true"),
            ("user_exists badge 8 chat.test", "false"),
            ("user_exists number-alias:id 1001 chat.test", "true"),
            ("domain_data chat.test param password", "secret"),
            ("domain_data chat.test attr note", "é"),
            ("domain_data chat.test var password", "-ERR no reply\n"),
            ("domain_data other.test attr name", "-ERR no reply\n"),
            ("domain_data chat.test", "-ERR no reply\n"),
            (
                "xml_locate configuration configuration name event_socket.conf",
                "<configuration name=\"event_socket.conf\">\n  <settings>\n    \
                 <param name=\"listen-ip\" value=\"127.0.0.1\"></param>\n    \
                 <param name=\"listen-port\" value=\"0\"></param>\n    \
                 <param name=\"password\" value=\"ClueCon\"></param>\n  </settings>\n</configuration>\n",
            ),
            ("xml_locate configuration configuration name nosuch.conf", "can't find anything\n"),
            ("xml_locate", "-ERR bad args\n"),
            ("xml_locate a b", "-ERR bad args\n"),
            ("xml_flush_cache", "+OK cleared 0 entries\n"),
            ("event Event-Name=CUSTOM,Event-Subclass=a::b,x=1", "+OK\n"),
            ("event x=1", "-USAGE: Event-Name=<name>[,Event-Subclass=<subclass>][,<header>=<value>...]\n"),
        ],
    );
    let root = server.api("xml_locate root");
    assert!(
        root.starts_with("<document type=\"freeswitch/xml\">\n  <section name=\"configuration\">\n"),
        "{root}"
    );
    assert!(server.api("xml_locate directory").contains("\n  <domain name=\"chat.test\" note=\"&#xE9;\">\n"));
}

#[test]
fn the_machine() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    let main = folder.path().join("freeswitch.xml").display().to_string();
    check(
        &server,
        &[
            (&format!("file_exists {main}"), "true"),
            (&format!("file_exists {main}x"), "false"),
            ("file_exists", "false"),
            ("getenv NO_SUCH_VARIABLE", "_undef_"),
            ("getenv", "_undef_"),
            ("host_lookup 127.0.0.1", "127.0.0.1"),
            ("host_lookup ::1", "::1"),
            ("host_lookup", "parameter missing\n"),
            ("gethost 127.0.0.1", "127.0.0.1"),
            ("gethost ::1", "-ERR"),
            ("gethost", "-ERR"),
            ("reg_url 1000@chat.test", "error/user_not_registered"),
            ("reg_url", "-ERR no reply\n"),
        ],
    );
    assert!(!server.api("getenv PATH").contains("_undef_"));
    let time = server.api("getcputime");
    let milliseconds: Vec<u64> = time.split(", ").filter_map(|part| part.parse().ok()).collect();
    assert_eq!(milliseconds.len(), 2, "{time}");
}

/// A message waits for what takes time, and nothing else does.
#[test]
fn a_chatplan_may_ask_the_machine() {
    let folder = Folder::new();
    let main = folder.path().join("freeswitch.xml").display().to_string();
    folder.answer(&format!(
        "[${{file_exists({main})}} ${{host_lookup(127.0.0.1)}} ${{file_exists(/nonexistent)}}]"
    ));
    let server = Running::folder(&folder);
    let said = text(&server.send(&["--to", "echo", "--wait", "5", "hello"]));
    assert!(said.contains("echo: [true 127.0.0.1 false]"), "{said}");
}

/// As shipped none of them runs anything.
#[test]
fn programs_of_the_machine_have_to_be_allowed() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    let off = "-ERR system is switched off: set allow-system in sms.conf\n";
    for command in ["bg_system", "spawn", "bg_spawn", "spawn_stream"] {
        let touched = folder.path().join(command);
        assert_eq!(server.api(&format!("{command} touch {}", touched.display())), off, "{command}");
        assert_eq!(server.api(command), "-USAGE: <command>\n", "{command}");
        assert!(!touched.exists());
    }
    let sms = "<configuration name=\"sms.conf\"><settings>\
               <param name=\"allow-system\" value=\"true\"/></settings></configuration>";
    folder.write("freeswitch.xml", &MAIN.replacen("</section>", &format!("{sms}</section>"), 1));
    check(&server, &[("reloadxml", "+OK [Success]\n")]);
    let touched = folder.path().join("spawned");
    check(
        &server,
        &[
            ("spawn_stream printf '%s|' 'a b' $HOME", "a b|$HOME|"),
            (&format!("spawn touch {}", touched.display()), "+OK\n"),
            ("bg_system true", "+OK\n"),
            ("bg_spawn true", "+OK\n"),
        ],
    );
    assert!(touched.exists());
}

#[test]
fn json_is_asked_and_answered() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    check(
        &server,
        &[
            ("json", "-ERR No JSON supplied.\n"),
            ("json {", "-ERR Parse error.\n"),
            (
                r#"json {"command":"fsapi","data":{"cmd":"echo","arg":"a b"}}"#,
                "{\"command\":\"fsapi\",\"data\":{\"cmd\":\"echo\",\"arg\":\"a b\"},\"status\":\"success\",\
                 \"response\":{\"message\":\"a b\"}}\n",
            ),
            (
                r#"json {"command":"nosuch","data":""}"#,
                "{\"command\":\"nosuch\",\"data\":\"\",\
                 \"message\":\"Invalid request or non-existant command\",\"status\":\"error\",\"response\":null}\n",
            ),
            (
                r#"json {"command":"fsapi","format":"pretty","data":{"cmd":"echo","arg":"x"}}"#,
                "{\n\t\"command\":\t\"fsapi\",\n\t\"format\":\t\"pretty\",\n\t\"data\":\t{\n\t\t\"cmd\":\t\"echo\",\n\
                 \t\t\"arg\":\t\"x\"\n\t},\n\t\"status\":\t\"success\",\n\t\"response\":\t{\n\
                 \t\t\"message\":\t\"x\"\n\t}\n}\n",
            ),
        ],
    );
    let status = server.api(r#"json {"command":"status","data":""}"#);
    assert!(status.contains(r#""response":{"systemStatus":"ready","uptime":{"years":0,"#), "{status}");
}

#[test]
fn tasks_are_scheduled() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    let usage = "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n";
    check(
        &server,
        &[
            ("sched_api", usage),
            ("sched_api +10 none", usage),
            ("sched_api soon none status", usage),
            ("sched_api +1000 none status", "+OK Added: 1\n"),
            ("sched_api @1000 often version&", "+OK Added: 2\n"),
            ("sched_api +1000 often version", "+OK Added: 3\n"),
            ("unsched_api 1", "+OK\n"),
            ("unsched_api 1", "-ERR No such id\n"),
            ("unsched_api", "-ERR Invalid syntax. USAGE: <task_id>\n"),
            ("sched_del often", "+OK Deleted: 2\n"),
            ("sched_del 7", "+OK Deleted: 0\n"),
            ("sched_del", "-ERR Invalid syntax\n"),
            ("sched_api +0 none global_setvar ran=yes", "+OK Added: 4\n"),
        ],
    );
    let mut tries = 0;
    while server.api("global_getvar ran") != "yes" {
        tries += 1;
        assert!(tries < 100, "the task does not run");
    }
    check(&server, &[("sched_api +1000 g status", "+OK Added: 5\n")]);
    let tasks = server.api("show tasks");
    let title =
        "task_id,task_desc,task_group,task_runtime,task_sql_manager,hostname\n5,sched_api_function,g,";
    assert!(tasks.starts_with(title) && tasks.ends_with("\n\n1 total.\n"), "{tasks}");
}

#[test]
fn reports_of_what_consoles_were_told() {
    let folder = Folder::new();
    let server = Running::folder(&folder);
    let host = server.api("switchname");
    check(
        &server,
        &[
            ("alias add say echo a", "+OK\n"),
            ("show aliases", &format!("sticky,alias,command,hostname\n0,say,echo a,{host}\n\n1 total.\n")),
            (
                "show aliases as json",
                &format!(
                    r#"{{"row_count":1,"rows":[{{"sticky":"0","alias":"say","command":"echo a","hostname":"{host}"}}]}}"#
                ),
            ),
            ("complete add zz top", "+OK\n"),
            ("complete add zz tip _any_", "+OK\n"),
            ("complete", "-USAGE: add <word>|del [<word>|*]\n"),
            ("console_complete zz t", "\n\n[                 tip]\t[                 top]\t\n\nwrite=1:t"),
            (
                "console_complete_xml zz to",
                "<?xml version=\"1.0\"?>\n<complete>\n  <match>top</match>\n  <write length=\"2\">top</write>\n</complete>\n",
            ),
            (
                "show complete as delim |",
                &format!(
                    "sticky|a1|a2|a3|a4|a5|a6|a7|a8|a9|a10|hostname\n0|zz|tip|||||||||{host}\n0|zz|top|||||||||{host}\n\n2 total.\n"
                ),
            ),
            ("complete del *", "+OK\n"),
            ("show complete", "\n0 total.\n"),
            ("show channels count as json", "{\"row_count\":0,\"rows\":[]}"),
            ("show calls count as xml", "<result row_count=\"0\"></result>\n"),
            ("show registrations count as yaml", "-ERR Cannot find format yaml\n"),
            ("show nat_map as xml", "<result row_count=\"0\"/>\n"),
            (
                "show api echo as xml",
                "<result row_count=\"1\">\n  <row row_id=\"1\">\n    <name>echo</name>\n    \
                 <description>Echo</description>\n    <syntax>&lt;data&gt;</syntax>\n    <ikey>mod_commands</ikey>\n  \
                 </row>\n</result>\n",
            ),
            ("show nosuch", &format!("-USAGE: {}\n", usage_of(&server, "show"))),
        ],
    );
    assert!(server.api("show help").contains("\necho,<data>,Echo,mod_commands\n"));
    assert!(server.api("show interfaces").contains("\njson_api,fsapi,mod_commands\n"));
    assert!(server.api("banner").starts_with("\nchappe "));
}

/// A command's syntax, as `help` has it between the first comma and the description.
fn usage_of(server: &Running, command: &str) -> String {
    let line = server.api(&format!("help {command}"));
    let syntax = line.trim_end().strip_prefix(&format!("{command},")).expect("the command first");
    syntax.strip_suffix(",Show various reports,mod_commands").expect("what it does last").to_owned()
}
