//! Kamailio as the gateway: registering with digest, sending through it, receiving from it.

use std::process::Command;
use std::time::{Duration, Instant};

use chappe_interop::{Agent, Driven, EventSocket, Folder, PASSWORD, Server, TEXT, find, free_port};

/// A Kamailio that asks everybody for the password, relays between its own users, and sends what is for `alice` to the contact
/// that she registered.
struct Kamailio {
    process: Driven,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Kamailio {
    fn start() -> Option<Self> {
        let program = find("kamailio")?;
        let (folder, port) = (tempfile::tempdir().expect("a temporary folder"), free_port());
        let file = folder.path().join("kamailio.cfg");
        std::fs::write(&file, configuration(port)).expect("a writable folder");
        let mut command = Command::new(program);
        command
            .arg("-f")
            .arg(&file)
            .args(["-DD", "-E", "-e", "-m", "32", "-M", "4", "-Y"])
            .arg(folder.path());
        command.arg("-w").arg(folder.path());
        Some(Self { process: Driven::start(command), port, _folder: folder })
    }
}

fn configuration(port: u16) -> String {
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "xlog.so"
modparam("usrloc", "db_mode", 0)
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")
request_route {{
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("up.test", "{PASSWORD}", "0")) {{ www_challenge("up.test", "1"); exit; }}
    save("location");
    exit;
  }}
  if (!is_method("MESSAGE")) {{ sl_send_reply("405", "Not Here"); exit; }}
  # The test's own agent is 1018, who shows no password.
  if ($fU != "1018") {{
    if (!pv_proxy_authenticate("up.test", "{PASSWORD}", "0")) {{ proxy_challenge("up.test", "1"); exit; }}
    consume_credentials();
  }}
  xlog("L_ERR", "relaying for $fU to $rU by $proto\n");
  if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
  t_relay();
}}
"#
    )
}

/// A server whose gateway is that Kamailio.
fn server(kamailio: &Kamailio, transport: &str) -> Server {
    let folder = Folder::new();
    let port = kamailio.port;
    let params = [
        ("username", "alice"),
        ("password", PASSWORD),
        ("proxy", &format!("127.0.0.1:{port}")),
        ("register-transport", transport),
        ("extension", "1001"),
        ("retry-seconds", "5"),
    ];
    let params: String =
        params.iter().map(|(name, value)| format!("<param name=\"{name}\" value=\"{value}\"/>\n")).collect();
    folder.replace(
        "<domains>",
        &format!("<gateways><gateway name=\"carrier\">{params}</gateway></gateways>\n<domains>"),
    );
    folder.write(
        "chatplan/default.xml",
        r#"<include>
<context name="default">
  <extension name="out">
    <condition field="to_user" expression="^(101[89])$">
      <action application="set" data="to=gateway/carrier/$1"/>
      <action application="send"/>
    </condition>
  </extension>
</context>
</include>
"#,
    );
    Server::start(folder)
}

fn registers_sends_and_receives(transport: &str) {
    let Some(kamailio) = Kamailio::start() else { return };
    // It serves once its port answers.
    let mut outside = ready(&kamailio);
    let server = server(&kamailio, transport);
    let events = EventSocket::connect(server.folder.event_port);
    until_registered(events);
    let mut inside = Agent::udp(server.sip(), "1001");
    assert_eq!(inside.register(), 200);

    for text in [TEXT, "again, with the nonce that is kept"] {
        let status = inside.message(&server.uri("1018"), "text/plain;charset=UTF-8", text.as_bytes());
        assert_eq!(status, 200);
        let got = outside.receive();
        assert_eq!(got.text(), text);
        assert!(got.header("From").is_some_and(|from| from.contains("sip:alice@")), "{}", got.head);
    }
    let relayed = format!("relaying for alice to 1018 by {transport}");
    kamailio.process.expect(&relayed);

    let alice = format!("sip:alice@127.0.0.1:{}", kamailio.port);
    assert_eq!(outside.message(&alice, "text/plain;charset=UTF-8", TEXT.as_bytes()), 200);
    assert_eq!(inside.receive().text(), TEXT);
}

/// The agent outside, registered at Kamailio.
fn ready(kamailio: &Kamailio) -> Agent {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], kamailio.port));
    let end = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "Kamailio does not listen");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let mut outside = Agent::udp(address, "1018");
    assert_eq!(outside.register(), 200);
    outside
}

fn until_registered(mut events: EventSocket) {
    let end = Instant::now() + Duration::from_secs(10);
    while !events.api("sofia status gateway carrier").contains("State   \tREGED") {
        assert!(Instant::now() < end, "the gateway does not register");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn over_udp() {
    registers_sends_and_receives("udp");
}

#[test]
fn over_tcp() {
    registers_sends_and_receives("tcp");
}
