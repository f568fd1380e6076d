//! Params by a table of the known ones.

use chappe_config::{Diagnostics, ParamRow, ParamStatus, parse_fragment, read_params};
use expect_test::expect;

const fn row(name: &'static str, status: ParamStatus) -> ParamRow {
    ParamRow { name, syntax: "", default: "", doc: "", status }
}

const TABLE: [ParamRow; 7] = [
    row("sip-ip", ParamStatus::Used),
    row("sip-port", ParamStatus::Used),
    row("auth-calls", ParamStatus::Used),
    row("apply-inbound-acl", ParamStatus::Used),
    row("multiple-registrations", ParamStatus::Used),
    row("max-age", ParamStatus::Used),
    row("codec-prefs", ParamStatus::Ignored("only messages are routed")),
];

fn settings(params: &str) -> chappe_config::Document {
    parse_fragment(&format!("<settings>\n{params}\n</settings>"), "sofia.conf.xml").0
}

#[test]
fn good_values() {
    let document = settings(
        r#"<param name="sip-ip" value="[2001:db8::1]"/><param name="SIP-port" value="5060"/>
        <param name="sip-port" value="5070"/><param name="auth-calls" value="Yes"/>
        <param name="apply-inbound-acl" value="lan"/><param name="apply-inbound-acl" value="wan"/>
        <param name="multiple-registrations" value="Contact"/><param name="max-age" value=""/>"#,
    );
    let mut d = Diagnostics::new();
    let params = read_params(document.root(), &TABLE, &mut d);
    assert_eq!(params.ip("sip-ip", &mut d), Some("2001:db8::1".parse().unwrap()));
    assert_eq!(params.u16_in("sip-port", 5060, 1..=65535, &mut d), 5070);
    assert!(params.bool("auth-calls", false, &mut d));
    assert_eq!(params.all("apply-inbound-acl").collect::<Vec<_>>(), ["lan", "wan"]);
    assert_eq!(params.one_of("multiple-registrations", "no", &["no", "contact"], &mut d), "contact");
    assert_eq!(params.u32_in("max-age", 30, 1..=60, &mut d), 30);
    assert!(params.bool("not-written", true, &mut d));
    assert_eq!(params.at("auth-calls").unwrap().line, 3);
    assert!(d.is_empty(), "{d}");
}

#[test]
fn everything_wrong_is_said_at_once() {
    let document = settings(
        "<param name=\"sip-ip\" value=\"localhost\"/>\n<param name=\"sip-port\" value=\"99999\"/>\n\
         <param name=\"auth-calls\" value=\"maybe\"/>\n<param name=\"multiple-registrations\" value=\"many\"/>\n\
         <param name=\"aply-inbound-acl\" value=\"x\"/>\n<param name=\"something-else\" value=\"x\"/>\n\
         <parm name=\"sip-ip\" value=\"x\"/>\n<param value=\"x\"/>\n<param name=\"codec-prefs\" value=\"PCMU\"/>",
    );
    let mut d = Diagnostics::new();
    let params = read_params(document.root(), &TABLE, &mut d);
    assert_eq!(params.ip("sip-ip", &mut d), None);
    assert_eq!(params.u16_in("sip-port", 5060, 1..=65535, &mut d), 5060);
    assert!(!params.bool("auth-calls", true, &mut d));
    assert_eq!(params.one_of("multiple-registrations", "no", &["no", "contact"], &mut d), "no");
    expect![[r#"
        sofia.conf.xml:6: warning: unknown param aply-inbound-acl; write apply-inbound-acl instead
        sofia.conf.xml:7: warning: unknown param something-else
        sofia.conf.xml:8: warning: <parm> is not read; write <param> instead
        sofia.conf.xml:9: warning: a param without a name is not read
        sofia.conf.xml:10: warning: param codec-prefs has no meaning here: only messages are routed
        sofia.conf.xml:2: error: sip-ip: `localhost` is not an IP address; write an address such as 192.0.2.1 or 2001:db8::1 instead
        sofia.conf.xml:3: error: sip-port: `99999` is not a number in range; write a number from 1 to 65535 instead
        sofia.conf.xml:4: warning: auth-calls: `maybe` is neither true nor false, and counts as false; write true or false instead
        sofia.conf.xml:5: error: multiple-registrations: `many` is not known; write no or contact instead
    "#]]
    .assert_eq(&d.to_string());
}
