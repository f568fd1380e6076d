//! Kamailio as the gateway: registering with digest, sending through it, receiving from it.

mod upstream;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use chappe_interop::{Agent, EventSocket, Folder, PASSWORD, Server, TEXT};
use upstream::{At, Kamailio, secured};

/// Asks everybody for the password, relays between its own users, and sends what is for `alice` to the contact that she
/// registered.
const ROUTES: &str = r#"
request_route {
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("up.test", "PASSWORD", "0")) { www_challenge("up.test", "1"); exit; }
    save("location");
    exit;
  }
  if (!is_method("MESSAGE")) { sl_send_reply("405", "Not Here"); exit; }
  # The test's own agent is 1018, who shows no password.
  if ($fU != "1018") {
    if (!pv_proxy_authenticate("up.test", "PASSWORD", "0")) { proxy_challenge("up.test", "1"); exit; }
    consume_credentials();
  }
  xlog("L_ERR", "relaying for $fU to $rU by $proto\n");
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
"#;

/// A folder whose gateway is that Kamailio.
fn gateway(folder: &Folder, kamailio: &Kamailio, transport: &str) {
    let params = [
        ("username", "alice"),
        ("password", PASSWORD),
        ("proxy", &kamailio.by(transport).to_string()),
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
}

fn registers_sends_and_receives(transport: &str) {
    let folder = Folder::new();
    let secure = secured(&folder);
    let routes = ROUTES.replace("PASSWORD", PASSWORD);
    let at = At::new(Ipv4Addr::LOCALHOST);
    let Some(kamailio) = Kamailio::start(at, &secure, &["127.0.0.1"], &routes) else { return };
    let mut outside = Agent::udp(kamailio.addr(), "1018");
    assert_eq!(outside.register(), 200);
    gateway(&folder, &kamailio, transport);
    let server = Server::start(folder);
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
    kamailio.process.expect(&format!("relaying for alice to 1018 by {transport}"));

    let alice = format!("sip:alice@{}", kamailio.addr());
    assert_eq!(outside.message(&alice, "text/plain;charset=UTF-8", TEXT.as_bytes()), 200);
    assert_eq!(inside.receive().text(), TEXT);
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

/// With both certificates checked, and the gateway's name in its own.
#[test]
fn over_tls() {
    registers_sends_and_receives("tls");
}
