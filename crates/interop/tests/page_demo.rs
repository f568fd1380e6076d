//! The demonstration of FreeSWITCH's mod_sms page, as it is written there.

use chappe_interop::{Agent, Folder, Server, binary};
use std::process::Command;

const PAGE: &str = r#"<include>
  <context name="default">
    <extension name="demo">
      <condition field="to" expression="^(.*)$">
        <action application="reply" data="Hello, you said: ${body}"/>
      </condition>
    </extension>
  </context>
</include>
"#;

fn console(server: &Server, command: &str) -> String {
    let port = server.folder.event_port.to_string();
    let output = Command::new(binary())
        .args(["console", "-H", "127.0.0.1", "-P", &port, "-p", "ClueCon", "-x", command])
        .output()
        .expect("the binary runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_message_from_1004_to_1019_is_answered_and_traced() {
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    folder.write("freeswitch.xml", &main.replace(r#"<load module="mod_sms"/>"#, ""));
    folder.write("chatplan/default.xml", PAGE);
    let server = Server::start(folder);
    assert!(console(&server, "load mod_sms").contains("+OK"), "{}", server.process.printed());

    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    assert_eq!(sender.message(&server.uri("1019"), "text/plain", b"hello there"), 200);
    assert_eq!(sender.receive().text(), "Hello, you said: hello there");

    server.process.expect("Processing text message 1004->1019 in context default");
    server.process.expect("Regex (PASS) [demo] to(1019@127.0.0.1) =~ /^(.*)$/ break=on-false");
    server.process.expect("Action reply(Hello, you said: ${body})");
}
