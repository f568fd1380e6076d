//! `sofia.conf`: what is read, and what is said about mistakes.

use std::path::Path;

use chappe_config::{Diagnostics, MemoryFiles};
use chappe_sip_endpoint::{ListenIp, Multiple, Realm, SofiaConfig};

fn read(profiles: &str) -> (SofiaConfig, String) {
    let text = format!(
        "<document type=\"freeswitch/xml\">\n<section name=\"configuration\">\n\
         <configuration name=\"sofia.conf\"><profiles>\n{profiles}\n</profiles></configuration>\n\
         </section></document>\n"
    );
    let files = MemoryFiles::new().with("/c/freeswitch.xml", text);
    let loaded = chappe_config::load(Path::new("/c/freeswitch.xml"), &files, &[]);
    let mut diagnostics = Diagnostics::new();
    let config = SofiaConfig::read(&loaded.document, &mut diagnostics);
    (config, diagnostics.iter().map(|diagnostic| format!("{diagnostic}\n")).collect())
}

fn with(params: &[(&str, &str)]) -> (SofiaConfig, String) {
    let params: String =
        params.iter().map(|(name, value)| format!("<param name=\"{name}\" value=\"{value}\"/>\n")).collect();
    read(&format!("<profile name=\"internal\"><settings>\n{params}</settings></profile>"))
}

#[test]
fn every_default_is_the_documented_one() {
    let (config, said) = with(&[]);
    let profile = &config.profiles[0];
    assert_eq!(said, "");
    assert_eq!((profile.sip_ip, profile.sip_port, &*profile.context), (ListenIp::Auto, 5060, "public"));
    assert!(profile.auth_messages && profile.match_username && profile.chat && profile.udp && profile.tcp);
    assert!(!profile.accept_blind_reg && !profile.accept_blind_auth && !profile.fire_message_events);
    assert_eq!((profile.multiple, &profile.realm), (Multiple::No, &Realm::AutoTo));
}

#[test]
fn values_are_understood_in_all_their_forms() {
    for (value, expected) in [
        ("contact", Multiple::ByContact),
        ("call-id", Multiple::ByCallId),
        ("true", Multiple::ByCallId),
        ("no", Multiple::No),
    ] {
        assert_eq!(with(&[("multiple-registrations", value)]).0.profiles[0].multiple, expected, "{value}");
    }
    for (value, expected) in [
        ("127.0.0.1", ListenIp::Ip([127, 0, 0, 1].into())),
        ("[::1]", ListenIp::Ip("::1".parse().unwrap())),
        ("::1", ListenIp::Ip("::1".parse().unwrap())),
        ("auto", ListenIp::Auto),
    ] {
        assert_eq!(with(&[("sip-ip", value)]).0.profiles[0].sip_ip, expected, "{value}");
    }
    let (config, _) = with(&[("apply-inbound-acl", "domains"), ("apply-inbound-acl", "10.0.0.0/8")]);
    assert_eq!(config.profiles[0].inbound_acl, ["domains", "10.0.0.0/8"]);
    let (config, _) = with(&[("challenge-realm", "auto_from")]);
    assert_eq!(config.profiles[0].realm, Realm::AutoFrom);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases: [(&str, &str, &str, bool); 5] = [
        ("sip-port", "70000", "error", true),
        ("sip-ip", "not-an-ip", "error", false),
        ("auth-mesages", "true", "auth-messages", true),
        ("rtp-ip", "127.0.0.1", "no media", true),
        ("ext-sip-ip", "stun:stun.example.org", "warning", true),
    ];
    for (name, value, expected, stands) in cases {
        let (config, said) = with(&[(name, value)]);
        assert!(said.contains(expected) && said.contains("freeswitch.xml:5"), "{name}: {said}");
        assert_eq!(config.profiles.len(), usize::from(stands), "{name}");
    }
    let (config, said) = read("<profile/><profile name=\"a\"/><profile name=\"b\"><settings/></profile>");
    assert_eq!((config.profiles.len(), said.matches("error").count()), (1, 2), "{said}");
}

#[test]
fn tls_is_off_and_safe_unless_told_otherwise() {
    let tls = with(&[]).0.profiles[0].tls.clone();
    assert!(!tls.on && tls.versions.v12 && tls.versions.v13 && tls.ciphers.is_none());
    assert!(tls.verify.outgoing && tls.verify.subjects_out && tls.verify.date && !tls.verify.incoming);
    assert_eq!((tls.port, tls.verify.depth, tls.session_lifetime), (5061, 2, 300));
    let (config, _) = with(&[("tls-only", "true"), ("tls-passphrase", "towers")]);
    let profile = &config.profiles[0];
    assert!(profile.tls.on && !profile.udp && !profile.tcp);
    assert!(!format!("{profile:?}").contains("towers"), "a passphrase is shown to nobody");
}

#[test]
fn whose_certificates_are_checked() {
    for (policy, expected) in [
        ("none", (false, false, false, false)),
        ("in", (true, false, false, false)),
        ("out", (false, true, false, false)),
        ("all", (true, true, false, false)),
        ("subjects_in", (true, false, true, false)),
        ("subjects_out", (false, true, false, true)),
        ("subjects_all", (true, true, true, true)),
        ("in|subjects_out", (true, true, false, true)),
    ] {
        let (config, said) =
            with(&[("tls-verify-policy", policy), ("tls-verify-in-subjects", "a.test|b.test")]);
        let verify = &config.profiles[0].tls.verify;
        let found = (verify.incoming, verify.outgoing, verify.subjects_in, verify.subjects_out);
        assert_eq!((found, &*said), (expected, ""), "{policy}");
        assert_eq!(verify.in_subjects, ["a.test", "b.test"]);
    }
}

#[test]
fn cipher_suites_are_named_in_openssl_s_way() {
    let suites = |list| {
        let (config, said) = with(&[("tls-ciphers", list)]);
        let suites = config.profiles.first().and_then(|profile| profile.tls.ciphers.clone());
        (suites.map(|suites| suites.len()), said)
    };
    assert_eq!(suites("ALL:!ADH:!LOW:!SSLv2:!EXP:@STRENGTH"), (Some(9), String::new()));
    assert_eq!(suites("ECDHE-RSA-AES256-GCM-SHA384").0, Some(4), "with the three of TLS 1.3");
    assert_eq!(suites("TLS_AES_128_GCM_SHA256").0, Some(1));
    assert_eq!(suites("HIGH:!TLS_AES_128_GCM_SHA256").0, Some(8));
    let (some, said) = suites("RC4-MD5,ECDHE-RSA-AES256-GCM-SHA384");
    assert!(some == Some(4) && said.contains("RC4-MD5 is not offered"), "{said}");
}

#[test]
fn what_would_make_tls_less_safe_than_meant_is_an_error() {
    for (params, expected) in [
        (&[("tls-version", "tlsv1,tlsv1.1")][..], "tls-version tlsv1,tlsv1.1 leaves no version"),
        (&[("tls-verify-policy", "inn")], "tls-verify-policy inn is not known"),
        (&[("tls-verify-policy", "subjects_in")], "tls-verify-in-subjects names none"),
        (&[("ws-binding", "localhost")], "ws-binding localhost is no address"),
        (&[("ws-allowed-origins", "chat.test")], "is no origin; write https://HOST[:PORT]"),
        (
            &[(
                "tls-ciphers",
                "!TLS_AES_256_GCM_SHA384:!TLS_AES_128_GCM_SHA256:!TLS_CHACHA20_POLY1305_SHA256",
            )],
            "leaves no cipher suite",
        ),
    ] {
        let (config, said) = with(params);
        assert!(said.contains("error") && said.contains(expected), "{said}");
        assert!(config.profiles.is_empty(), "{params:?}");
    }
    let (config, said) = with(&[("tls-version", "tlsv1,tlsv1.1,tlsv1.2")]);
    assert!(said.contains("warning") && said.contains("tlsv1.1 is not offered, RFC 8996"), "{said}");
    assert!(config.profiles[0].tls.versions.v12 && !config.profiles[0].tls.versions.v13);
}

#[test]
fn limits_are_off_and_bans_on_unless_told_otherwise() {
    let guard = with(&[]).0.profiles[0].guard.clone();
    assert!(guard.requests.is_none() && guard.registers.is_none() && guard.access_acl.is_empty());
    assert!(guard.messages.is_none() && guard.messages_of_user.is_none() && !guard.answers_denied);
    assert_eq!(guard.failures.map(|most| most.to_string()).as_deref(), Some("100/60"));
    assert_eq!((guard.ban.as_secs(), &*guard.never_ban), (300, &["loopback.auto".to_owned()][..]));
    for (value, expected) in [("60/60", Some("60/60")), ("5", Some("5/1")), ("0", None), ("", None)] {
        let (config, said) = with(&[("max-messages-per-user", value)]);
        let found = config.profiles[0].guard.messages_of_user.map(|most| most.to_string());
        assert_eq!((found.as_deref(), &*said), (expected, ""), "{value}");
    }
    for wrong in ["many", "5/0", "10/day", "1000001"] {
        let (config, said) = with(&[("max-messages-per-user", wrong)]);
        assert!(config.profiles.is_empty() && said.contains("is no limit"), "{wrong}: {said}");
    }
}
