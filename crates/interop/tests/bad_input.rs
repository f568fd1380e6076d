//! What nobody should send: it is answered where an answer is possible, and costs neither the server nor its memory.

use chappe_interop::{Agent, Driven, Folder, Server, binary};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);
/// No test of this file may take the server beyond this, MB of resident memory. Freshly started it has 15.
const BOUND: usize = 64;

/// A server that asks nobody for a password, so that bad input gets as far as it can.
fn open_server(params: &[(&str, &str)]) -> Server {
    let open = [("auth-messages", "false"), ("accept-blind-reg", "true")];
    let lines: String = open
        .iter()
        .chain(params)
        .map(|(name, value)| format!("<param name=\"{name}\" value=\"{value}\"/>\n"))
        .collect();
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let first = "<param name=\"context\" value=\"default\"/>";
    assert!(main.contains(first));
    folder.write("freeswitch.xml", &main.replace(first, &format!("{first}\n{lines}")));
    Server::start(folder)
}

/// Whether the server answers and is not too big; called after whatever was done to it.
fn stands(server: &Server) {
    let mut agent = Agent::udp(server.sip(), "1019");
    // A full registrar refuses it, and then the answer comes back all the same.
    agent.register();
    assert_eq!(agent.message(&server.uri("echo"), "text/plain", b"still there?"), 200);
    assert_eq!(agent.receive().text(), "Hello, you said: still there?");
    let size = resident(server);
    println!("{size} MB");
    assert!(size < BOUND, "the server has {size} MB");
    assert!(!server.process.printed().contains("panicked"), "{}", server.process.printed());
}

/// MB of memory that the server's process has.
fn resident(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
    line.split_whitespace().next().and_then(|kb| kb.parse::<usize>().ok()).expect("kilobytes") / 1024
}

fn console(server: &Server, command: &str) -> String {
    let port = server.folder.event_port.to_string();
    let output = Command::new(binary())
        .args(["console", "-H", "127.0.0.1", "-P", &port, "-p", "ClueCon", "-x", command])
        .output()
        .expect("the binary runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

struct Peer {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Peer {
    fn of(server: &Server) -> Peer {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Peer { socket, server: server.sip() }
    }

    fn port(&self) -> u16 {
        self.socket.local_addr().expect("a bound socket").port()
    }

    fn say(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.server).expect("loopback carries what we send");
    }

    /// The next response's first line.
    fn hear(&self) -> String {
        let mut datagram = vec![0; 65_536];
        let length = self.socket.recv(&mut datagram).expect("an answer");
        first_line(&datagram[..length])
    }

    /// A request of `method` from this peer, with whole header lines instead of those of the same name.
    fn request(&self, method: &str, to: &str, lines: &[String], body: &str) -> Vec<u8> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let (number, port) = (NUMBER.fetch_add(1, Ordering::Relaxed), self.port());
        let usual = [
            format!("Via: SIP/2.0/UDP 127.0.0.1:{port};rport;branch=z9hG4bKbad{number}"),
            "Max-Forwards: 70".to_owned(),
            format!("From: <sip:1000@127.0.0.1>;tag=f{number}"),
            format!("To: <sip:{to}@{}>", self.server),
            format!("Call-ID: bad-{number}-{port}"),
            format!("CSeq: {number} {method}"),
            format!("Content-Length: {}", body.len()),
        ];
        let name = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
        let mut text = format!("{method} sip:{to}@{} SIP/2.0\r\n", self.server);
        for line in usual.iter().filter(|line| !lines.iter().any(|other| name(other) == name(line))) {
            text += &format!("{line}\r\n");
        }
        for line in lines {
            text += &format!("{line}\r\n");
        }
        (text + "\r\n" + body).into_bytes()
    }
}

fn first_line(message: &[u8]) -> String {
    String::from_utf8_lossy(message).lines().next().unwrap_or_default().to_owned()
}

fn stream(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.sip()).expect("the server accepts connections");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// All that comes until `answers` responses are there or the connection ends.
fn read(stream: &mut TcpStream, answers: usize) -> String {
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while String::from_utf8_lossy(&heard).matches("\r\n\r\n").count() < answers {
        match stream.read(&mut piece) {
            Ok(count @ 1..) => heard.extend_from_slice(&piece[..count]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn what_is_not_sip_is_dropped() {
    let server = open_server(&[]);
    let peer = Peer::of(&server);
    let whole = peer.request("MESSAGE", "echo", &[], "x");
    let mut nonsense: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![0xff; 1400],
        vec![b','; 65_000],
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"SIP/2.0".to_vec(),
        b"SIP/2.0 200 OK\r\n\r\n".to_vec(),
        b"MESSAGE sip:a@b SIP/2.0\r\n\r\n".to_vec(),
        [b"MESSAGE sip:a@b SIP/2.0\r\nX: ".to_vec(), vec![b'y'; 60_000]].concat(),
        b"\x80\x6f\x00\x01".repeat(300),
    ];
    // Every beginning of a good message: headers without an end.
    nonsense.extend((1..whole.len() - 5).map(|length| whole[..length].to_vec()));
    for datagram in &nonsense {
        peer.say(datagram);
    }
    for bytes in nonsense.iter().take(10) {
        let mut stream = stream(&server);
        // The server may close the connection while we write.
        let _ = stream.write_all(bytes);
    }
    stands(&server);
}

#[test]
fn a_header_without_an_end_is_refused_on_a_stream() {
    let server = open_server(&[]);
    let mut stream = stream(&server);
    let _ = stream.write_all(b"MESSAGE sip:echo@127.0.0.1 SIP/2.0\r\nX: ");
    let piece = [b'y'; 16 * 1024];
    let written = (0..4096).take_while(|_| stream.write_all(&piece).is_ok()).count();
    assert!(written < 4096, "64 MB of one header were taken");
    stands(&server);
}

#[test]
fn a_content_length_that_lies_in_a_datagram() {
    let server = open_server(&[]);
    let peer = Peer::of(&server);
    let with =
        |length: &str| peer.request("MESSAGE", "echo", &[format!("Content-Length: {length}")], "hello");
    for wrong in ["6", "99999", "99999999999999999999", "-1", "five", "5, 5", "0x5"] {
        peer.say(&with(wrong));
        let answer = peer.hear();
        assert!(answer.starts_with("SIP/2.0 400 "), "{wrong}: {answer}");
    }
    let twice = ["Content-Length: 5".to_owned(), "Content-Length: 4".to_owned()];
    peer.say(&peer.request("MESSAGE", "echo", &twice, "hello"));
    assert!(peer.hear().starts_with("SIP/2.0 400 "));

    // RFC 3261 §18.3: what is behind the body is cut off.
    let mut agent = Agent::udp(server.sip(), "1000");
    assert_eq!(agent.register(), 200);
    peer.say(&with("2"));
    assert_eq!(agent.receive().text(), "Hello, you said: he");
    stands(&server);
}

#[test]
fn a_content_length_that_lies_on_a_stream() {
    let server = open_server(&[]);
    let peer = Peer::of(&server);
    let options = || peer.request("OPTIONS", "echo", &[], "");

    let mut pipelined = stream(&server);
    let three = [options(), options(), options()].concat();
    for piece in three.chunks(7) {
        pipelined.write_all(piece).expect("an open connection");
    }
    assert_eq!(read(&mut pipelined, 3).matches("SIP/2.0 200 ").count(), 3);

    // Too little: the rest of the body stands where the next message should.
    let mut short = stream(&server);
    let lie = peer.request("OPTIONS", "echo", &["Content-Length: 1".to_owned()], "hello");
    short.write_all(&[lie, options()].concat()).expect("an open connection");
    let heard = read(&mut short, 2);
    assert!(heard.starts_with("SIP/2.0 200 "), "{heard}");
    // RFC 4475 §3.1.2.18.
    assert!(heard.contains("SIP/2.0 501 "), "there is no method `elloOPTIONS`: {heard}");

    // Too much: it swallows what follows, and no more than that.
    let mut long = stream(&server);
    let lie = peer.request("OPTIONS", "echo", &["Content-Length: 5000000".to_owned()], "");
    long.write_all(&[lie, options()].concat()).expect("an open connection");
    let heard = read(&mut long, 9);
    assert!(heard.starts_with("SIP/2.0 513 "), "{heard}");

    for (first, second) in [("5", "4"), ("4", "x")] {
        let mut torn = stream(&server);
        let lines = [format!("Content-Length: {first}"), format!("l: {second}")];
        torn.write_all(&peer.request("MESSAGE", "echo", &lines, "hello")).expect("an open connection");
        let heard = read(&mut torn, 9);
        assert!(heard.starts_with("SIP/2.0 400 "), "{heard}");
        assert_eq!(heard.matches("SIP/2.0 ").count(), 1, "{heard}");
    }
    stands(&server);
}

#[test]
fn commas_by_the_kilobyte() {
    let server = open_server(&[]);
    let peer = Peer::of(&server);
    let started = std::time::Instant::now();
    for name in ["Contact", "Via", "Route", "From", "To", "Path", "Require", "Allow", "X-Y", "Record-Route"] {
        for line in [
            format!("{name}: {}", ",".repeat(60_000)),
            format!("{name}: <sip:a@127.0.0.1>{}", ", <sip:a@127.0.0.1>".repeat(400)),
            vec![format!("{name}: {}", ",".repeat(7_000)); 8].join("\r\n"),
            vec![format!("{name}: {}a", "a,".repeat(3_500)); 8].join("\r\n"),
        ] {
            for method in ["REGISTER", "MESSAGE", "OPTIONS"] {
                let request = peer.request(method, "1003", std::slice::from_ref(&line), "");
                peer.say(&request);
                let mut stream = stream(&server);
                let _ = stream.write_all(&request);
            }
        }
    }
    stands(&server);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_chatplan_that_sends_to_itself_comes_to_an_end() {
    let server = open_server(&[]);
    let send = |interface: &str| format!(r#"<action application="send" data="{interface}"/>"#);
    let forget = r#"<action application="set" data="skip_global_process=false"/>
        <action application="unset" data="max_forwards"/><action application="unset" data="skip_global_process"/>"#;
    let again =
        [send("GLOBAL_SMS"), forget.to_owned(), send("global"), forget.to_owned(), send("GLOBAL_SMS")];
    let plan = format!(
        r#"<include>
        <context name="default">
        <extension name="spiral"><condition field="to_user" expression="^spiral$">
        {}
        </condition></extension>
        <extension name="echo"><condition field="to_user" expression="^echo$">
          <action application="reply" data="Hello, you said: ${{body}}"/>
        </condition></extension></context>
        </include>"#,
        again.join("\n")
    );
    server.folder.write("chatplan/default.xml", &plan);
    let said = console(&server, "reloadxml");
    assert!(said.starts_with("+OK"), "{said}");
    let mut sender = Agent::udp(server.sip(), "1000");
    let status = sender.message(&server.uri("spiral"), "text/plain", b"round and round");
    assert!(status >= 400, "{status}");
    stands(&server);
}

#[test]
fn a_device_that_is_the_server_itself_ends_the_circle() {
    let server = open_server(&[]);
    let peer = Peer::of(&server);
    for user in ["1001", "1002"] {
        let contact = format!("Contact: <sip:1002@{}>, <sip:1001@{0};transport=tcp>", server.sip());
        peer.say(&peer.request("REGISTER", user, &[contact], ""));
        assert!(peer.hear().starts_with("SIP/2.0 200 "));
    }
    let mut sender = Agent::udp(server.sip(), "1000");
    assert_eq!(sender.message(&server.uri("1001"), "text/plain", b"round"), 482);
    stands(&server);
}

/// Neither knows the other: what goes round between them is told by its hops, RFC 3261 §16.3 steps 3 and 4.
#[test]
fn a_circle_through_two_servers_ends() {
    let (one, other) = (open_server(&[]), open_server(&[]));
    for (server, next) in [(&one, &other), (&other, &one)] {
        let peer = Peer::of(server);
        let contact = format!("Contact: <sip:1001@{}>", next.sip());
        peer.say(&peer.request("REGISTER", "1001", &[contact], ""));
        assert!(peer.hear().starts_with("SIP/2.0 200 "));
    }
    let mut sender = Agent::udp(one.sip(), "1000");
    let status = sender.message(&one.uri("1001"), "text/plain", b"round");
    assert!([482, 483].contains(&status), "{status}");
    stands(&one);
    stands(&other);
}

#[test]
fn half_a_frame_of_an_event_socket_client() {
    let server = open_server(&[]);
    let open = |text: &[u8]| {
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, server.folder.event_port)).expect("it accepts");
        let _ = stream.write_all(text);
        stream
    };
    // 64 without a password may be there at once: these are 50, so that the console below finds a place
    let accepted = |mut stream: TcpStream| {
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said).contains("+OK accepted") {
            let mut piece = [0; 256];
            let count = stream.read(&mut piece).expect("an open connection");
            assert_ne!(count, 0, "closed after {}", String::from_utf8_lossy(&said));
            said.extend_from_slice(&piece[..count]);
        }
        stream
    };
    let mut kept: Vec<TcpStream> = (0..100)
        .map(|number| match number % 4 {
            0 => open(b"auth ClueCon"),
            1 => accepted(open(b"auth ClueCon\n\nsendevent CUSTOM\nContent-Length: 5000\n\nhalf")),
            2 => accepted(open(b"auth ClueCon\n\napi sta")),
            _ => open(b""),
        })
        .collect();
    let mut endless = open(b"auth ClueCon\n\nsendevent CUSTOM\n");
    let line = [b"X-A: ".as_slice(), &[b'b'; 16_000], b"\n"].concat();
    // refused or read and forgotten: 64 MB of one command must not be kept
    let _ = (0..4096).take_while(|_| endless.write_all(&line).is_ok()).count();
    assert!(resident(&server) < BOUND, "64 MB of one command were kept");
    kept.push(endless);
    assert!(console(&server, "status").contains("UP "));
    stands(&server);
}

#[test]
fn thousands_of_idle_connections() {
    let server = open_server(&[("max-connections-per-ip", "10000")]);
    let mut idle: Vec<TcpStream> = (0..4000).map(|_| stream(&server)).collect();
    for (number, stream) in idle.iter_mut().enumerate() {
        match number % 3 {
            0 => stream
                .write_all(b"MESSAGE sip:echo@127.0.0.1 SIP/2.0\r\nVia: half")
                .expect("an open connection"),
            1 => stream.write_all(b"\r\n").expect("an open connection"),
            _ => {}
        }
    }
    let mut by_tcp = Agent::tcp(server.sip(), "1000");
    assert_eq!(by_tcp.message(&server.uri("echo"), "text/plain", b"hi"), 200);
    assert_eq!(by_tcp.receive().text(), "Hello, you said: hi");
    assert!(console(&server, "status").contains("UP "));
    stands(&server);
}

#[test]
fn connections_leave_descriptors_for_the_rest() {
    let folder = Folder::new();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 200; exec \"$0\" serve --conf \"$1\""]).arg(binary()).arg(folder.path());
    let process = Driven::start(command);
    process.expect("ready\n");
    let server = Server { folder, process };
    let _idle: Vec<TcpStream> = (0..400).map(|_| stream(&server)).collect();
    assert!(console(&server, "status").contains("UP "));
    assert!(console(&server, "reloadxml").starts_with("+OK"));
    stands(&server);
}

#[test]
fn a_flood_without_credentials() {
    let server = Server::start(Folder::new());
    let peer = Peer::of(&server);
    peer.say(&peer.request("MESSAGE", "1001", &[], "x"));
    assert!(peer.hear().starts_with("SIP/2.0 407 "));
    let before = resident(&server);
    for _ in 0..30_000 {
        peer.say(&peer.request("MESSAGE", "1001", &[], "x"));
        assert!(peer.hear().starts_with("SIP/2.0 407 "));
    }
    let grown = resident(&server).saturating_sub(before);
    println!("grown by {grown} MB");
    assert!(grown < 10, "strangers cost {grown} MB");
}

#[test]
fn a_flood_of_registrations() {
    let server = open_server(&[("max-registrations", "2000")]);
    let peer = Peer::of(&server);
    let answer = |user: &str, port: usize| {
        let padding = "x".repeat(1_000);
        let contact = format!("Contact: <sip:{user}@127.0.0.1:{port};pad={padding}>;expires=3600");
        let agent = format!("User-Agent: {}", "y".repeat(5_000));
        peer.say(&peer.request("REGISTER", user, &[contact, agent], ""));
        peer.hear()
    };
    let of_one = (1..=500).filter(|port| answer("1000", 10_000 + port).contains(" 200 ")).count();
    assert_eq!(of_one, 50);
    let of_many = (1..=20_000).filter(|user| answer(&format!("u{user}"), 9).contains(" 200 ")).count();
    assert_eq!(of_one + of_many, 2000);
    assert!(console(&server, "sofia status").contains("internal"));
    stands(&server);
}

#[test]
fn a_wrong_configuration_is_told_whole_and_applied_not_at_all() {
    let server = open_server(&[]);
    let main = std::fs::read_to_string(server.folder.path().join("freeswitch.xml")).expect("just written");
    let wrong = main
        .replace(r#"name="sip-ip" value="127.0.0.1""#, r#"name="sip-ip" value="nowhere""#)
        .replace(r#"name="auth-messages" value="false""#, r#"name="auth-messages" value="true""#)
        .replace(&format!("value=\"{}\"", server.folder.event_port), "value=\"port\"");
    assert_ne!(wrong, main);
    server.folder.write("freeswitch.xml", &wrong);
    let said = console(&server, "reloadxml");
    assert!(said.contains("-ERR"), "{said}");
    assert!(said.contains("freeswitch.xml:") && said.contains("and 1 more"), "{said}");
    for part in ["sip-ip nowhere", "listen-port: `port`"] {
        server.process.expect(part);
    }

    // Without credentials, as before.
    let peer = Peer::of(&server);
    peer.say(&peer.request("MESSAGE", "echo", &[], "x"));
    assert!(peer.hear().starts_with("SIP/2.0 200 "));

    server.folder.write("freeswitch.xml", &main.replace("</section>", "</sektion>"));
    let said = console(&server, "reloadxml");
    assert!(said.contains("-ERR") && said.contains("freeswitch.xml:"), "{said}");
    stands(&server);
}
