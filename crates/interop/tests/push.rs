//! A phone that sleeps: the example receiver of the manual hears that it is to be woken, and it gets its message.

use std::net::TcpStream;
use std::process::Command;

use chappe_interop::{Agent, Driven, Folder, Server, find, free_port};

const SECRET: &str = "a secret of the test";

#[test]
fn a_sleeping_phone_is_woken_and_gets_its_message() {
    if find("python3").is_none() {
        return;
    }
    let port = free_port();
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/push_receiver.py"));
    command.arg(port.to_string()).env("PUSH_SECRET", SECRET);
    let receiver = Driven::start(command);
    receiver.expect("listens");
    let folder = Folder::new();
    let url = format!("http://127.0.0.1:{port}/wake");
    folder.profile(&[("push-webhook", &url), ("push-webhook-secret", SECRET), ("push-providers", "fcm")]);
    let server = Server::start(folder);

    let mut phone = Agent::tcp(server.sip(), "1001");
    let contact = |params: &str| format!("sip:1001@127.0.0.1:9;transport=tcp;{params}");
    assert_eq!(phone.register_contact(&contact("pn-provider=apns;pn-prid=T")), 555);
    assert_eq!(phone.register_contact(&contact("pn-provider=fcm;pn-prid=TOKEN-1")), 200);
    let mut sender = Agent::udp(server.sip(), "1000");
    assert_eq!(sender.message(&server.uri("1001"), "text/plain", b"awake"), 200);
    assert_eq!(phone.receive().text(), "awake");

    drop(phone);
    assert_eq!(sender.message(&server.uri("1001"), "text/plain", b"asleep"), 202);
    receiver.expect("wake 1001@127.0.0.1 message fcm TOKEN-1");
    let mut phone = Agent::tcp(server.sip(), "1001");
    assert_eq!(phone.register_contact(&contact("pn-provider=fcm;pn-prid=TOKEN-1")), 200);
    assert_eq!(phone.receive().text(), "asleep");

    // Who does not know the secret wakes nobody.
    use std::io::{Read as _, Write as _};
    let mut stranger = TcpStream::connect(("127.0.0.1", port)).expect("the receiver listens");
    let request = "POST /wake HTTP/1.0\r\nContent-Length: 2\r\nX-Chappe-Signature: t=1,v1=00\r\n\r\n{}";
    stranger.write_all(request.as_bytes()).expect("it takes a request");
    let mut answer = String::new();
    stranger.read_to_string(&mut answer).expect("it answers");
    assert!(answer.contains(" 401 "), "{answer}");
    assert!(!server.process.printed().contains("TOKEN-1"), "a token is nobody's business");
}
