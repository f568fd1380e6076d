//! Devices that sleep are woken, RFC 8599.

mod fixture;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use chappe_sip_msg::HeaderName;
use fixture::phone::{header_text, status};
use fixture::{Server, param};

const PATIENCE: Duration = Duration::from_secs(10);

/// Answers each request with what is given, the last again and again; the requests come out.
fn webhook(answers: &[u16]) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback socket");
    let addr = listener.local_addr().expect("a bound socket");
    let (told, requests) = channel();
    let mut answers = answers.to_vec();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
            if told.send(exchange(stream.expect("a connection"), answer)).is_err() {
                return;
            }
        }
    });
    (addr, requests)
}

fn exchange(mut stream: TcpStream, answer: u16) -> String {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut piece).expect("octets");
        request.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if count == 0 || text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.ends_with('}')) {
            let response = format!("HTTP/1.1 {answer} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(response.as_bytes()).expect("it listens");
            return text;
        }
    }
}

fn server(webhook: SocketAddr, more: &str) -> Server {
    let url = format!("http://{webhook}/wake");
    let params = [("push-webhook", &*url), ("push-webhook-secret", "s3"), ("push-providers", "fcm,acme")];
    let params: String = params.iter().map(|(name, value)| param(name, value)).collect();
    Server::with(&format!("{params}{more}"))
}

fn contact(params: &str) -> String {
    format!("Contact: <sip:1001@127.0.0.1:9;transport=tcp{params}>\r\n")
}

const SLEEPER: &str = ";pn-provider=fcm;pn-param=app;pn-prid=TOKEN";

fn says(request: &str, what: &str) -> bool {
    request.split_once("\r\n\r\n").is_some_and(|(_, body)| body.contains(what))
}

#[test]
fn a_registrar_says_whom_it_can_wake() {
    let (addr, _requests) = webhook(&[200]);
    let server = server(addr, &param("push-refresh-before", "120"));
    let mut phone = server.tcp_phone("1001");
    let caps = |answer: &[u8]| {
        let message = chappe_sip_msg::parse(answer).unwrap();
        let caps = message.named("Feature-Caps").map(|value| String::from_utf8_lossy(value).into_owned());
        (message.code().unwrap(), caps.collect::<Vec<_>>().join(" "))
    };
    let mut ask = |line: &str| caps(&phone.register_contacts(line));
    assert_eq!(ask(&contact("")), (200, String::new()));
    let all = "*;+sip.pns=\"fcm\" *;+sip.pns=\"acme\"";
    assert_eq!(ask(&contact(";pn-provider")), (200, all.to_owned()));
    assert_eq!(ask(&contact(SLEEPER)), (200, "*;+sip.pns=\"fcm\"".to_owned()));
    assert_eq!(ask(&contact(";pn-provider=apns;pn-prid=T")), (555, String::new()));
    let refreshed = contact(SLEEPER).replace('\r', ";+sip.pnsreg\r");
    assert_eq!(ask(&refreshed), (200, "*;+sip.pns=\"fcm\";+sip.pnsreg=\"120\"".to_owned()));
}

#[test]
fn a_message_for_a_device_that_sleeps_waits_and_has_it_woken_once() {
    let (addr, requests) = webhook(&[500, 200]);
    let server = server(addr, "");
    let mut phone = server.tcp_phone("1001");
    assert_eq!(status(&phone.register_contacts(&contact(SLEEPER))), 200);
    let mut sender = server.registered("1000");
    assert_eq!(status(&sender.message_while("1001", "awake", &mut [&mut phone])), 200);
    assert!(requests.try_recv().is_err(), "its connection stands");
    drop(phone);
    assert_eq!(status(&sender.message("1001", "asleep")), 202);
    assert_eq!(status(&sender.message("1001", "still asleep")), 202);
    let first = requests.recv_timeout(PATIENCE).unwrap();
    assert!(first.starts_with("POST /wake ") && says(&first, "\"pn-prid\":\"TOKEN\""), "{first}");
    let again = requests.recv_timeout(PATIENCE).unwrap();
    let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(&again), body(&first), "it is tried again after a 500");
    let mut phone = server.tcp_phone("1001");
    assert_eq!(status(&phone.register_contacts(&contact(SLEEPER))), 200);
    let [first, second] =
        [phone.receive(), phone.receive()].map(|one| String::from_utf8_lossy(&one).into_owned());
    assert!(first.ends_with("\r\n\r\nasleep") && second.ends_with("\r\n\r\nstill asleep"));
    assert!(requests.try_recv().is_err(), "once an interval");
}

#[test]
fn nobody_but_the_device_sees_what_it_is_woken_by() {
    let (addr, _requests) = webhook(&[200]);
    let server = server(addr, &param("multiple-registrations", "contact"));
    let mut phone = server.tcp_phone("1001");
    let own = header_text(&phone.register_contacts(&contact(SLEEPER)), HeaderName::Contact);
    assert!(own.contains("pn-prid=TOKEN"), "{own}");
    let mut other = server.phone("1001");
    let others = String::from_utf8_lossy(&other.register(600)).into_owned();
    assert!(others.contains("pn-prid=*") && !others.contains("TOKEN"), "{others}");
    for command in ["show registrations", "sofia status profile internal reg", "sofia_contact 1001@chat.test"]
    {
        let shown = server.api(command);
        assert!(!shown.contains("TOKEN"), "{command}: {shown}");
    }
    let events = format!("{:?}", server.seen.0.lock());
    assert!(events.contains("pn-prid=*") && !events.contains("TOKEN"));
    // The device's own request has it.
    let mut sender = server.registered("1000");
    assert_eq!(status(&sender.message_while("1001", "hello", &mut [&mut phone, &mut other])), 200);
    while phone.inbox.is_empty() {
        phone.pump(PATIENCE);
    }
    assert!(String::from_utf8_lossy(&phone.inbox[0]).contains("pn-prid=TOKEN"));
}

#[test]
fn a_registration_that_is_about_to_run_out_is_refreshed() {
    let (addr, requests) = webhook(&[204]);
    let server = server(addr, &param("push-refresh-before", "3600"));
    let mut phone = server.tcp_phone("1001");
    assert_eq!(status(&phone.register_contacts(&contact(SLEEPER))), 200);
    let request = requests.recv_timeout(PATIENCE).unwrap();
    assert!(says(&request, "\"event\":\"refresh\""), "{request}");
}
