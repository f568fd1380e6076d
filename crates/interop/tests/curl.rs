//! mod_curl in a chatplan: the app, and the API command in a text.

mod web;

use std::time::{Duration, Instant};

use chappe_interop::{Agent, Folder, Server};
use web::Web;

/// A server whose messages to `app` and `text` ask `web`, all others go point to point.
fn server(web: &Web) -> Server {
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let modules = r#"<load module="mod_sms"/><load module="mod_curl"/>"#;
    folder.write("freeswitch.xml", &main.replace(r#"<load module="mod_sms"/>"#, modules));
    let plan = r#"<include>
<context name="default">
  <extension name="app"><condition field="to_user" expression="^app$">
    <action application="curl" data="SMS content-type text/x-test post from=${from_user}&body=${body}"/>
    <action application="reply" data="${curl_method} ${curl_response_code} ${curl_response_data}"/>
  </condition></extension>
  <extension name="text"><condition field="to_user" expression="^text$">
    <action application="reply" data="${curl(SMS?a=${body}&b=c json)}"/>
  </condition></extension>
  <extension name="refused"><condition field="to_user" expression="^refused$">
    <action application="curl" data="http://127.0.0.1:1/"/>
    <action application="reply" data="[${curl_response_code}${curl_response_data}]"/>
  </condition></extension>
  <extension name="silent"><condition field="to_user" expression="^silent$">
    <action inline="true" application="set" data="curl_timeout=2"/>
    <action application="curl" data="SILENT"/>
    <action application="reply" data="${curl_response_code}"/>
  </condition></extension>
</context>
</include>
"#;
    folder.write(
        "chatplan/default.xml",
        &plan.replace("SMS", &web.url("/sms")).replace("SILENT", &web.url("/silent")),
    );
    Server::start(folder)
}

fn registered(server: &Server, user: &str) -> Agent {
    let mut agent = Agent::udp(server.sip(), user);
    assert_eq!(agent.register(), 200);
    agent
}

#[test]
fn the_app_leaves_its_answer_on_the_message() {
    let web = Web::start();
    let server = server(&web);
    let mut sender = registered(&server, "1004");
    assert_eq!(sender.message(&server.uri("app"), "text/plain", "žluťoučký%21".as_bytes()), 200);
    let asked = web.asked();
    assert_eq!((asked.start.as_str(), asked.body.as_str()), ("POST /sms", "from=1004&body=žluťoučký!"));
    assert!(asked.headers.contains(&"content-type: text/x-test".to_owned()), "{asked:?}");
    let length = asked.body.len();
    let expected = format!("post 202 {{\"status\":\"queued\",\"length\":{length}}}");
    assert_eq!(sender.receive().text(), expected);
}

#[test]
fn the_command_answers_in_a_text() {
    let web = Web::start();
    let server = server(&web);
    let mut sender = registered(&server, "1004");
    assert_eq!(sender.message(&server.uri("text"), "text/plain", b"hi"), 200);
    assert_eq!(web.asked().start, "GET /sms?a=hi&b=c");
    let received = sender.receive();
    let json: serde_json::Value = serde_json::from_slice(&received.body).expect("JSON");
    assert_eq!(json["status_code"], "202", "{json}");
    assert_eq!(json["body"], r#"{"status":"queued","length":0}"#, "{json}");
}

#[test]
fn a_request_that_fails_is_told() {
    let web = Web::start();
    let server = server(&web);
    let mut sender = registered(&server, "1004");
    assert_eq!(sender.message(&server.uri("refused"), "text/plain", b"hi"), 200);
    assert_eq!(sender.receive().text(), "[0]");
    server.process.expect("curl: GET http://127.0.0.1:1/: ");
}

#[test]
fn a_silent_server_holds_up_its_own_message() {
    let web = Web::start();
    let server = server(&web);
    let mut waiting = registered(&server, "1004");
    let (mut sender, mut recipient) = (registered(&server, "1006"), registered(&server, "1005"));
    let uri = server.uri("silent");
    let waiting = std::thread::spawn(move || {
        let status = waiting.message(&uri, "text/plain", b"hi");
        (status, waiting.receive().text())
    });
    assert_eq!(web.asked().start, "GET /silent");
    let start = Instant::now();
    assert_eq!(sender.message(&server.uri("1005"), "text/plain", b"plain"), 200);
    assert_eq!(recipient.receive().text(), "plain");
    assert!(start.elapsed() < Duration::from_secs(1) && !waiting.is_finished());
    // It is stored while the server is silent.
    assert_eq!(waiting.join().expect("an answer"), (202, "0".to_owned()));
}
