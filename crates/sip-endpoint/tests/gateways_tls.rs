//! Gateways by TLS.

mod fixture;

use std::time::{Duration, Instant};

use chappe_chat::Delivery;
use chappe_event::{Event, EventName, header};
use chappe_sip_msg::HeaderName;
use fixture::Server;
use fixture::phone::{header_text, parsed, status};
use fixture::tls_device::Device;
use fixture::tls_wire::Certificates;
use fixture::upstream::{Upstream, gateway, with_gateways};

/// A server whose gateway is this device.
fn server(certificates: &Certificates, params: &str) -> Server {
    let gateway = gateway("carrier", &format!("username=alice password=x register-transport=tls {params}"));
    Server::profiles(&with_gateways(&certificates.params(), &gateway)).accept_after(4000)
}

fn certificates() -> Certificates {
    let certificates = Certificates::new();
    certificates.write("cafile.pem", &certificates.authority.pem());
    certificates
}

fn until_state(server: &Server, state: &str) {
    let end = Instant::now() + Duration::from_secs(10);
    let wanted = format!("State   \t{state}\n");
    loop {
        let status = server.api("sofia status gateway carrier");
        if status.contains(&wanted) {
            return;
        }
        assert!(Instant::now() < end, "{state} did not come about:\n{status}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

fn send(server: &Server, to: &str) -> Delivery {
    let mut event = Event::new(EventName::Message);
    for (name, value) in [(header::PROTO, "sip"), (header::FROM, "1000@chat.test"), (header::TO, to)] {
        event.add(name, value);
    }
    event.set_body(Some("by tls".to_owned().into()));
    server.runtime.block_on(server.router.chat_send("sip", &mut event))
}

#[test]
fn one_connection_carries_registration_and_messages() {
    let certificates = certificates();
    let device = Device::listen(&certificates.authority.issue(&["127.0.0.1"]));
    let server = server(&certificates, &format!("proxy={}", device.addr));
    until_state(&server, "REGED");
    let contact = format!("<sip:gw+carrier@{};transport=tls;gw=carrier>", server.at("tls"));
    let proxy = device.addr;
    for to in ["gateway/carrier/77", "gateway/carrier/77@elsewhere.test"] {
        let delivery = send(&server, to);
        assert!(matches!(delivery, Delivery::Delivered { code: 200, .. }), "{to}: {delivery:?}");
    }
    drop(server);
    let seen: Vec<_> = device.end().into_iter().map(|(_, request)| request).collect();
    let first =
        |index: usize| String::from_utf8_lossy(&seen[index]).lines().next().unwrap_or_default().to_owned();
    assert_eq!(first(0), format!("REGISTER sip:{proxy} SIP/2.0"));
    assert_eq!(header_text(&seen[0], HeaderName::Contact), contact);
    assert!(header_text(&seen[0], HeaderName::Via).starts_with("SIP/2.0/TLS "));
    assert_eq!(first(1), format!("MESSAGE sip:77@{proxy} SIP/2.0"));
    assert_eq!(parsed(&seen[1]).body(), b"by tls");
    assert_eq!(first(2), "MESSAGE sip:77@elsewhere.test SIP/2.0");
    assert_eq!(header_text(&seen[2], HeaderName::Route), format!("<sip:{proxy};lr>"));
    assert_eq!((first(3), seen.len()), (first(0), 4), "the farewell");
}

#[test]
fn the_certificate_is_the_register_proxys() {
    let certificates = certificates();
    let device = Device::listen(&certificates.authority.issue(&["127.0.0.1"]));
    let server = server(&certificates, &format!("proxy=up.test register-proxy={}", device.addr));
    until_state(&server, "REGED");
    drop(server);
    let (_, request) = device.end().remove(0);
    assert!(request.starts_with(b"REGISTER sip:up.test SIP/2.0\r\n"));
}

#[test]
fn whoever_is_not_the_gateway_sees_no_register() {
    let certificates = certificates();
    let strangers = fixture::tls_wire::Authority::new("somebody else").issue(&["127.0.0.1"]);
    let another_name = certificates.authority.issue(&["192.0.2.1"]);
    for own in [&strangers, &another_name] {
        let device = Device::listen(own);
        let server = server(&certificates, &format!("proxy={}", device.addr));
        until_state(&server, "FAIL_WAIT");
        drop(server);
        assert!(device.end().is_empty());
    }
}

/// The same by UDP is `a_message_from_a_gateway_needs_no_password_and_finds_its_extension`.
#[test]
fn a_datagram_from_the_address_of_a_gateway_by_tls_is_a_strangers() {
    let certificates = certificates();
    let device = Device::listen(&certificates.authority.issue(&["127.0.0.1"]));
    let upstream = Upstream::at(device.addr);
    let own = device.addr;
    let server = server(&certificates, &format!("proxy={own} extension=1001"));
    until_state(&server, "REGED");
    let message = format!(
        "MESSAGE sip:gw+carrier@{addr};gw=carrier SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+4912@up.test>;tag=1\r\nTo: <sip:alice@up.test>\r\n\
         Call-ID: in-1\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
        addr = server.addr()
    );
    upstream.send(&message, server.addr());
    assert_eq!(status(&upstream.receive().bytes), 407);
}
