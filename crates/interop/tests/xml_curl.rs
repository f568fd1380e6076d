//! mod_xml_curl: chatplan, users and configuration of a web server's.

mod gateway;

use std::process::Command;
use std::time::{Duration, Instant};

use chappe_interop::{Agent, Folder, PASSWORD, Server, binary};
use gateway::{Gateway, field};

/// Knows user 3000, a chatplan for everybody but `echo`, and the server's name.
fn answers(asked: &str) -> Option<(&'static str, String)> {
    let section = match field(asked, "section") {
        "directory" if field(asked, "user") == "3000" => directory(),
        "configuration" if field(asked, "key_value") == "switch.conf" => configuration(),
        "chatplan" => match field(asked, "to_user") {
            "echo" => not_found(),
            "silent" => return None,
            "broken" => return Some(("500 Internal Server Error", String::new())),
            "cut" => return Some(("200 OK", document(&chatplan("nobody"))[..90].to_owned())),
            _ => chatplan(field(asked, "from_user")),
        },
        _ => not_found(),
    };
    Some(("200 OK", document(&section)))
}

fn document(section: &str) -> String {
    format!("<document type=\"freeswitch/xml\">{section}</document>")
}

fn not_found() -> String {
    "<section name=\"result\"><result status=\"not found\"/></section>".to_owned()
}

fn directory() -> String {
    format!(
        "<section name=\"directory\"><domain name=\"127.0.0.1\"><groups><group name=\"web\"><users><user id=\"3000\">\
         <params><param name=\"password\" value=\"{PASSWORD}\"/></params></user></users></group></groups></domain>\
         </section>"
    )
}

fn configuration() -> String {
    "<section name=\"configuration\"><configuration name=\"switch.conf\"><settings>\
     <param name=\"switchname\" value=\"named-by-the-web\"/><param name=\"loglevel\" value=\"debug\"/></settings>\
     </configuration></section>"
        .to_owned()
}

fn chatplan(user: &str) -> String {
    format!(
        "<section name=\"chatplan\"><context name=\"default\"><extension name=\"e\">\
         <condition field=\"to\" expression=\"@\"><action application=\"reply\" data=\"{user} said ${{body}}\"/>\
         </condition></extension></context></section>"
    )
}

fn server(url: &str) -> Server {
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let (module, section) = (r#"<load module="mod_sms"/>"#, r#"<section name="configuration">"#);
    let bindings = format!(
        "{section}<configuration name=\"xml_curl.conf\"><bindings><binding name=\"web\">\
         <param name=\"gateway-url\" value=\"{url}\" bindings=\"chatplan|directory|configuration\"/>\
         <param name=\"timeout\" value=\"2\"/></binding></bindings></configuration>"
    );
    let main = main.replace(module, &format!("{module}<load module=\"mod_xml_curl\"/>"));
    folder.write("freeswitch.xml", &main.replacen(section, &bindings, 1));
    Server::start(folder)
}

/// What the API command answers.
fn console(server: &Server, command: &str) -> String {
    let port = server.folder.event_port.to_string();
    let mut console = Command::new(binary());
    let output = console.args(["console", "--port", &port, "--password", "ClueCon", "-x", command]).output();
    String::from_utf8_lossy(&output.expect("the console runs").stdout).trim().to_owned()
}

fn registered(server: &Server, user: &str) -> Agent {
    let mut agent = Agent::udp(server.sip(), user);
    assert_eq!(agent.register(), 200, "{user}");
    agent
}

#[test]
fn a_user_of_the_web_server_registers_and_its_messages_go_by_the_web_servers_plan() {
    let web = Gateway::answering(answers);
    let server = server(&web.url("/fs"));
    let mut agent = registered(&server, "3000");
    assert_eq!(agent.message(&server.uri("anybody"), "text/plain", b"hello"), 200);
    assert_eq!(agent.receive().text(), "3000 said hello");
    let mut of_the_files = registered(&server, "1004");
    assert_eq!(of_the_files.message(&server.uri("anybody"), "text/plain", b"hi"), 200);
    assert_eq!(of_the_files.receive().text(), "1004 said hi");
    assert_eq!(Agent::udp(server.sip(), "4000").register(), 401);
}

#[test]
fn one_exchange_of_messages_asks_for_the_user_once() {
    let web = Gateway::answering(answers);
    let server = server(&web.url("/fs"));
    let mut agent = registered(&server, "3000");
    for _ in 0..2 {
        assert_eq!(agent.message(&server.uri("anybody"), "text/plain", b"hello"), 200);
        agent.receive();
    }
    let mut asked = Vec::new();
    while asked.iter().filter(|section| *section == "chatplan").count() < 2 {
        let question = web.asked();
        assert!(!field(&question, "hostname").is_empty());
        asked.push(field(&question, "section").to_owned());
    }
    assert_eq!(asked.iter().filter(|section| *section == "directory").count(), 1, "{asked:?}");
}

#[test]
fn where_the_web_server_has_no_plan_the_files_count() {
    let web = Gateway::answering(answers);
    let server = server(&web.url("/fs"));
    let mut agent = registered(&server, "1004");
    assert_eq!(agent.message(&server.uri("echo"), "text/plain", b"hi"), 200);
    assert_eq!(agent.receive().text(), "Hello, you said: hi");
    for (user, why) in [("cut", "the answer is no whole XML document"), ("broken", "HTTP status 500")] {
        let mut recipient = Agent::udp(server.sip(), "1005");
        assert_eq!(recipient.register(), 200);
        assert_eq!(
            agent.message(&server.uri(user), "text/plain", b"hi"),
            202,
            "nobody is registered as {user}"
        );
        server.process.expect(why);
    }
}

#[test]
fn a_silent_web_server_holds_up_its_own_message() {
    let web = Gateway::answering(answers);
    let server = server(&web.url("/fs"));
    let (mut waiting, mut other) = (registered(&server, "1004"), registered(&server, "1005"));
    let uri = server.uri("silent");
    let waiting = std::thread::spawn(move || waiting.message(&uri, "text/plain", b"hi"));
    while field(&web.asked(), "to_user") != "silent" {}
    let start = Instant::now();
    assert_eq!(other.message(&server.uri("anybody"), "text/plain", b"plain"), 200);
    assert_eq!(other.receive().text(), "1005 said plain");
    assert!(start.elapsed() < Duration::from_secs(1) && !waiting.is_finished());
    assert_eq!(waiting.join().expect("an answer"), 202);
    server.process.expect("no answer within 2 s");
}

#[test]
fn without_the_web_server_the_files_are_all_there_is() {
    let server = server("http://127.0.0.1:1/");
    let mut agent = registered(&server, "1004");
    assert_eq!(agent.message(&server.uri("echo"), "text/plain", b"hi"), 200);
    assert_eq!(agent.receive().text(), "Hello, you said: hi");
    assert_eq!(Agent::udp(server.sip(), "3000").register(), 401);
}

#[test]
fn a_configuration_of_the_web_server_takes_the_place_of_the_files() {
    let web = Gateway::answering(answers);
    let server = server(&web.url("/fs"));
    assert_eq!(console(&server, "switchname"), "named-by-the-web");
    let mut agent = registered(&server, "3000");
    assert_eq!(agent.message(&server.uri("anybody"), "text/plain", b"hello"), 200);
}

#[test]
fn what_it_answers_can_be_looked_at_and_forgotten() {
    let web = Gateway::answering(answers);
    let server = server(&web.url("/fs"));
    let shown = console(&server, "xml_locate configuration configuration name switch.conf");
    assert!(shown.contains("named-by-the-web"), "{shown}");
    let of_the_files = console(&server, "xml_locate configuration configuration name sofia.conf");
    assert!(of_the_files.contains("<profile name=\"internal\""), "{of_the_files}");
    registered(&server, "3000");
    assert_eq!(console(&server, "xml_flush_cache id 9999 127.0.0.1"), "+OK cleared 0 entries");
    assert_ne!(console(&server, "xml_flush_cache"), "+OK cleared 0 entries");
    assert_eq!(console(&server, "xml_flush_cache"), "+OK cleared 0 entries");
}

#[test]
fn api_commands_ask_for_users_too() {
    let web = Gateway::answering(answers);
    let server = server(&web.url("/fs"));
    for (command, expected) in [
        ("user_exists id 3000 127.0.0.1", "true"),
        ("user_exists id 1004 127.0.0.1", "true"),
        ("user_exists id 4000 127.0.0.1", "false"),
        ("user_data 3000@127.0.0.1 param password", PASSWORD),
        ("user_data 1004@127.0.0.1 attr id", "1004"),
        ("user_data 4000@127.0.0.1 attr id", "-ERR no reply"),
    ] {
        assert_eq!(console(&server, command), expected, "{command}");
    }
}

#[test]
fn a_reload_changes_who_is_asked() {
    let (one, other) = (Gateway::answering(answers), Gateway::answering(answers));
    let server = server(&one.url("/fs"));
    let mut agent = registered(&server, "3000");
    let main = server.folder.path().join("freeswitch.xml");
    let text = std::fs::read_to_string(main).expect("it is there");
    server.folder.write("freeswitch.xml", &text.replace(&one.url("/fs"), &other.url("/fs")));
    assert_eq!(console(&server, "reloadxml"), "+OK [Success]");
    assert_eq!(agent.message(&server.uri("anybody"), "text/plain", b"hello"), 200);
    while field(&other.asked(), "section") != "chatplan" {}
    assert_eq!(console(&server, "unload mod_xml_curl"), "+OK");
    assert_eq!(agent.message(&server.uri("anybody"), "text/plain", b"hello"), 407, "the files know no 3000");
}
