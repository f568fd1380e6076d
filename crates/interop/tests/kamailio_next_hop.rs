//! Kamailio as the next hop: as the server of another domain, found by DNS, and as the edge that devices are behind.

mod names;
mod upstream;

use std::net::Ipv4Addr;

use chappe_interop::{Agent, Folder, Server, TEXT};
use names::Zone;
use upstream::{At, Kamailio, secured};

/// Kamailio's address, by which the server knows it.
const THERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const PLAIN: &str = "text/plain;charset=UTF-8";

/// Serves up.test, whose users need no password. What is for anybody else, and the registrations of 1000 to 1019, it sends
/// to us, and puts itself into their Path.
const ROUTES: &str = r#"
request_route {
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  # To loose_route a Route of its own alone, without a dialog, is none.
  if (is_present_hf("Route")) {
    loose_route();
    xlog("L_ERR", "by route to $rU by $proto\n");
    t_relay();
    exit;
  }
  if (is_method("REGISTER") && $fU =~ "^10") {
    append_hf("Path: <sip:edge@THERE;transport=TRANSPORT;lr>\r\n", "Max-Forwards");
    $du = "sip:HERE;transport=TRANSPORT";
    t_relay();
    exit;
  }
  if (is_method("REGISTER")) { save("location"); exit; }
  if (!is_method("MESSAGE")) { sl_send_reply("405", "Not Here"); exit; }
  xlog("L_ERR", "relaying for $fU to $rU at $rd by $proto\n");
  if ($rd == "up.test" || $rd == "127.0.0.2") {
    if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    t_relay();
    exit;
  }
  $du = "sip:HERE;transport=TRANSPORT";
  t_relay();
}
"#;

/// A server and a Kamailio, who reach each other by one transport.
struct Pair {
    kamailio: Kamailio,
    server: Server,
}

fn pair(transport: &str) -> Option<Pair> {
    let folder = Folder::new();
    let secure = secured(&folder);
    let at = At::new(THERE);
    let here = match transport {
        "tls" => secure.tls().to_string(),
        _ => format!("127.0.0.1:{}", folder.sip_port),
    };
    let there = format!("{THERE}:{}", if transport == "tls" { at.tls_port } else { at.port });
    let routes = ROUTES.replace("TRANSPORT", transport).replace("THERE", &there).replace("HERE", &here);
    // RFC 5922 §4: the certificate names the domain, whatever DNS calls the machine.
    let kamailio = Kamailio::start(at, &secure, &["up.test", "127.0.0.2"], &routes)?;
    Some(Pair { server: server(folder, &kamailio, transport), kamailio })
}

/// Finds up.test by DNS, and asks what comes from there for no password.
fn server(folder: Folder, kamailio: &Kamailio, transport: &str) -> Server {
    let service = match transport {
        "tls" => "_sips._tcp",
        "tcp" => "_sip._tcp",
        _ => "_sip._udp",
    };
    let dns = names::serve(Zone {
        service: format!("{service}.up.test"),
        host: "edge.up.test".to_owned(),
        addr: (THERE, kamailio.by(transport).port()),
    });
    let sofia = "<configuration name=\"sofia.conf\">";
    let settings =
        format!("<global_settings><param name=\"name-server\" value=\"{dns}\"/></global_settings>");
    folder.replace(sofia, &format!("{sofia}{settings}"));
    folder.profile(&[("apply-inbound-acl", "127.0.0.2/32")]);
    Server::start(folder)
}

/// To a user of a domain that is not ours, from there, and an answer of the chatplan's to there.
fn another_domain(transport: &str) {
    let Some(Pair { kamailio, server }) = pair(transport) else { return };
    let mut bob = Agent::udp(kamailio.addr(), "bob");
    assert_eq!(bob.register(), 200);
    let mut inside = Agent::udp(server.sip(), "1001");
    assert_eq!(inside.register(), 200);

    assert_eq!(inside.message("sip:bob@up.test", PLAIN, TEXT.as_bytes()), 200);
    assert_eq!(bob.receive().text(), TEXT);
    kamailio.process.expect(&format!("relaying for 1001 to bob at up.test by {transport}"));
    assert_eq!(bob.message(&server.uri("1001"), PLAIN, TEXT.as_bytes()), 200);
    assert_eq!(inside.receive().text(), TEXT);
    assert_eq!(bob.message(&server.uri("echo"), PLAIN, TEXT.as_bytes()), 200);
    assert_eq!(bob.receive().text(), format!("Hello, you said: {TEXT}"));
}

/// A device that registers through Kamailio is reached through it, RFC 3327.
fn an_edge(transport: &str) {
    let Some(Pair { kamailio, server }) = pair(transport) else { return };
    let mut behind = Agent::udp(kamailio.addr(), "1002").of("127.0.0.1");
    assert_eq!(behind.register(), 200);
    let mut inside = Agent::udp(server.sip(), "1001");
    assert_eq!(inside.register(), 200);

    assert_eq!(inside.message(&server.uri("1002"), PLAIN, TEXT.as_bytes()), 200);
    assert_eq!(behind.receive().text(), TEXT);
    kamailio.process.expect(&format!("by route to 1002 by {transport}"));
    assert_eq!(behind.message(&server.uri("1001"), PLAIN, TEXT.as_bytes()), 200);
    assert_eq!(inside.receive().text(), TEXT);
    assert_eq!(behind.message(&server.uri("echo"), PLAIN, TEXT.as_bytes()), 200);
    assert_eq!(behind.receive().text(), format!("Hello, you said: {TEXT}"));
}

#[test]
fn of_another_domain_by_udp() {
    another_domain("udp");
}

#[test]
fn of_another_domain_by_tcp() {
    another_domain("tcp");
}

#[test]
fn of_another_domain_by_tls() {
    another_domain("tls");
}

#[test]
fn of_devices_by_udp() {
    an_edge("udp");
}

#[test]
fn of_devices_by_tcp() {
    an_edge("tcp");
}

#[test]
fn of_devices_by_tls() {
    an_edge("tls");
}
