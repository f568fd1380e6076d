//! Phones that come by TLS.

mod fixture;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, header_text, status};
use fixture::tls_wire::{Authority, Certificates, Hello, TlsWire};
use fixture::{Server, param};

fn server(certificates: &Certificates, more: &str) -> Server {
    Server::with(&(certificates.params() + more))
}

#[test]
fn a_phone_gets_its_messages_down_the_connection_it_registered_by() {
    let certificates = Certificates::new();
    let server = server(&certificates, "");
    let mut device = Phone::tls("1001", TlsWire::connect(server.at("tls")));
    assert_eq!(status(&device.register(600)), 200);
    let registration = &server.endpoint.registrations()[0];
    assert_eq!((registration.transport, registration.network), ("tls", device.addr()));
    let mut sender = server.phone("1000");
    assert_eq!(status(&sender.message_while("1001", "by tls", &mut [&mut device])), 200);
    let received = device.receive();
    let via = header_text(&received, HeaderName::Via);
    assert!(via.starts_with(&format!("SIP/2.0/TLS {};", server.at("tls"))), "{via}");
    assert_eq!(status(&device.message_while("1000", "back", &mut [&mut server.registered("1000")])), 200);
    let event = server.seen.0.lock().iter().rfind(|event| event.get("from_user") == Some("1001")).cloned();
    assert_eq!(event.unwrap().get("from_sip_transport"), Some("tls"));
}

#[test]
fn over_ipv6_as_well() {
    let certificates = Certificates::new();
    let profile = fixture::profile("internal", &(certificates.params() + &param("sip-ip", "::1")));
    let server = Server::profiles(&profile);
    let addr = server.at("tls");
    assert!(addr.is_ipv6());
    let mut device = Phone::tls("1001", TlsWire::connect(addr));
    assert_eq!(status(&device.register(600)), 200);
    assert_eq!(status(&server.phone("1000").message_while("1001", "x", &mut [&mut device])), 200);
    assert!(header_text(&device.receive(), HeaderName::Via).starts_with("SIP/2.0/TLS [::1]:"));
}

#[test]
fn the_name_that_is_asked_for_picks_the_certificate() {
    let certificates = Certificates::new();
    let one = certificates.authority.issue(&["one.test"]);
    let all = certificates.authority.issue(&["*.two.test"]);
    certificates.write("One.test.pem", &one.pem());
    certificates.write("_.two.test.pem", &all.pem());
    certificates.write("broken.test.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let server = server(&certificates, "");
    let shown = |name| {
        let hello = Hello { name: Some(name), ..Hello::default() };
        TlsWire::with(server.at("tls"), &hello).unwrap().shown()
    };
    assert_eq!(shown("one.test"), *one.der());
    assert_eq!(shown("chat.two.test"), *all.der());
    for name in ["two.test", "a.b.two.test", "broken.test", "localhost"] {
        assert_eq!(shown(name), *certificates.agent.der(), "{name}");
    }
}

#[test]
fn a_new_certificate_is_taken_by_a_reload_and_a_bad_one_is_not() {
    let certificates = Certificates::new();
    let profile = fixture::profile("internal", &(certificates.params() + &param("sip-ip", "127.0.0.1")));
    let server = Server::profiles(&profile);
    let mut device = Phone::tls("1001", TlsWire::connect(server.at("tls")));
    assert_eq!(status(&device.register(600)), 200);
    let shown = || TlsWire::connect(server.at("tls")).shown();
    let reload = || assert_eq!(server.configure(&profile).unchanged, ["internal"]);

    let newer = certificates.authority.issue(&["localhost"]);
    certificates.write("agent.pem", &newer.pem());
    reload();
    assert_eq!(shown(), *newer.der());
    let other = certificates.authority.issue(&["localhost"]);
    for bad in [String::new(), newer.certificate.clone(), format!("{}{}", newer.certificate, other.key)] {
        certificates.write("agent.pem", &bad);
        reload();
        assert_eq!(shown(), *newer.der(), "{bad}");
    }
    certificates.write("agent.pem", &other.pem());
    reload();
    assert_eq!(shown(), *other.der());
    // Who is connected has noticed nothing.
    assert_eq!(status(&server.phone("1000").message_while("1001", "x", &mut [&mut device])), 200);
}

#[test]
fn a_new_certificate_is_found_by_a_handshake() {
    let certificates = Certificates::new();
    let server = server(&certificates, "");
    let newer = certificates.authority.issue(&["localhost"]);
    certificates.write("agent.pem", &newer.pem());
    let until = std::time::Instant::now() + Duration::from_secs(5);
    while TlsWire::connect(server.at("tls")).shown() != *newer.der() {
        assert!(std::time::Instant::now() < until, "the new certificate is not found");
    }
}

#[test]
fn without_a_certificate_the_rest_of_the_profile_runs() {
    let certificates = Certificates::new();
    std::fs::remove_file(certificates.file("agent.pem")).unwrap();
    let params = certificates.params() + &param("sip-ip", "127.0.0.1");
    let server = Server::profiles(&fixture::profile("internal", &params));
    assert_eq!(status(&server.phone("1001").register(60)), 200);
    assert!(!server.endpoint.listening().iter().any(|one| one.transport == "tls"));
    let shown = server.api("sofia status profile internal");
    let file = certificates.file("agent.pem");
    assert!(
        shown.contains(&format!("TLS              \tnot listening: there is no {}.", file.display())),
        "{shown}"
    );
    assert!(shown.contains("openssl req -x509"), "{shown}");
    // Once it is there, a reload is enough.
    certificates.write("agent.pem", &certificates.agent.pem());
    server.configure(&fixture::profile("internal", &params));
    let mut device = Phone::tls("1001", TlsWire::connect(server.at("tls")));
    assert_eq!(status(&device.register(600)), 200);
    assert!(!server.api("sofia status profile internal").contains("not listening"));
}

#[test]
fn tls_only_takes_nothing_else_and_does_not_run_without() {
    let certificates = Certificates::new();
    let params = certificates.params() + &param("tls-only", "true") + &param("sip-ip", "127.0.0.1");
    let server = Server::profiles(&fixture::profile("internal", &params));
    let transports: Vec<_> = server.endpoint.listening().into_iter().map(|one| one.transport).collect();
    assert_eq!(transports, ["tls"]);
    let mut device = Phone::tls("1001", TlsWire::connect(server.at("tls")));
    assert_eq!(status(&device.register(600)), 200);
    drop(server);
    std::fs::remove_file(certificates.file("agent.pem")).unwrap();
    let server = Server::idle();
    let failed = server.configure(&fixture::profile("internal", &params)).failed;
    assert!(failed[0].to_string().contains("agent.pem"), "{failed:?}");
}

#[test]
fn who_connects_shows_a_certificate_where_that_is_asked_for() {
    let certificates = Certificates::new();
    certificates.write("cafile.pem", &certificates.authority.pem());
    let server = server(&certificates, &param("tls-verify-policy", "in"));
    let connect = |own| TlsWire::with(server.at("tls"), &Hello { own, ..Hello::default() });
    let good = certificates.authority.issue(&["phone.test"]);
    let foreign = Authority::new("somebody else").issue(&["phone.test"]);
    let old = certificates.authority.issue_until(&["phone.test"], 2001);
    assert_eq!(status(&Phone::tls("1001", connect(Some(&good)).unwrap()).register(60)), 200);
    for (own, who) in [(None, "nobody"), (Some(&foreign), "a stranger"), (Some(&old), "an old one")] {
        assert!(connect(own).is_err(), "{who}");
    }
}

#[test]
fn certificates_that_have_run_out_are_taken_where_the_date_is_not_asked_for() {
    let certificates = Certificates::new();
    certificates.write("cafile.pem", &certificates.authority.pem());
    let more = param("tls-verify-policy", "in") + &param("tls-verify-date", "false");
    let server = server(&certificates, &more);
    let connect = |own| TlsWire::with(server.at("tls"), &Hello { own: Some(own), ..Hello::default() });
    let old = certificates.authority.issue_until(&["phone.test"], 2001);
    let foreign = Authority::new("somebody else").issue_until(&["phone.test"], 2001);
    assert!(connect(&old).is_ok());
    assert!(connect(&foreign).is_err());
}

#[test]
fn a_certificate_has_to_have_one_of_the_names() {
    let certificates = Certificates::new();
    certificates.write("cafile.pem", &certificates.authority.pem());
    let more = param("tls-verify-policy", "subjects_in")
        + &param("tls-verify-in-subjects", "gate.test|sip:edge@chat.test");
    let server = server(&certificates, &more);
    for (names, taken) in [
        (&["Gate.test"][..], true),
        (&["other.test", "sip:edge@chat.test"], true),
        (&["sip:gate.test"], true),
        (&["other.test"], false),
        (&["sip:other@chat.test"], false),
    ] {
        let own = certificates.authority.issue(names);
        let hello = Hello { own: Some(&own), ..Hello::default() };
        assert_eq!(TlsWire::with(server.at("tls"), &hello).is_ok(), taken, "{names:?}");
    }
}

#[test]
fn without_authorities_nobody_s_certificate_can_be_checked() {
    let certificates = Certificates::new();
    let server = server(&certificates, &param("tls-verify-policy", "all"));
    let shown = server.api("sofia status profile internal");
    assert!(shown.contains("cafile.pem has none to check them by"), "{shown}");
}

#[test]
fn only_the_versions_asked_for_are_spoken() {
    static V12: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
    static V13: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
    let certificates = Certificates::new();
    for (params, v12, v13) in [
        (String::new(), true, true),
        (param("tls-version", "tlsv1.3"), false, true),
        (param("tls-version", "tlsv1,tlsv1.1,tlsv1.2"), true, false),
    ] {
        let server = server(&certificates, &params);
        let speaks = |versions| {
            let hello = Hello { versions: Some(versions), ..Hello::default() };
            TlsWire::with(server.at("tls"), &hello).is_ok()
        };
        assert_eq!((speaks(V12), speaks(V13)), (v12, v13), "{params}");
    }
}

#[test]
fn tls_1_1_and_what_is_no_tls_are_refused() {
    /// A ClientHello of TLS 1.1 with the one suite that all had.
    const TLS11: &[u8] = &[
        0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
        19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 2, 0, 0x2f, 1, 0,
    ];
    let certificates = Certificates::new();
    let server = server(&certificates, "");
    for (octets, alert) in [
        (TLS11, true),
        (b"REGISTER sip:chat.test SIP/2.0\r\n\r\n", true),
        (&[0; 64], true),
        (b"\x16\x03", false),
    ] {
        let mut stream = TcpStream::connect(server.at("tls")).unwrap();
        stream.write_all(octets).unwrap();
        if alert {
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            assert!(answer.is_empty() || answer[0] == 0x15, "{answer:?} to {octets:?}");
        }
    }
    let mut device = Phone::tls("1001", TlsWire::connect(server.at("tls")));
    assert_eq!(status(&device.register(60)), 200);
}

#[test]
fn a_key_is_opened_by_its_passphrase() {
    /// Made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout pass:towers -days 36500`.
    const LOCKED: &str = include_str!("fixture/locked.pem");
    let certificates = Certificates::new();
    certificates.write("agent.pem", LOCKED);
    let good = server(&certificates, &param("tls-passphrase", "towers"));
    let mut device = Phone::tls("1001", TlsWire::connect(good.at("tls")));
    assert_eq!(status(&device.register(60)), 200);
    let why = |more: &str| server(&certificates, more).api("sofia status profile internal");
    assert!(why("").contains("is encrypted; give tls-passphrase"));
    assert!(why(&param("tls-passphrase", "bridges")).contains("tls-passphrase is wrong"));
}

#[test]
fn status_shows_the_addresses() {
    let certificates = Certificates::new();
    let server = server(&certificates, &(param("ws-binding", ":0") + &param("wss-binding", ":0")));
    let shown = server.api("sofia status profile internal");
    let (tls, ws, wss) = (server.at("tls"), server.at("ws"), server.at("wss"));
    for line in [
        format!("TLS-URL          \tsip:mod_sofia@{tls}\n"),
        format!("TLS-BIND-URL     \tsips:mod_sofia@{tls};transport=tls\n"),
        format!("WS-BIND-URL      \tsip:mod_sofia@{ws};transport=ws\n"),
        format!("WSS-BIND-URL     \tsips:mod_sofia@{wss};transport=wss\n"),
    ] {
        assert!(shown.contains(&line), "{line} is not in {shown}");
    }
    let all = server.api("sofia status");
    assert!(all.contains(&format!("sip:mod_sofia@{tls}\tRUNNING (0) (TLS)\n")), "{all}");
    assert!(
        server
            .api("sofia xmlstatus profile internal")
            .contains(&format!("<tls-url>sip:mod_sofia@{tls}</tls-url>"))
    );
}
