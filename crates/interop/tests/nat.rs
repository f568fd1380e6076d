//! A phone behind NAT, which is reached by no other address than the one that the server saw.

mod network;

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use chappe_interop::{Agent, Driven, EventSocket, Folder, PASSWORD, Server, TEXT, pjsua2_python};
use network::{Network, PHONE, SERVER};

const PLAIN: &str = "text/plain;charset=UTF-8";

/// The server outside, and a user who is there as well.
struct Outside {
    server: Server,
    friend: Agent,
    at: SocketAddr,
}

impl Outside {
    fn new(network: &Network) -> Outside {
        let folder = Folder::new();
        folder.replace("name=\"sip-ip\" value=\"127.0.0.1\"", &format!("name=\"sip-ip\" value=\"{SERVER}\""));
        let at = SocketAddr::from((SERVER, folder.sip_port));
        let server = network.outside.within(|| Server::start(folder));
        let mut friend = network.outside.within(|| Agent::udp_at(SERVER, at, "1000"));
        assert_eq!(friend.register(), 200);
        Outside { server, friend, at }
    }

    fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.at)
    }

    /// Where the server saw the devices of 1001, the one that registered last at the end.
    fn seen(&self, network: &Network) -> Vec<SocketAddr> {
        let port = self.server.folder.event_port;
        let status = network
            .outside
            .within(|| EventSocket::connect(port).api("sofia xmlstatus profile internal reg 1001"));
        let field = |registration: &str, name: &str| {
            let (_, rest) = registration.split_once(&format!("<{name}>"))?;
            Some(rest.split('<').next()?.to_owned())
        };
        let addr = |registration: &str| {
            let ip: IpAddr = field(registration, "network-ip")?.parse().ok()?;
            Some(SocketAddr::new(ip, field(registration, "network-port")?.parse().ok()?))
        };
        status.split("<registration>").skip(1).filter_map(addr).collect()
    }

    /// The phone gets a message, its own gets through, and so does what the chatplan answers.
    fn talk(&mut self, phone: &mut Agent, text: &str) {
        assert_eq!(self.friend.message(&self.uri("1001"), PLAIN, text.as_bytes()), 200);
        assert_eq!(phone.receive().text(), text);
        assert_eq!(phone.message(&self.uri("1000"), PLAIN, text.as_bytes()), 200);
        assert_eq!(self.friend.receive().text(), text);
        assert_eq!(phone.message(&self.uri("echo"), PLAIN, text.as_bytes()), 200);
        assert_eq!(phone.receive().text(), format!("Hello, you said: {text}"));
    }
}

fn phone(network: &Network, at: SocketAddr, transport: &str) -> Agent {
    network.inside.within(|| match transport {
        "udp" => Agent::udp_at(PHONE, at, "1001"),
        _ => Agent::tcp(at, "1001"),
    })
}

/// Registers; the server saw it where the router has put it.
fn register(network: &Network, outside: &Outside, phone: &mut Agent) {
    assert_eq!(phone.register(), 200);
    let seen = outside.seen(network);
    let mapped = seen.iter().filter(|addr| network.mapping.has(**addr)).count();
    assert_eq!(mapped, 1, "{seen:?}, not at {:?}", network.mapping);
}

#[test]
fn by_udp_also_after_its_mapping_has_changed() {
    let Some(mut network) = Network::new() else { return };
    let mut outside = Outside::new(&network);
    let mut phone = phone(&network, outside.at, "udp");
    register(&network, &outside, &mut phone);
    outside.talk(&mut phone, TEXT);
    network.renumber();
    // The same socket and the same contact.
    register(&network, &outside, &mut phone);
    assert_eq!(outside.seen(&network).len(), 1, "the old way is forgotten");
    outside.talk(&mut phone, "from another address");
}

#[test]
fn by_tcp_also_after_its_mapping_has_changed() {
    let Some(mut network) = Network::new() else { return };
    let mut outside = Outside::new(&network);
    let mut before = phone(&network, outside.at, "tcp");
    register(&network, &outside, &mut before);
    outside.talk(&mut before, TEXT);
    network.renumber();
    // Nothing tells the server that the old connection leads nowhere.
    let mut after = phone(&network, outside.at, "tcp");
    register(&network, &outside, &mut after);
    outside.talk(&mut after, "by another connection");
}

/// RFC 5626 §3.5.2: the answer to a STUN binding request is where the phone is seen.
#[test]
fn a_phone_finds_out_by_stun_that_its_mapping_has_changed() {
    let Some(mut network) = Network::new() else { return };
    let outside = Outside::new(&network);
    let socket = network.inside.within(|| UdpSocket::bind((PHONE, 0))).expect("the phone's address");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a live socket");
    let before = mapped(&socket, outside.at);
    assert!(network.mapping.has(before), "{before} is not at {:?}", network.mapping);
    network.renumber();
    let after = mapped(&socket, outside.at);
    assert!(network.mapping.has(after), "{after} is not at {:?}", network.mapping);
}

/// RFC 8489 §14.2, the XOR-MAPPED-ADDRESS of the answer, which is the first attribute that we expect.
fn mapped(socket: &UdpSocket, server: SocketAddr) -> SocketAddr {
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    let request = [&[0, 1, 0, 0][..], &COOKIE, b"keep-alive!!"].concat();
    socket.send_to(&request, server).expect("a way out");
    let mut answer = [0; 512];
    let (length, _) = socket.recv_from(&mut answer).expect("an answer");
    let (head, attributes) = answer[..length].split_at(20);
    assert_eq!((&head[..2], &head[4..]), (&[1, 1][..], &request[4..]), "a success response to the request");
    assert_eq!(attributes[..6], [0, 0x20, 0, 8, 0, 1], "XOR-MAPPED-ADDRESS, IPv4");
    let port = u16::from_be_bytes([attributes[6] ^ COOKIE[0], attributes[7] ^ COOKIE[1]]);
    let ip: [u8; 4] = std::array::from_fn(|at| attributes[8 + at] ^ COOKIE[at]);
    SocketAddr::from((ip, port))
}

/// RFC 5626 §3.5.1, §4.4.1.
#[test]
fn a_phone_finds_out_by_a_ping_that_its_connection_is_gone() {
    let Some(mut network) = Network::new() else { return };
    let outside = Outside::new(&network);
    let mut stream = network.inside.within(|| TcpStream::connect(outside.at)).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a live socket");
    let mut pong = [0; 2];
    for _ in 0..2 {
        stream.write_all(b"\r\n\r\n").expect("the connection stands");
        stream.read_exact(&mut pong).expect("a pong");
        assert_eq!(&pong, b"\r\n");
    }
    network.renumber();
    // Whether it can still be written is the system's to say.
    let _ = stream.write_all(b"\r\n\r\n");
    assert!(!matches!(stream.read(&mut pong), Ok(1..)), "a pong by a connection that is gone");
}

/// A real phone: it has to find its own way out and to answer what comes in.
fn pjsua2(transport: &str) {
    let Some(python) = pjsua2_python() else { return };
    let Some(network) = Network::new() else { return };
    let mut outside = Outside::new(&network);
    let at = outside.at;
    let mut phone = network.inside.within(|| start(python, at, transport));
    phone.expect("registered 200");
    let seen = outside.seen(&network);
    assert!(seen.iter().any(|addr| network.mapping.has(*addr)), "{seen:?}, not at {:?}", network.mapping);
    assert_eq!(outside.friend.message(&outside.uri("1001"), PLAIN, TEXT.as_bytes()), 200);
    phone.expect(&format!("text/plain {TEXT}"));
    phone.say(&format!("{} {TEXT}", outside.uri("echo")));
    phone.expect(&format!("Hello, you said: {TEXT}"));
}

fn start(python: PathBuf, server: SocketAddr, transport: &str) -> Driven {
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/pjsua2_agent.py"));
    command.args([&server.to_string(), transport, "1001", PASSWORD]);
    command.env("PYTHONIOENCODING", "utf-8").env("PJSUA2_ADDRESS", PHONE.to_string());
    Driven::start(command)
}

#[test]
fn pjsua2_by_udp() {
    pjsua2("udp");
}

#[test]
fn pjsua2_by_tcp() {
    pjsua2("tcp");
}
