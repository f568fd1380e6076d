//! Lua scripts with real SIP user agents: those of FreeSWITCH's mod_sms page, and bad ones.

use std::time::Duration;

use chappe_interop::{Agent, Folder, Server};

/// A server whose messages to `lua` run `script.lua`, all others go point to point.
fn server(script: &str, settings: &str) -> Server {
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let modules = r#"<load module="mod_sms"/><load module="mod_lua"/>"#;
    let main = main.replace(r#"<load module="mod_sms"/>"#, modules).replace(
        r#"<configuration name="switch.conf">"#,
        &format!(
            r#"<configuration name="lua.conf"><settings>{settings}</settings></configuration><configuration name="switch.conf">"#
        ),
    );
    folder.write("freeswitch.xml", &main);
    folder.write(
        "chatplan/default.xml",
        r#"<include>
<context name="default">
  <extension name="lua"><condition field="to_user" expression="^lua$">
    <action application="lua" data="script.lua ${from_user} 'two words'"/>
  </condition></extension>
  <extension name="inline"><condition field="to_user" expression="^inline$">
    <action application="reply" data="${lua(~stream:write(env:getHeader('API-Command')))} ${lua(answer.lua x)}"/>
  </condition></extension>
</context>
</include>
"#,
    );
    folder.write("scripts/script.lua", script);
    folder.write("scripts/answer.lua", "stream:write('answer ' .. argv[1])");
    Server::start(folder)
}

/// The server and the user 1004, registered.
fn with_sender(script: &str, settings: &str) -> (Server, Agent) {
    let server = server(script, settings);
    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    (server, sender)
}

#[test]
fn the_pages_handler_answers() {
    let script = r#"
        local from = message:getHeader("from")
        local to = message:getHeader("to")
        freeswitch.consoleLog("info", "chat from " .. from .. " to " .. to .. "\n")
        freeswitch.consoleLog("info", message:serialize() .. "\n")
        local reply = "Hello " .. argv[1] .. " (" .. argv[2] .. "), you said: " .. message:getBody()
        message:chat_execute("reply", reply)
        message:chat_execute("stop")
    "#;
    let (server, mut sender) = with_sender(script, "");
    assert_eq!(sender.message(&server.uri("lua"), "text/plain", "žluťoučký".as_bytes()), 200);
    assert_eq!(sender.receive().text(), "Hello 1004 (two words), you said: žluťoučký");
    server.process.expect("[INFO] switch_cpp.cpp:1465 chat from 1004@127.0.0.1 to lua@127.0.0.1");
    server.process.expect("from_user: 1004");
}

#[test]
fn the_pages_event_is_sent() {
    let script = r#"
        local event = freeswitch.Event("CUSTOM", "SMS::SEND_MESSAGE");
        event:addHeader("proto", "sip");
        event:addHeader("dest_proto", "sip");
        event:addHeader("from", "1003@127.0.0.1");
        event:addHeader("from_full", "sip:1003@127.0.0.1");
        event:addHeader("to", "1005@127.0.0.1");
        event:addHeader("subject", "sip:1005@127.0.0.1");
        event:addHeader("type", "text/html");
        event:addHeader("hint", "the hint");
        event:addHeader("replying", "true");
        event:addHeader("sip_profile", "internal")
        event:addBody("Hello! Have fun!");
        event:fire();
    "#;
    let (server, mut sender) = with_sender(script, "");
    let mut recipient = Agent::udp(server.sip(), "1005");
    assert_eq!(recipient.register(), 200);
    assert_eq!(sender.message(&server.uri("lua"), "text/plain", b"go"), 200);
    let received = recipient.receive();
    assert_eq!(received.text(), "Hello! Have fun!");
    assert_eq!(received.header("Content-Type"), Some("text/html"));
}

#[test]
fn a_script_is_an_api_command_in_a_text() {
    let (server, mut sender) = with_sender("", "");
    assert_eq!(sender.message(&server.uri("inline"), "text/plain", b"hi"), 200);
    assert_eq!(sender.receive().text(), "lua answer x");
}

#[test]
fn a_bad_script_costs_its_own_message() {
    let bad = [
        ("while true do pcall(function() while true do end end) end", "(time-limit)"),
        ("local x = ('x'):rep(1000000000)", "(memory-limit)"),
        ("this is not lua", "script.lua:1: syntax error near 'is'"),
        ("error({ code = 1 })", "table: 0x"),
        ("require 'nosuch'", "module 'nosuch' not found"),
        ("freeswitch.Session('x')", "belongs to calls"),
    ];
    let settings = r#"<param name="time-limit" value="1"/><param name="threads" value="1"/>"#;
    let (server, mut sender) = with_sender("", settings);
    let mut other = Agent::udp(server.sip(), "1005");
    assert_eq!(other.register(), 200);
    for (script, expected) in bad {
        server.folder.write("scripts/script.lua", script);
        assert_eq!(sender.message(&server.uri("lua"), "text/plain", b"x"), 500, "{script}");
        assert!(server.process.wait_for(expected, Duration::from_secs(5)), "{script}");
        server.folder.write("scripts/script.lua", "message:chat_execute('reply', 'fine')");
        assert_eq!(sender.message(&server.uri("lua"), "text/plain", b"x"), 200, "after {script}");
        assert_eq!(sender.receive().text(), "fine");
    }
    assert_eq!(sender.message(&server.uri("1005"), "text/plain", b"plain"), 200);
    assert_eq!(other.receive().text(), "plain");
}

#[test]
fn a_full_queue_is_answered_503() {
    let settings = r#"<param name="threads" value="1"/><param name="queue" value="1"/>"#;
    let script = "freeswitch.consoleLog('info', 'has begun') freeswitch.msleep(1500)";
    let (server, sender) = with_sender(script, settings);
    let uri = server.uri("lua");
    let send = |mut sender: Agent| {
        let uri = uri.clone();
        std::thread::spawn(move || sender.message(&uri, "text/plain", b"x"))
    };
    let mut senders = vec![send(sender)];
    // from here on the one thread is taken, and the queue has room for one
    server.process.expect("has begun");
    senders.extend(["1006", "1007", "1008"].map(|user| send(Agent::udp(server.sip(), user))));
    let mut statuses: Vec<_> = senders.into_iter().map(|sender| sender.join().expect("an answer")).collect();
    statuses.sort_unstable();
    // The second one is stored while it waits.
    assert_eq!(statuses, [200, 202, 503, 503], "{}", server.process.printed());
}

#[test]
fn startup_scripts_and_hooks_run() {
    let settings = r#"<param name="startup-script" value="startup.lua"/>
        <hook event="CUSTOM" subclass="a::b" script="hook.lua"/>"#;
    let folder_script = "local e = freeswitch.Event('CUSTOM', 'a::b') e:addHeader('n', '7') e:fire()";
    let server = server(folder_script, settings);
    server.process.expect("startup.lua");
    server
        .folder
        .write("scripts/hook.lua", "freeswitch.consoleLog('info', 'hooked ' .. event:getHeader('n'))");
    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    assert_eq!(sender.message(&server.uri("lua"), "text/plain", b"x"), 200);
    server.process.expect("hooked 7");
}
