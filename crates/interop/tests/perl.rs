//! Perl scripts with real SIP user agents.

use chappe_interop::{Agent, Folder, Server};

#[test]
fn a_script_answers_and_a_bad_one_costs_its_own_message() {
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let modules = r#"<load module="mod_sms"/><load module="mod_perl"/>"#;
    folder.write("freeswitch.xml", &main.replace(r#"<load module="mod_sms"/>"#, modules));
    let plan = r#"<include>
<context name="default">
        <extension name="perl"><condition field="to_user" expression="^perl$">
          <action application="perl" data="script.pl ${from_user}"/>
        </condition></extension>
        <extension name="api"><condition field="to_user" expression="^api$">
          <action application="reply" data="${perl(answer.pl x)}"/>
        </condition></extension>
</context>
</include>"#;
    folder.write("chatplan/default.xml", plan);
    folder.write("scripts/answer.pl", "$stream->write(\"answer @ARGV\");");
    let server = Server::start(folder);
    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    assert_eq!(sender.message(&server.uri("api"), "text/plain", b"hi"), 200);
    assert_eq!(sender.receive().text(), "answer x");
    for (bad, expected) in
        [("die 'boo'", "boo at "), ("exec 'true'", "exit status: 0"), ("}", "Unmatched right curly")]
    {
        server.folder.write("scripts/script.pl", bad);
        assert_eq!(sender.message(&server.uri("perl"), "text/plain", b"x"), 500, "{bad}");
        server.process.expect(expected);
        let fine = "freeswitch::consoleLog('info', 'chat from ' . $message->getHeader('from') . \"\\n\");\n\
                    $message->chat_execute('reply', \"Hello @ARGV, you said: \" . $message->getBody);";
        server.folder.write("scripts/script.pl", fine);
        let status = sender.message(&server.uri("perl"), "text/plain", "žluť".as_bytes());
        assert_eq!(status, 200, "after {bad}: {}", server.process.printed());
        assert_eq!(sender.receive().text(), "Hello 1004, you said: žluť");
    }
    server.process.expect("chat from 1004@127.0.0.1");
}
