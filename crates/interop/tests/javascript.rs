//! JavaScript scripts with real SIP user agents.

use chappe_interop::{Agent, Folder, Server, find};

#[test]
fn a_script_answers_and_a_bad_one_costs_its_own_message() {
    if find("node").is_none() {
        return;
    }
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let modules = r#"<load module="mod_sms"/><load module="mod_v8"/>"#;
    let main = main.replace(r#"<load module="mod_sms"/>"#, modules).replace(
        r#"<configuration name="switch.conf">"#,
        r#"<configuration name="v8.conf"><settings>
             <hook event="CUSTOM" subclass="a::b" script="hook.js"/>
           </settings></configuration><configuration name="switch.conf">"#,
    );
    folder.write("freeswitch.xml", &main);
    let plan = r#"<include>
<context name="default">
        <extension name="js"><condition field="to_user" expression="^js$">
          <action application="javascript" data="script.js ${from_user}"/>
        </condition></extension>
        <extension name="api"><condition field="to_user" expression="^api$">
          <action application="reply" data="${jsapi(answer.js x)}"/>
        </condition></extension>
</context>
</include>"#;
    folder.write("chatplan/default.xml", plan);
    folder.write("scripts/answer.js", "request.write('answer ' + argv[0]);");
    folder.write("scripts/hook.js", "consoleLog('info', 'hooked ' + event.getHeader('n'));");
    let server = Server::start(folder);
    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    assert_eq!(sender.message(&server.uri("api"), "text/plain", b"hi"), 200);
    assert_eq!(sender.receive().text(), "answer x");
    for (bad, expected) in [
        ("throw new Error('boo')", "Error: boo"),
        ("nosuch()", "nosuch is not defined"),
        ("}", "SyntaxError"),
    ] {
        server.folder.write("scripts/script.js", bad);
        assert_eq!(sender.message(&server.uri("js"), "text/plain", b"x"), 500, "{bad}");
        server.process.expect(expected);
        let fine = "consoleLog('info', 'chat from ' + message.getHeader('from'));\n\
                    var e = new Event('CUSTOM', 'a::b'); e.addHeader('n', 7); e.fire();\n\
                    message.chatExecute('reply', `Hello ${argv[0]}, you said: ${message.getBody()}`);";
        server.folder.write("scripts/script.js", fine);
        let status = sender.message(&server.uri("js"), "text/plain", "žluť".as_bytes());
        assert_eq!(status, 200, "after {bad}: {}", server.process.printed());
        assert_eq!(sender.receive().text(), "Hello 1004, you said: žluť");
    }
    server.process.expect("chat from 1004@127.0.0.1");
    server.process.expect("hooked 7");
}
