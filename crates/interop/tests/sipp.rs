//! SIPp: its own parser, its own digest, its scenarios as XML.

use chappe_interop::{Agent, Folder, PASSWORD, Server, TEXT, find, free_port};
use std::path::Path;
use std::process::{Command, Output};

/// A request, its challenge, the request again with `[authentication]`, and the answer.
fn scenario(method: &str, challenge: u16, uri: &str, extra: &str, body: &str) -> String {
    let request = |cseq: u8, credentials: &str| {
        format!(
            "<send retrans=\"500\"><![CDATA[\n\
             {method} {uri} SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]\n\
             Max-Forwards: 70\n\
             From: <sip:1000@[remote_ip]:[remote_port]>;tag=[pid]SIPp[call_number]\n\
             To: <{to}>\n\
             Call-ID: [call_id]\n\
             CSeq: {cseq} {method}\n\
             {credentials}{extra}\n\
             Content-Length: [len]\n\n{body}]]></send>\n",
            to = if method == "REGISTER" { "sip:1000@[remote_ip]:[remote_port]" } else { uri },
        )
    };
    let credentials = format!("[authentication username=1000 password={PASSWORD}]\n");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<scenario name=\"{method}\">\n{}<recv response=\"{challenge}\" auth=\"true\"/>\n{}\
         <recv response=\"100\" optional=\"true\"/>\n<recv response=\"200\"/>\n</scenario>\n",
        request(1, ""),
        request(2, &credentials)
    )
}

fn sipp(server: &Server, folder: &Path, name: &str, text: &str, transport: &str, port: u16) -> Output {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("a writable folder");
    Command::new("sipp")
        .arg(server.sip().to_string())
        .arg("-sf")
        .arg(&file)
        .args(["-i", "127.0.0.1", "-p", &port.to_string(), "-t", transport])
        .args([
            "-m",
            "1",
            "-timeout",
            "10",
            "-timeout_error",
            "-nostdin",
            "-trace_err",
            "-error_file",
            "/dev/stderr",
        ])
        .output()
        .expect("sipp runs")
}

fn succeeded(output: &Output) {
    let text: String =
        [&output.stdout[..], &output.stderr[..]].iter().map(|text| String::from_utf8_lossy(text)).collect();
    assert!(output.status.success(), "{text}");
}

fn registers_sends_and_is_answered(transport: &str) {
    if find("sipp").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut to = Agent::udp(server.sip(), "1001");
    assert_eq!(to.register(), 200);
    // a SIPp scenario is one dialogue, so the reply, a dialogue of its own, goes to a contact that stays
    let mut stays = Agent::udp(server.sip(), "1000");
    let contact = format!("Contact: <sip:1000@127.0.0.1:{};transport=udp>\nExpires: 600", stays.port());
    let register = scenario("REGISTER", 401, "sip:[remote_ip]:[remote_port]", &contact, "");
    succeeded(&sipp(&server, folder.path(), "register.xml", &register, transport, free_port()));

    let plain = "Content-Type: text/plain;charset=UTF-8";
    let message = scenario("MESSAGE", 407, "sip:1001@[remote_ip]:[remote_port]", plain, TEXT);
    succeeded(&sipp(&server, folder.path(), "message.xml", &message, transport, free_port()));
    assert_eq!(to.receive().text().trim_end(), TEXT);

    let echo = scenario("MESSAGE", 407, "sip:echo@[remote_ip]:[remote_port]", plain, TEXT);
    succeeded(&sipp(&server, folder.path(), "echo.xml", &echo, transport, free_port()));
    assert_eq!(stays.receive().text().trim_end(), format!("Hello, you said: {TEXT}"));
}

#[test]
fn over_udp() {
    registers_sends_and_is_answered("u1");
}

#[test]
fn over_tcp() {
    registers_sends_and_is_answered("t1");
}

/// SIPp as the recipient: it answers 200 and ends well.
#[test]
fn receives() {
    if find("sipp").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let port = free_port();
    let contact = format!("Contact: <sip:1000@127.0.0.1:{port}>\nExpires: 600");
    let register = scenario("REGISTER", 401, "sip:[remote_ip]:[remote_port]", &contact, "");
    succeeded(&sipp(&server, folder.path(), "register.xml", &register, "u1", free_port()));
    let uas = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<scenario name=\"uas\">\n<recv request=\"MESSAGE\"/>\n<send><![CDATA[\n\
               SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:];tag=uas\n[last_Call-ID:]\n[last_CSeq:]\n\
               Content-Length: 0\n\n]]></send>\n</scenario>\n";
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| sipp(&server, folder.path(), "uas.xml", uas, "u1", port));
        let mut from = Agent::udp(server.sip(), "1001");
        assert_eq!(from.register(), 200);
        assert_eq!(from.message(&server.uri("1000"), "text/plain", TEXT.as_bytes()), 200);
        succeeded(&receiver.join().expect("sipp ran"));
    });
}
