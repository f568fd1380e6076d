//! What is taken out because it ran out is what a look at every binding would find, whatever was registered, refreshed,
//! made shorter, removed and put back before, and however little is looked at a time.

use std::time::{Duration, Instant};

use chappe_sim::Clock;
use chappe_sip_proto::Peer;
use chappe_sip_proto::registrar::{Aor, Binding, BindingParts, Bindings, Multiple, Policy, Register};
use proptest::prelude::*;

const POLICY: Policy = Policy {
    min: 1,
    max: 100,
    default: 100,
    forced: None,
    max_bindings: 9,
    full: false,
    multiple: Multiple::ByContact,
};

#[derive(Clone, Debug)]
enum Step {
    /// User, contact, seconds; 0 removes.
    Register(u8, u8, u32),
    /// User, contact, seconds.
    Restore(u8, u8, u64),
    /// User: all bindings go.
    Flush(u8),
    /// So many milliseconds pass, and no more users than that are looked at a time.
    Expire(u64, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, 0..3_u8, 0..40_u32).prop_map(|(user, contact, span)| Step::Register(user, contact, span)),
        1 => (0..6_u8, 3..5_u8, 1..40_u64).prop_map(|(user, contact, span)| Step::Restore(user, contact, span)),
        1 => (0..6_u8).prop_map(Step::Flush),
        3 => (0..15_000_u64, 1..5_usize).prop_map(|(span, most)| Step::Expire(span, most)),
    ]
}

fn aor(user: u8) -> Aor {
    Aor::new(format!("{user}@h"))
}

fn register(bindings: &mut Bindings, now: Instant, cseq: u32, user: u8, contact: u8, span: u32) {
    let text = format!(
        "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:{user}@h>;tag=a\r\n\
         To: <sip:{user}@h>\r\nCall-ID: c\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
         Contact: <sip:b@{contact}>;expires={span}\r\nContent-Length: 0\r\n\r\n"
    );
    let message = chappe_sip_msg::parse(text.as_bytes()).expect("a REGISTER");
    let register = Register::read(&message, Peer::udp(([192, 0, 2, 1], 5060).into())).expect("a REGISTER");
    bindings.apply(now, &aor(user), &register, &POLICY).expect("it is granted");
}

fn kept(now: Instant, contact: u8, span: u64) -> Binding {
    let parts = BindingParts {
        contact: &format!("sip:b@{contact}"),
        flow: "",
        q: 1000,
        expires_at: now + Duration::from_secs(span),
        since: now,
        call_id: "c",
        cseq: 1,
        path: &[],
        received: Peer::udp(([192, 0, 2, 1], 5060).into()),
        user_agent: "phone".into(),
        is_nat: false,
    };
    Binding::new(&parts).expect("short texts")
}

/// Who is bound where, sorted; `out`: those that have run out, else those that have not.
fn shown(bindings: &Bindings, now: Instant, out: bool) -> Vec<String> {
    let all = bindings.iter().filter(|(_, binding)| binding.is_live(now) != out);
    let mut all: Vec<_> = all.map(|(aor, binding)| format!("{aor} {}", binding.contact())).collect();
    all.sort_unstable();
    all
}

fn expire(bindings: &mut Bindings, now: Instant, most: usize) -> Vec<String> {
    let mut out = Vec::new();
    loop {
        let taken = bindings.expire(now, &mut most.clone());
        assert!(taken.is_sorted_by_key(|(_, binding)| binding.expires_at()));
        out.extend(taken.into_iter().map(|(aor, binding)| format!("{aor} {}", binding.contact())));
        if bindings.next_look().is_none_or(|at| at > now) {
            out.sort_unstable();
            return out;
        }
    }
}

proptest! {
    #[test]
    fn what_is_taken_out_is_what_a_scan_finds(steps in prop::collection::vec(step(), 1..80)) {
        let (mut bindings, mut now) = (Bindings::new(7), Clock::new().now());
        for (cseq, step) in (1..).zip(steps) {
            match step {
                Step::Register(user, contact, span) => register(&mut bindings, now, cseq, user, contact, span),
                Step::Restore(user, contact, span) => {
                    bindings.restore(now, &aor(user), kept(now, contact, span));
                }
                Step::Flush(user) => drop(bindings.remove(&aor(user), |_| true)),
                Step::Expire(span, most) => {
                    now += Duration::from_millis(span);
                    let (out, left) = (shown(&bindings, now, true), shown(&bindings, now, false));
                    prop_assert_eq!(expire(&mut bindings, now, most), out);
                    prop_assert_eq!(shown(&bindings, now, false), left);
                    prop_assert!(shown(&bindings, now, true).is_empty());
                }
            }
            prop_assert_eq!(bindings.len(), bindings.iter().count());
        }
    }
}

#[test]
fn many_that_are_shortened_again_and_again_leave_nothing_behind() {
    let (mut bindings, now) = (Bindings::new(7), Clock::new().now());
    let mut cseq = 0;
    for round in 0..300 {
        for user in 0..4 {
            cseq += 1;
            register(&mut bindings, now, cseq, user, 1, 100 - round % 100);
        }
    }
    assert_eq!(bindings.len(), 4);
    // With a note for each of the 1,200 REGISTERs this many looks would not be enough.
    let later = now + Duration::from_secs(200);
    assert_eq!(bindings.expire(later, &mut 100).len(), 4);
    assert!(bindings.next_look().is_none_or(|at| at > later));
}
