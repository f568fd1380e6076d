//! A chatplan as those who run messaging for a town write them: twenty included files, Python modules that leave results
//! on the message or answer in a field, raw ampersands and less-than signs, curl as a command of the machine.

mod web;

use std::path::Path;

use chappe_interop::{Agent, Folder, Server, find};
use web::Web;

/// The folder `production` beside this crate's manifest, as a configuration whose provider is `web`.
fn server(web: &Web) -> Server {
    let folder = Folder::new();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("production");
    for part in ["chatplan", "chatplan/default", "scripts"] {
        for file in std::fs::read_dir(ours.join(part)).expect("the folder is there").flatten() {
            if file.path().is_file() {
                let text = std::fs::read_to_string(file.path()).expect("a text");
                folder.write(&format!("{part}/{}", file.file_name().to_string_lossy()), &text);
            }
        }
    }
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let modules = r#"<load module="mod_sms"/><load module="mod_dptools"/><load module="mod_curl"/><load module="mod_python3"/>"#;
    let main = main.replace(r#"<load module="mod_sms"/>"#, modules);
    let variables = [("provider", web.url("")), ("billing", web.url("/billing"))]
        .into_iter()
        .chain([("price_local", "2"), ("price_abroad", "50"), ("domain", "127.0.0.1")].map(owned))
        .map(|(name, value)| format!("<X-PRE-PROCESS cmd=\"set\" data=\"{name}={value}\"/>\n"))
        .collect::<String>();
    let system = r#"<configuration name="sms.conf"><settings><param name="allow-system" value="true"/></settings></configuration>
        <configuration name="switch.conf">"#;
    let main = main.replacen(r#"<configuration name="switch.conf">"#, system, 1);
    folder.write("freeswitch.xml", &main.replacen('>', &format!(">\n{variables}"), 1));
    Server::start(folder)
}

fn owned((name, value): (&'static str, &str)) -> (&'static str, String) {
    (name, value.to_owned())
}

fn registered(server: &Server, user: &str) -> Agent {
    let mut agent = Agent::udp(server.sip(), user);
    assert_eq!(agent.register(), 200);
    agent
}

/// What the sender is answered.
fn answer(server: &Server, sender: &mut Agent, to: &str, text: &str) -> String {
    assert_eq!(sender.message(&server.uri(to), "text/plain", text.as_bytes()), 200, "{to}: {text}");
    sender.receive().text()
}

#[test]
fn each_file_has_its_say() {
    let web = Web::start();
    let server = server(&web);
    let (mut rich, mut poor, mut unknown) =
        (registered(&server, "1004"), registered(&server, "1005"), registered(&server, "1007"));
    for (to, text, expected) in [
        ("101", "x", "Your number is 639."),
        ("102", "x", "Your credit is 100."),
        ("100", " Help me", "101: your number, 102: your credit, 104: <amount> to <number>"),
        ("103", "what?", "Text help to 103."),
        ("100", "ayuda", "101: your number, 102: your credit, 104: <amount> to <number>"),
        ("104", "12 to 640", "639 & 640: 12 moved"),
        ("104", "all to 640", "Write: <amount> to <number>"),
        ("9196", "žluťoučký & <kůň>", "žluťoučký & <kůň>"),
        ("777", "x", "777 takes no messages."),
        ("112", "x", "Emergency services can't be reached by text. Call 112."),
        ("0900123", "x", "Premium numbers are not served."),
        ("4444", "x", "Nobody answers at 4444."),
        ("nobody", "x", "nobody@127.0.0.1 is no number."),
        ("101", "   ", "That message was empty."),
    ] {
        // The address's port is not part of the domain.
        let answer = answer(&server, &mut rich, to, text).replace(&format!(":{}", server.sip().port()), "");
        assert_eq!(answer, expected, "{to}: {text}");
    }
    assert_eq!(
        answer(&server, &mut unknown, "101", "x"),
        "Your phone has no number yet. Text 101 & choose one."
    );
    assert_eq!(answer(&server, &mut poor, "+4215550001", "x"), "Your credit of 3 is less than 50.");
    server.process.expect("number of 1004: 639");
    server.process.expect("transfer of 12 from 639 to 640");
}

#[test]
fn a_provider_is_reached() {
    let web = Web::start();
    let server = server(&web);
    let mut sender = registered(&server, "1004");
    assert_eq!(answer(&server, &mut sender, "+4215550001", "Hi & bye ž"), "sent for 50");
    let asked = web.asked();
    assert_eq!(asked.start, "POST /send?version=1&kind=sms");
    assert!(
        asked.headers.contains(&"content-type: application/x-www-form-urlencoded".to_owned()),
        "{asked:?}"
    );
    assert_eq!(asked.body, "to=4215550001&from=639&text=Hi+%26+bye+%C5%BE");
}

#[test]
fn a_local_message_is_billed_and_delivered() {
    if find("curl").is_none() {
        return;
    }
    let web = Web::start();
    let server = server(&web);
    let (mut sender, mut recipient) = (registered(&server, "1004"), registered(&server, "1005"));
    assert_eq!(sender.message(&server.uri("640"), "text/plain", b"over the hill & back"), 200);
    assert_eq!(recipient.receive().text(), "over the hill & back");
    let asked = web.asked();
    assert_eq!(asked.start, "POST /billing/local?kind=sms&unit=1");
    assert_eq!(asked.body, "from=639&to=640&cost=2");
}
