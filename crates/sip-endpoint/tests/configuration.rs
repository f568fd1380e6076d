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
