//! Gateways: registering at another server, and telling what becomes of it.

mod fixture;

use std::time::{Duration, Instant};

use chappe_sip_msg::HeaderName;
use fixture::Server;
use fixture::upstream::{Upstream, with_gateways};

/// Waits until `fits` says so.
fn until(what: &str, fits: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while !fits() {
        assert!(Instant::now() < end, "{what} did not come about");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

fn line(server: &Server, name: &str) -> String {
    let status = server.api("sofia status gateway carrier");
    let found = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
    found.unwrap_or(&status).to_owned()
}

fn until_state(server: &Server, state: &str) {
    until(state, || line(server, "State   ") == state);
}

/// `State Ping-Status Status` of each sofia::gateway_state.
fn states(server: &Server) -> Vec<String> {
    let seen = server.seen.0.lock();
    let of_gateway = seen.iter().filter(|event| event.subclass() == Some("sofia::gateway_state"));
    let text = |event: &chappe_event::Event| {
        let value = |name| event.get(name).unwrap_or_default();
        assert_eq!(value("Gateway"), "carrier");
        format!("{} {} {}", value("State"), value("Ping-Status"), value("Status")).trim_end().to_owned()
    };
    of_gateway.map(|event| text(event)).collect()
}

const CHALLENGE: &str = "Digest realm=\"up.test\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth,auth-int\"";

fn registered(upstream: &Upstream, params: &str) -> Server {
    let server = Server::profiles(&with_gateways("", &upstream.gateway("carrier", params)));
    let asked = upstream.receive();
    let asked = upstream.challenge(&asked, 401, CHALLENGE);
    assert_eq!(asked.shows("nc").as_deref(), Some("00000001"));
    upstream.grant(&asked, 600);
    until_state(&server, "REGED");
    server
}

#[test]
fn registers_with_digest_and_tells_of_it() {
    let upstream = Upstream::new();
    let server = Server::profiles(&with_gateways(
        "",
        &upstream.gateway("carrier", "from-user=bob expire-seconds=900"),
    ));
    let first = upstream.receive();
    let proxy = upstream.addr();
    assert_eq!(first.line(), format!("REGISTER sip:{proxy} SIP/2.0"));
    assert!(first.header(HeaderName::From).starts_with(&format!("<sip:bob@{proxy}>;tag=")));
    assert_eq!(first.header(HeaderName::To), format!("<sip:bob@{proxy}>"));
    let contact = format!("<sip:gw+carrier@{};transport=udp;gw=carrier>", server.addr());
    assert_eq!(first.header(HeaderName::Contact), contact);
    assert_eq!(first.header(HeaderName::Expires), "900");
    assert_eq!(first.shows("nonce"), None);
    let second = upstream.challenge(&first, 401, CHALLENGE);
    assert_eq!(second.shows("algorithm").as_deref(), Some("SHA-256"));
    assert_eq!(second.header(HeaderName::CallId), first.header(HeaderName::CallId));
    assert_eq!(second.cseq(), first.cseq() + 1);
    upstream.grant(&second, 900);
    until_state(&server, "REGED");
    assert_eq!(states(&server), ["TRYING DOWN", "REGISTER DOWN 200", "REGED UP"]);
    assert_eq!(server.seen.count("sofia::gateway_add"), 1);
    assert_eq!(server.api("sofia profile internal gwlist up"), "carrier ");
    assert_eq!(server.api("sofia profile internal gwlist down"), "");
    let summary = server.api("sofia status");
    assert!(summary.contains("internal::carrier\tgateway\t"), "{summary}");
    assert!(summary.contains(&format!("sip:alice@{proxy}\tREGED\n")), "{summary}");
    let xml = server.api("sofia xmlstatus gateway carrier");
    assert!(xml.contains("    <state>REGED</state>\n    <status>UP</status>\n"), "{xml}");
    assert_eq!(server.api("sofia status gateway other"), "Invalid Gateway!\n");
    assert!(!format!("{xml}{}", server.api("sofia status gateway carrier")).contains("wonder"));
}

#[test]
fn a_refusal_is_told_and_tried_again_when_asked() {
    let upstream = Upstream::new();
    let server = Server::profiles(&with_gateways("", &upstream.gateway("carrier", "")));
    upstream.answer(&upstream.receive(), 403, &[]);
    until_state(&server, "FAIL_WAIT");
    assert_eq!(states(&server), ["TRYING DOWN", "FAILED DOWN 403", "FAIL_WAIT DOWN"]);
    assert_eq!(line(&server, "Status  "), "DOWN");
    assert!(server.api("sofia status").contains("FAIL_WAIT (retry: "));
    assert_eq!(server.api("sofia profile internal register carrier"), "+OK\n");
    let again = upstream.receive();
    let again = upstream.challenge(&again, 401, CHALLENGE);
    upstream.grant(&again, 600);
    until_state(&server, "REGED");
}

#[test]
fn a_wrong_password_is_not_tried_for_ever() {
    let upstream = Upstream::new();
    let server = Server::profiles(&with_gateways("", &upstream.gateway("carrier", "")));
    let asked = upstream.receive();
    let asked = upstream.challenge(&asked, 401, CHALLENGE);
    let other = CHALLENGE.replace("n1", "n2");
    upstream.answer(&asked, 401, &[("WWW-Authenticate", &other)]);
    until_state(&server, "FAIL_WAIT");
    assert!(upstream.try_receive(Duration::from_millis(150)).is_none());
}

#[test]
fn a_kept_nonce_is_counted_and_a_stale_one_replaced() {
    let upstream = Upstream::new();
    let server = registered(&upstream, "");
    server.api("sofia profile internal register carrier");
    let again = upstream.receive();
    assert_eq!(again.shows("nc").as_deref(), Some("00000002"));
    let stale = CHALLENGE.replace("n1", "n2") + ", stale=true";
    let again = upstream.challenge(&again, 401, &stale);
    assert_eq!(again.shows("nonce").as_deref(), Some("n2"));
    assert_eq!(again.shows("nc").as_deref(), Some("00000001"));
    upstream.grant(&again, 600);
    until_state(&server, "REGED");
}

#[test]
fn unregistered_when_told_and_when_the_profile_stops() {
    let upstream = Upstream::new();
    let server = registered(&upstream, "");
    assert_eq!(server.api("sofia profile internal unregister carrier"), "+OK\n");
    let farewell = upstream.receive();
    assert_eq!(farewell.header(HeaderName::Expires), "0");
    upstream.answer(&farewell, 200, &[]);
    until_state(&server, "DOWN");
    server.api("sofia profile internal register carrier");
    upstream.grant(&upstream.receive(), 600);
    until_state(&server, "REGED");
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| server.configure(""));
        let farewell = upstream.receive();
        assert_eq!(farewell.header(HeaderName::Expires), "0");
        assert!(farewell.shows("nc").is_some());
        upstream.answer(&farewell, 200, &[]);
        assert_eq!(stopping.join().unwrap().stopped, ["internal"]);
    });
}

#[test]
fn killed_and_found_again() {
    let upstream = Upstream::new();
    let server = registered(&upstream, "");
    assert_eq!(server.api("sofia profile internal killgw carrier"), "+OK gateway marked for deletion.\n");
    upstream.answer(&upstream.receive(), 200, &[]);
    until("the end", || server.seen.count("sofia::gateway_del") == 1);
    assert_eq!(server.api("sofia status gateway carrier"), "Invalid Gateway!\n");
    assert_eq!(server.api("sofia profile internal killgw carrier"), "-ERR no such gateway.\n");
    assert!(server.api("sofia profile internal rescan").ends_with("+OK scan complete\n"));
    assert_eq!(upstream.receive().header(HeaderName::Expires), "3600");
    assert_eq!(line(&server, "State   "), "TRYING");
}

#[test]
fn a_configuration_that_changes_touches_only_what_changed() {
    let (one, other) = (Upstream::new(), Upstream::new());
    let server = registered(&one, "");
    let both = one.gateway("carrier", "") + &other.gateway("trunk", "register=false");
    assert_eq!(server.configure(&with_gateways("", &both)).changed, ["internal"]);
    assert!(one.try_receive(Duration::from_millis(100)).is_none());
    assert_eq!(server.api("sofia profile internal gwlist up"), "carrier trunk ");
    assert_eq!(
        server.api("sofia profile internal register trunk"),
        "-ERR NOREG gateway [trunk] can't be registered!\n"
    );
    server.configure(&with_gateways("", &other.gateway("trunk", "register=false")));
    let farewell = one.receive();
    assert_eq!(farewell.header(HeaderName::Expires), "0");
    one.answer(&farewell, 200, &[]);
    until("the end", || server.seen.count("sofia::gateway_del") == 1);
    assert!(
        server
            .api("sofia status gateway")
            .ends_with("1 gateway: Inbound(Failed/Total): 0/0,Outbound(Failed/Total):0/0\n")
    );
}

#[test]
fn a_gateway_that_can_not_work_leaves_the_others_alone() {
    let upstream = Upstream::new();
    let gateways = fixture::upstream::gateway("no-user", "proxy=127.0.0.1")
        + &fixture::upstream::gateway("bad name", "username=a password=b")
        + &fixture::upstream::gateway("tls", "username=a password=b register-transport=wss")
        + &fixture::upstream::gateway("sips", "username=a password=b proxy=sips:up.test")
        + &upstream.gateway("trunk", "register=false");
    let server = Server::profiles(&with_gateways("", &gateways));
    assert_eq!(server.api("sofia profile internal gwlist"), "trunk ");
}

#[test]
fn the_status_of_one_gateway_has_freeswitchs_lines() {
    let upstream = Upstream::new();
    let server = registered(&upstream, "context=carriers");
    let (proxy, own) = (upstream.addr(), server.addr());
    let text = server.api("sofia status gateway carrier");
    let shown = text.replace(&proxy.to_string(), "PROXY").replace(&own.to_string(), "OWN");
    expect_test::expect![[r#"
        =================================================================================================
        Name    	carrier
        Profile 	internal
        Scheme  	Digest
        Realm   	PROXY
        Username	alice
        Password	yes
        From    	<sip:alice@PROXY>
        Contact 	<sip:gw+carrier@OWN;transport=udp;gw=carrier>
        Exten   	alice
        To      	sip:alice@PROXY
        Proxy   	sip:PROXY
        Context 	carriers
        Expires 	3600
        Freq    	3600
        Ping    	0
        PingFreq	0
        PingTime	0.00
        PingState	1/0/1
        State   	REGED
        Status  	UP
        Uptime  	0s
        CallsIN 	0
        CallsOUT	0
        FailedCallsIN	0
        FailedCallsOUT	0
        =================================================================================================
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_registrar_is_told_the_address_that_it_can_reach() {
    let outside =
        "<param name=\"ext-sip-ip\" value=\"203.0.113.7\"/><param name=\"ext-sip-port\" value=\"5099\"/>";
    let inside = "<param name=\"local-network-acl\" value=\"loopback.auto\"/>";
    for (params, is_inside) in [(outside.to_owned(), false), (format!("{outside}{inside}"), true)] {
        let upstream = Upstream::new();
        let gateway = upstream.gateway("carrier", "");
        let server = Server::profiles(&with_gateways(&params, &gateway));
        let address = if is_inside { server.addr().to_string() } else { "203.0.113.7:5099".to_owned() };
        let contact = format!("<sip:gw+carrier@{address};transport=udp;gw=carrier>");
        let asked = upstream.receive();
        assert_eq!(asked.header(HeaderName::Contact), contact);
        upstream.grant(&asked, 600);
        until_state(&server, "REGED");
        assert_eq!(line(&server, "Contact "), contact);
    }
}
