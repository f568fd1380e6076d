//! `received` and `rport` in the topmost Via (RFC 3261 §18.2.1, RFC 3581 §4).

use chappe_sip_msg::{ResponseWriter, parse};

#[track_caller]
fn check(via: &str, source: &str, want: &str) {
    let request = format!(
        "OPTIONS sip:h SIP/2.0\r\n{via}\r\nVia: SIP/2.0/UDP first;branch=z9hG4bK0;rport\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
    );
    let request = parse(request.as_bytes()).expect("a request");
    let mut out = Vec::new();
    ResponseWriter::to(&request, source.parse().ok(), 200, "Fine", "unused", &mut out).finish();
    let want = format!(
        "SIP/2.0 200 Fine\r\n{want}\r\nVia: SIP/2.0/UDP first;branch=z9hG4bK0;rport\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(String::from_utf8_lossy(&out), want);
}

#[test]
fn untouched_when_sent_by_is_the_source() {
    let via = "v:  SIP/2.0/UDP 192.0.2.1:5070 ;branch=z9hG4bK1";
    check(via, "192.0.2.1:40000", via);
    check(via, "[::ffff:192.0.2.1]:40000", via);
    check(via, "no source", via);
}

#[test]
fn received_when_it_differs() {
    let via = "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1";
    check(via, "192.0.2.9:40000", &format!("{via};received=192.0.2.9"));
    check(via, "[2001:db8::1]:40000", &format!("{via};received=2001:db8::1"));
    check(
        "Via: SIP/2.0/UDP host;branch=z9hG4bK1",
        "192.0.2.9:1",
        "Via: SIP/2.0/UDP host;branch=z9hG4bK1;received=192.0.2.9",
    );
}

#[test]
fn rport_always_brings_received() {
    check(
        "Via: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1",
        "192.0.2.1:40000",
        "Via: SIP/2.0/UDP 192.0.2.1;rport=40000;branch=z9hG4bK1;received=192.0.2.1",
    );
}

#[test]
fn what_the_sender_claims_is_replaced() {
    check(
        "Via: SIP/2.0/UDP 192.0.2.1;received=10.0.0.1;rport=9;x=\"a;b\";branch=z9hG4bK1",
        "192.0.2.1:40000",
        "Via: SIP/2.0/UDP 192.0.2.1;rport=40000;x=\"a;b\";branch=z9hG4bK1;received=192.0.2.1",
    );
}

#[test]
fn the_top_value_of_a_line_of_several() {
    check(
        "Via: SIP/2.0/UDP [2001:db8::7]:5060 ;\r\n rport , SIP/2.0/TCP second;rport",
        "[2001:db8::7]:7000",
        "Via: SIP/2.0/UDP [2001:db8::7]:5060;rport=7000;received=2001:db8::7 , SIP/2.0/TCP second;rport",
    );
}
