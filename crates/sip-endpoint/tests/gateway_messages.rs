//! Messages that leave through a gateway, and those that come from one.

mod fixture;

use std::net::TcpListener;
use std::time::Duration;

use chappe_chat::Delivery;
use chappe_event::{Event, EventName, header};
use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, parsed, status};
use fixture::upstream::{Upstream, answer_by_tcp, gateway, with_gateways};
use fixture::{Server, param};

fn event(to: &str, body: &str, headers: &[(&'static str, &'static str)]) -> Event {
    let mut event = Event::new(EventName::Message);
    for (name, value) in [(header::PROTO, "sip"), (header::FROM, "1000@chat.test"), (header::TO, to)] {
        event.add(name, value);
    }
    event.add(header::FROM_FULL, "\"Boss\" <sip:1000@chat.test>;tag=1");
    event.add(header::TYPE, "text/plain");
    for (name, value) in headers {
        event.add(*name, *value);
    }
    event.set_body(Some(body.to_owned().into()));
    event
}

/// Sends while `upstream` does what a gateway does.
fn send(server: &Server, mut event: Event, upstream: impl FnOnce()) -> Delivery {
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| server.runtime.block_on(server.router.chat_send("sip", &mut event)));
        upstream();
        sending.join().expect("the thread ends")
    })
}

fn code(delivery: &Delivery) -> u16 {
    match delivery {
        Delivery::Delivered { code, .. } | Delivery::Refused { code, .. } => *code,
        _ => 0,
    }
}

fn trunk(upstream: &Upstream, params: &str) -> Server {
    let gateway = upstream.gateway("carrier", &format!("register=false {params}"));
    Server::profiles(&with_gateways("", &gateway)).accept_after(4000)
}

const CHALLENGE: &str = "Digest realm=\"up\", nonce=\"m1\", qop=\"auth-int\"";

#[test]
fn a_message_through_a_gateway_answers_its_challenge_and_keeps_the_nonce() {
    let upstream = Upstream::new();
    let server = trunk(&upstream, "");
    let proxy = upstream.addr();
    for (body, nonce_count) in [("first", "00000001"), ("second", "00000002")] {
        let delivery = send(&server, event("gateway/carrier/+4912", body, &[]), || {
            let mut asked = upstream.receive();
            if body == "first" {
                assert_eq!(asked.shows("nc"), None);
                let (call_id, cseq) = (asked.header(HeaderName::CallId), asked.cseq());
                asked = upstream.challenge(&asked, 407, CHALLENGE);
                assert_eq!((asked.header(HeaderName::CallId), asked.cseq()), (call_id, cseq + 1));
            }
            assert_eq!(asked.shows("nc").as_deref(), Some(nonce_count));
            assert_eq!(asked.shows("qop").as_deref(), Some("auth-int"));
            assert_eq!(asked.line(), format!("MESSAGE sip:+4912@{proxy} SIP/2.0"));
            assert_eq!(asked.header(HeaderName::To), format!("<sip:+4912@{proxy}>"));
            assert!(asked.header(HeaderName::From).starts_with(&format!("<sip:alice@{proxy}>;tag=")));
            assert_eq!(parsed(&asked.bytes).body(), body.as_bytes());
            upstream.answer(&asked, 202, &[]);
        });
        assert_eq!(code(&delivery), 202, "{delivery:?}");
    }
    assert!(server.api("sofia status gateway").contains("\t0/0\t0/2\n"));
}

#[test]
fn credentials_that_are_refused_are_the_end() {
    let upstream = Upstream::new();
    let server = trunk(&upstream, "");
    let delivery = send(&server, event("gateway/carrier/1", "x", &[]), || {
        let asked = upstream.receive();
        let asked = upstream.challenge(&asked, 407, CHALLENGE);
        upstream.answer(&asked, 407, &[("Proxy-Authenticate", CHALLENGE)]);
    });
    assert_eq!(code(&delivery), 407, "{delivery:?}");
    assert!(upstream.try_receive(Duration::from_millis(100)).is_none());
}

#[test]
fn a_challenge_of_somebody_else_gets_no_password() {
    let upstream = Upstream::new();
    let server = trunk(&upstream, "gw-auth-acl=192.0.2.0/24");
    let delivery = send(&server, event("gateway/carrier/1", "x", &[]), || {
        upstream.answer(&upstream.receive(), 407, &[("Proxy-Authenticate", CHALLENGE)]);
    });
    assert_eq!(code(&delivery), 407, "{delivery:?}");
    assert!(upstream.try_receive(Duration::from_millis(100)).is_none());
    assert_eq!(server.seen.count("sofia::gateway_invalid_digest_req"), 1);
}

#[test]
fn who_sends_is_written_as_the_gateway_wants() {
    let upstream = Upstream::new();
    let proxy = upstream.addr();
    let (own, caller) = (format!("<sip:alice@{proxy}>"), "<sip:1000@c.test>".to_owned());
    let cases = [
        ("", own.clone(), ""),
        ("from-user=+49 from-domain=c.test", "<sip:+49@c.test>".to_owned(), ""),
        ("caller-id-in-from=true from-domain=c.test", caller, ""),
        ("sip_cid_type=pid", own.clone(), "P-Asserted-Identity: <sip:1000@chat.test>"),
        ("cid-type=rpid", own, "Remote-Party-ID: <sip:1000@chat.test>;party=calling;screen=yes;privacy=off"),
    ];
    for (params, from, line) in cases {
        let server = trunk(&upstream, &format!("destination-prefix=9 {params}"));
        let message = event("5551234@chat.test", "x", &[("sip_gateway", "carrier")]);
        let delivery = send(&server, message, || {
            let asked = upstream.receive();
            assert_eq!(asked.line(), format!("MESSAGE sip:95551234@{proxy} SIP/2.0"));
            assert!(asked.header(HeaderName::From).starts_with(&format!("{from};tag=")), "{params}");
            let text = String::from_utf8(asked.bytes.clone()).unwrap();
            assert!(line.is_empty() || text.contains(&format!("\r\n{line}\r\n")), "{text}");
            upstream.answer(&asked, 200, &[]);
        });
        assert_eq!(code(&delivery), 200, "{delivery:?}");
    }
}

#[test]
fn a_private_identity_goes_to_a_gateway_that_is_trusted_with_it() {
    let upstream = Upstream::new();
    for (params, privacy, expected) in
        [("", "id", false), ("", "none", true), ("", "header; ID", false), ("sip_cid_type=pid", "id", true)]
    {
        let server = trunk(&upstream, params);
        let headers = [("sip_h_P-Asserted-Identity", "<sip:1000@chat.test>"), ("sip_h_Privacy", privacy)];
        let delivery = send(&server, event("gateway/carrier/1", "x", &headers), || {
            let asked = upstream.receive();
            let found = asked.header(HeaderName::PAssertedIdentity);
            assert_eq!(found == "<sip:1000@chat.test>", expected, "{params} {privacy}: {found}");
            assert_eq!(asked.header(HeaderName::Privacy), privacy);
            upstream.answer(&asked, 200, &[]);
        });
        assert_eq!(code(&delivery), 200, "{delivery:?}");
    }
}

#[test]
fn an_outbound_proxy_is_the_next_hop_and_the_route() {
    let edge = Upstream::new();
    let params = format!("username=a proxy=carrier.invalid register=false outbound-proxy={}", edge.addr());
    let server = Server::profiles(&with_gateways("", &gateway("carrier", &params)));
    let delivery = send(&server, event("gateway/carrier/1", "x", &[]), || {
        let asked = edge.receive();
        assert_eq!(asked.line(), "MESSAGE sip:1@carrier.invalid SIP/2.0");
        assert_eq!(asked.header(HeaderName::Route), format!("<sip:{};lr>", edge.addr()));
        edge.answer(&asked, 200, &[]);
    });
    assert_eq!(code(&delivery), 200, "{delivery:?}");
}

#[test]
fn a_gateway_that_is_not_there_takes_nothing() {
    let upstream = Upstream::new();
    let server = Server::profiles(&with_gateways("", &upstream.gateway("carrier", "")));
    upstream.answer(&upstream.receive(), 403, &[]);
    assert_eq!(send(&server, event("gateway/carrier/1", "x", &[]), || ()), Delivery::NoAnswer);
    let unknown = send(&server, event("gateway/nobody/1", "x", &[]), || ());
    assert_eq!(unknown, Delivery::Failed("no gateway nobody".to_owned()));
}

#[test]
fn a_sender_names_no_gateway() {
    let upstream = Upstream::new();
    let server = trunk(&upstream, "");
    for to in ["gateway/carrier/4912", "sip+gateway/carrier/4912+chat.test", "sofia/gateway/carrier/1"] {
        assert_eq!(status(&server.phone("1000").message(to, "x")), 403, "{to}");
    }
    assert!(upstream.try_receive(Duration::from_millis(100)).is_none());
}

#[test]
fn other_domains_leave_through_the_gateway_that_the_profile_names() {
    let upstream = Upstream::new();
    let params = param("foreign-gateway", "carrier");
    let gateway = upstream.gateway("carrier", "register=false");
    let server = Server::profiles(&with_gateways(&params, &gateway)).accept_after(4000);
    let mut phone = server.phone("1000");
    let to = "sip:bob@elsewhere.test";
    let first = phone.transact(&phone.request("MESSAGE", to, to, "", "x"));
    let credentials = phone.credentials(&first, "MESSAGE", to).unwrap();
    let request = phone.request("MESSAGE", to, to, &credentials, "x");
    phone.send_raw(request.as_bytes());
    let asked = upstream.receive();
    assert_eq!(asked.line(), "MESSAGE sip:bob@elsewhere.test SIP/2.0");
    upstream.answer(&asked, 200, &[]);
    assert_eq!(status(&phone.response_to(&request)), 200);
    assert_eq!(server.api("sofia status gateway carrier").matches("CallsOUT\t1").count(), 1);
}

/// A MESSAGE that upstream sends to this URI.
fn from_upstream(upstream: &Upstream, uri: &str, to: &str, branch: u32) -> String {
    let own = upstream.addr();
    format!(
        "MESSAGE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:+4912@up.test>;tag=1\r\nTo: <{to}>\r\nCall-ID: in-{branch}\r\nCSeq: 1 MESSAGE\r\n\
         Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
    )
}

#[test]
fn a_message_from_a_gateway_needs_no_password_and_finds_its_extension() {
    let upstream = Upstream::new();
    let gateway = upstream.gateway("carrier", "extension=1001 context=carriers");
    let server = Server::profiles(&with_gateways(&param("fire-message-events", "true"), &gateway));
    upstream.grant(&upstream.receive(), 600);
    let mut phone = server.registered("1001");
    let uri = format!("sip:gw+carrier@{};transport=udp;gw=carrier", server.addr());
    upstream.send(&from_upstream(&upstream, &uri, "sip:alice@up.test", 1), server.addr());
    assert!(phone.receive().ends_with(b"hi"));
    let answer = upstream.receive();
    assert_eq!(status(&answer.bytes), 200);
    let seen = server.seen.0.lock();
    let event = seen.iter().find(|event| event.name().as_str() == "RECV_MESSAGE").unwrap();
    let value = |name| event.get(name).unwrap_or_default().to_owned();
    assert_eq!([value("context"), value("sip_gateway"), value("to_user")], ["carriers", "carrier", "alice"]);
    assert_eq!(value("to"), "1001@chat.test");
}

#[test]
fn others_are_not_the_gateway() {
    let (upstream, other) = (Upstream::new(), Upstream::at("127.0.0.2:0".parse().unwrap()));
    let server = Server::profiles(&with_gateways("", &upstream.gateway("carrier", "extension=1001")));
    let uri = format!("sip:gw+carrier@{};gw=carrier", server.addr());
    let asked = upstream.receive();
    // Not registered yet.
    upstream.send(&from_upstream(&upstream, &uri, "sip:alice@up.test", 1), server.addr());
    assert_eq!(status(&upstream.receive().bytes), 407);
    upstream.grant(&asked, 600);
    other.send(&from_upstream(&other, &uri, "sip:alice@up.test", 2), server.addr());
    assert_eq!(status(&other.receive().bytes), 407);
    let mut phone = Phone::udp("1000", server.addr());
    phone.from = "<sip:+4912@up.test>".to_owned();
    let request = phone.request("MESSAGE", "sip:1001@chat.test", "sip:1001@chat.test", "", "x");
    assert_eq!(status(&phone.transact(&request)), 407);
}

#[test]
fn a_large_message_goes_by_tcp_where_a_connection_can_be_made() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = Upstream::at(listener.local_addr().unwrap());
    let large = "x".repeat(1300);
    let server = trunk(&upstream, "");
    let delivery = send(&server, event("gateway/carrier/1", &large, &[]), || {
        let asked = answer_by_tcp(&listener, 200);
        assert!(asked.header(HeaderName::Via).starts_with("SIP/2.0/TCP "));
        assert_eq!(parsed(&asked.bytes).body().len(), 1300);
    });
    assert_eq!(code(&delivery), 200, "{delivery:?}");
    drop(listener);
    let server = trunk(&upstream, "");
    let delivery = send(&server, event("gateway/carrier/1", &large, &[]), || {
        let asked = upstream.receive();
        assert!(asked.header(HeaderName::Via).starts_with("SIP/2.0/UDP "));
        upstream.answer(&asked, 200, &[]);
    });
    assert_eq!(code(&delivery), 200, "{delivery:?}");
    let server = trunk(&upstream, "register-transport=udp");
    let delivery = send(&server, event("gateway/carrier/1", &large, &[]), || {
        upstream.answer(&upstream.receive(), 200, &[]);
    });
    assert_eq!(code(&delivery), 200, "{delivery:?}");
}

#[test]
fn a_message_that_is_too_large_is_413() {
    let server = Server::with(&param("max-message-size", "1300"));
    let mut phone = server.tcp_phone("1000");
    assert_eq!(status(&phone.message("1001", &"x".repeat(500))), 202);
    assert_eq!(status(&phone.message("1001", &"x".repeat(1300))), 413);
}
