//! Flows of a device, RFC 5626 §6.
//!
//! A case is a line of REGISTERs `CONTACT[/REG-ID/INSTANCE][=EXPIRES]`; what is bound in the end, in the order it was made.

use std::time::{Duration, Instant};

use chappe_sim::Clock;
use chappe_sip_proto::Peer;
use chappe_sip_proto::registrar::{Aor, Bindings, Multiple, Policy, Register};

fn register(bindings: &mut Bindings, now: Instant, cseq: u32, step: &str, multiple: Multiple) {
    let (what, expires) = step.split_once('=').unwrap_or((step, "600"));
    let mut parts = what.split('/');
    let contact = parts.next().unwrap_or_default();
    let mut params = String::new();
    for (name, value) in ["reg-id=", "+sip.instance="].into_iter().zip(parts) {
        if !value.is_empty() {
            let value = if name.starts_with('+') { format!("\"<urn:{value}>\"") } else { value.to_owned() };
            params.push_str(&format!(";{name}{value}"));
        }
    }
    let text = format!(
        "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:bob@h>;tag=a\r\n\
         To: <sip:bob@h>\r\nCall-ID: c{cseq}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
         Contact: <sip:b@{contact}>{params};expires={expires}\r\nContent-Length: 0\r\n\r\n"
    );
    let message = chappe_sip_msg::parse(text.as_bytes()).expect("a REGISTER");
    let register = Register::read(&message, Peer::udp(([192, 0, 2, 1], 5060).into())).expect("a REGISTER");
    let policy = Policy { multiple, ..Policy::default() };
    bindings.apply(now, &Aor::new("bob@h"), &register, &policy).expect("it is granted");
}

fn bound(steps: &str, multiple: Multiple) -> String {
    let (mut bindings, mut now) = (Bindings::new(1), Clock::new().now());
    for (cseq, step) in (1..).zip(steps.split(' ')) {
        register(&mut bindings, now, cseq, step, multiple);
        now += Duration::from_secs(1);
    }
    let all = bindings.all("bob@h").iter().map(|binding| {
        let flow = binding.flow().replace("<urn:", "").replace('>', "");
        format!("{}/{flow}", &binding.contact()[6..])
    });
    all.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_flow_replaces_the_one_of_the_same_instance_and_number() {
    let cases = [
        ("1/1/x 2/1/x", "2/1;x"),
        ("1/1/x 1/2/x", "1/1;x 1/2;x"),
        ("1/1/x 2/2/x 3/1/x", "3/1;x 2/2;x"),
        ("1/1/x 2/1/y", "1/1;x 2/1;y"),
        ("1 1/1/x", "1/1;x"),
        ("1/1/x 2/1/x=0", ""),
        ("1/1/x 2/2/x 2/2/x=0", "1/1;x"),
        // No flow without both, or with a number that is none.
        ("1/1 2/1", "1/ 2/"),
        ("1//x 2//x", "1/ 2/"),
        ("1/0/x 2/-1/x 3/q/x 4/2147483648/x", "1/ 2/ 3/ 4/"),
        ("1/2147483647/x", "1/2147483647;x"),
    ];
    for (steps, want) in cases {
        assert_eq!(bound(steps, Multiple::ByContact), want, "{steps}");
    }
}

#[test]
fn one_phone_a_user_may_have_several_flows() {
    let cases = [
        ("1/1/x 2/2/x", "1/1;x 2/2;x"),
        ("1/1/x 2/2/x 3/1/y", "3/1;y"),
        ("1 2/1/x", "2/1;x"),
        ("1/1/x 2", "2/"),
    ];
    for (steps, want) in cases {
        assert_eq!(bound(steps, Multiple::No), want, "{steps}");
    }
}
