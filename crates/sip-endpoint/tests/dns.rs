//! RFC 3263: where messages to other domains go.

mod fixture;

use std::net::Ipv4Addr;

use fixture::Server;
use fixture::dns::{Data, Dns};
use fixture::phone::{Phone, status};
use fixture::upstream::{Upstream, with_gateways};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A server that asks this DNS server.
fn server(dns: &Dns, gateways: &str) -> Server {
    let settings = format!("<param name=\"name-server\" value=\"{}\"/>", dns.addr);
    let profiles = with_gateways("", gateways);
    Server::profiles(&format!("{profiles}</profiles><global_settings>{settings}</global_settings><profiles>"))
        .accept_after(4000)
}

/// Sends to bob of a domain; the request that is answered later.
fn send(phone: &mut Phone, domain: &str) -> String {
    let to = format!("sip:bob@{domain}");
    let first = phone.transact(&phone.request("MESSAGE", &to, &to, "", "x"));
    let credentials = phone.credentials(&first, "MESSAGE", &to).expect("it is challenged");
    let request = phone.request("MESSAGE", &to, &to, &credentials, "x");
    phone.send_raw(request.as_bytes());
    request
}

#[test]
fn the_servers_of_a_domain_are_tried_in_their_order() {
    let (first, second) = (Upstream::new(), Upstream::new());
    let dns = Dns::with(vec![
        ("elsewhere.test", Data::Naptr(10, 20, "SIP+D2T", "_sip._tcp.unused.test")),
        ("elsewhere.test", Data::Naptr(10, 10, "SIP+D2U", "_sip._udp.elsewhere.test")),
        ("_sip._udp.elsewhere.test", Data::Srv(20, 0, second.addr().port(), "b.test")),
        ("_sip._udp.elsewhere.test", Data::Srv(10, 0, first.addr().port(), "a.test")),
        ("a.test", Data::A(HERE)),
        ("b.test", Data::A(HERE)),
    ]);
    let server = server(&dns, "");
    let mut phone = server.phone("1000");
    for turn in 0..3 {
        let request = send(&mut phone, "elsewhere.test");
        let asked = first.receive();
        assert_eq!(asked.line(), "MESSAGE sip:bob@elsewhere.test SIP/2.0");
        if turn == 0 {
            first.answer(&asked, 200, &[]);
            assert_eq!(status(&phone.response_to(&request)), 200);
            continue;
        }
        // RFC 3263 §4.3: a server that is too busy is not the last one.
        first.answer(&asked, 503, &[]);
        let again = second.receive();
        assert_ne!(
            again.header(chappe_sip_msg::HeaderName::Via),
            asked.header(chappe_sip_msg::HeaderName::Via)
        );
        let (code, expected) = if turn == 1 { (200, 200) } else { (503, 500) };
        second.answer(&again, code, &[]);
        assert_eq!(status(&phone.response_to(&request)), expected);
    }
    for question in ["NAPTR elsewhere.test", "SRV _sip._udp.elsewhere.test", "A a.test"] {
        assert_eq!(dns.count(question), 1, "{question} is kept");
    }
}

#[test]
fn a_domain_without_records_is_404_and_not_asked_for_at_once_again() {
    let dns = Dns::with(vec![("other.example", Data::A(HERE))]);
    let server = server(&dns, "");
    let mut phone = server.phone("1000");
    for _ in 0..2 {
        let request = send(&mut phone, "nowhere.example");
        assert_eq!(status(&phone.response_to(&request)), 404);
    }
    assert_eq!(dns.count("NAPTR nowhere.example"), 1);
}

#[test]
fn a_gateway_is_found_by_dns_and_moves_on_to_its_next_server() {
    let (first, second) = (Upstream::new(), Upstream::new());
    let dns = Dns::with(vec![
        ("_sip._udp.carrier.test", Data::Srv(1, 0, first.addr().port(), "a.carrier.test")),
        ("_sip._udp.carrier.test", Data::Srv(2, 0, second.addr().port(), "b.carrier.test")),
        ("a.carrier.test", Data::A(HERE)),
        ("b.carrier.test", Data::A(HERE)),
    ]);
    let params = "username=alice password=x proxy=carrier.test register-transport=udp";
    let server = server(&dns, &fixture::upstream::gateway("carrier", params));
    let asked = first.receive();
    assert_eq!(asked.line(), "REGISTER sip:carrier.test SIP/2.0");
    first.answer(&asked, 503, &[]);
    second.grant(&second.receive(), 600);
    while !server.api("sofia status").contains("REGED") {
        std::thread::park_timeout(std::time::Duration::from_millis(2));
    }
    assert_eq!(dns.count("NAPTR carrier.test"), 0);
    let dug = server.api("sofia_dig carrier.test");
    let ports: Vec<_> = dug.lines().skip(2).map(|line| line.split('\t').nth(3).unwrap().trim()).collect();
    assert_eq!(ports, [first.addr().port().to_string(), second.addr().port().to_string()], "{dug}");
}
