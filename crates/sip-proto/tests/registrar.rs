//! RFC 3261 §10.3, one table row a REGISTER.
//!
//! A row says when it comes (seconds), its Call-ID and CSeq, its other header lines, and what it ends in: the contacts
//! bound from then on with their seconds, or the status of the refusal, after which everything has to be as before.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chappe_sim::Clock;
use chappe_sip_proto::Peer;
use chappe_sip_proto::registrar::{Aor, Applied, Bindings, Multiple, Policy, Register, RegisterError};
use proptest::prelude::*;

const LIMITS: Policy = Policy {
    min: 60,
    max: 3600,
    default: 600,
    forced: None,
    max_bindings: 3,
    full: false,
    multiple: Multiple::ByContact,
};

struct Registrar {
    bindings: Bindings,
    aor: Aor,
    start: Instant,
    policy: Policy,
}

impl Registrar {
    fn new(policy: Policy) -> Self {
        Self { bindings: Bindings::new(1), aor: Aor::new("bob@h"), start: Clock::new().now(), policy }
    }

    fn at(&self, second: u64) -> Instant {
        self.start + Duration::from_secs(second)
    }

    fn register(
        &mut self,
        second: u64,
        call_id: &str,
        cseq: u32,
        lines: &str,
    ) -> Result<Applied, RegisterError> {
        let now = self.at(second);
        let text = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:bob@h>;tag=a\r\n\
             To: <sip:bob@h>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
             User-Agent: phone\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        let message = chappe_sip_msg::parse(text.as_bytes()).expect("a REGISTER that can be parsed");
        let peer = Peer::udp(([192, 0, 2, 1], 5060).into());
        let register = Register::read(&message, peer)?;
        self.bindings.apply(now, &self.aor, &register, &self.policy)
    }

    /// `contact=seconds` of all live bindings, in the order they were made.
    fn shown(&self, second: u64) -> String {
        let now = self.at(second);
        let live = self.bindings.iter().filter(|(_, binding)| binding.is_live(now));
        let mut out = String::new();
        for (_, binding) in live {
            let _ = write!(out, "{}={} ", binding.contact(), binding.remaining(now).as_secs());
        }
        out.trim_end().to_owned()
    }
}

/// Second, Call-ID, CSeq, header lines, what it ends in.
type Row<'a> = (u64, &'a str, u32, &'a str, &'a str);

fn check(policy: Policy, rows: &[Row<'_>]) {
    let mut registrar = Registrar::new(policy);
    for (second, call_id, cseq, lines, want) in rows {
        let before = registrar.shown(*second);
        let got = match registrar.register(*second, call_id, *cseq, lines) {
            Ok(applied) => {
                let shown = registrar.shown(*second);
                assert_eq!(applied.bindings.len(), shown.split_whitespace().count(), "{lines}");
                shown
            }
            Err(error) => {
                assert_eq!(registrar.shown(*second), before, "{lines} was refused and changed something");
                error.status().to_string()
            }
        };
        assert_eq!(got, *want, "at {second}: {call_id} {cseq} {lines}");
    }
}

#[test]
fn expiry() {
    check(
        LIMITS,
        &[
            (0, "c", 1, "Contact: <sip:b@p>\r\n", "sip:b@p=600"),
            (0, "c", 2, "Contact: <sip:b@p>\r\nExpires: 90\r\n", "sip:b@p=90"),
            (0, "c", 3, "Contact: <sip:b@p>;expires=120\r\nExpires: 90\r\n", "sip:b@p=120"),
            (0, "c", 4, "Contact: <sip:b@p>;expires=99999\r\n", "sip:b@p=3600"),
            (0, "c", 5, "Contact: <sip:b@p>;expires=59\r\n", "423"),
            (0, "c", 6, "Contact: <sip:b@p>;expires=60\r\n", "sip:b@p=60"),
            (0, "c", 7, "Contact: <sip:b@p>;expires=soon\r\n", "sip:b@p=3600"),
            (0, "c", 8, "Contact: <sip:b@p>\r\nExpires: soon\r\n", "sip:b@p=3600"),
            (3599, "c", 9, "", "sip:b@p=1"),
            (3600, "c", 10, "", ""),
            (3600, "c", 1, "Contact: <sip:b@p>\r\n", "sip:b@p=600"),
        ],
    );
    let forced = Policy { forced: Some(30), ..LIMITS };
    check(forced, &[(0, "c", 1, "Contact: <sip:b@p>;expires=5\r\n", "sip:b@p=30")]);
}

#[test]
fn removal() {
    check(
        LIMITS,
        &[
            (0, "c", 1, "Contact: <sip:b@p>, <sip:b@q>;expires=70\r\n", "sip:b@p=600 sip:b@q=70"),
            (0, "c", 2, "Contact: <sip:b@p>;expires=0\r\n", "sip:b@q=70"),
            (0, "c", 3, "Contact: <sip:b@p>\r\nExpires: 0\r\n", "sip:b@q=70"),
            (0, "c", 4, "Contact: <sip:b@p>\r\nContact: <sip:b@q>;expires=0\r\n", "sip:b@p=600"),
            (0, "c", 5, "Contact: *\r\n", "400"),
            (0, "c", 5, "Contact: *\r\nExpires: 60\r\n", "400"),
            (0, "c", 5, "Contact: *, <sip:b@p>\r\nExpires: 0\r\n", "400"),
            (0, "c", 4, "Contact: *\r\nExpires: 0\r\n", "500"),
            (0, "c", 5, "Contact: *\r\nExpires: 0\r\n", ""),
            (0, "c", 6, "Contact: *\r\nExpires: 0\r\n", ""),
            (0, "c", 7, "Contact: <sip:b@p>\r\n", "sip:b@p=600"),
            (0, "other", 1, "Contact: *\r\nExpires: 0\r\n", ""),
        ],
    );
}

#[test]
fn order_by_call_id_and_cseq() {
    check(
        LIMITS,
        &[
            (0, "c", 5, "Contact: <sip:b@p>\r\n", "sip:b@p=600"),
            (1, "c", 5, "Contact: <sip:b@p>;expires=0\r\n", "500"),
            (1, "c", 4, "Contact: <sip:b@p>;expires=0\r\n", "500"),
            (1, "c", 4, "Contact: <sip:b@q>\r\n", "sip:b@p=599 sip:b@q=600"),
            (1, "d", 1, "Contact: <sip:b@p>\r\n", "sip:b@p=600 sip:b@q=600"),
            (1, "c", 1, "Contact: <sip:b@p>\r\n", "sip:b@p=600 sip:b@q=600"),
            (1, "c", 1, "", "sip:b@p=600 sip:b@q=600"),
        ],
    );
}

#[test]
fn all_or_nothing() {
    check(
        LIMITS,
        &[
            (0, "c", 1, "Contact: <sip:b@p>\r\n", "sip:b@p=600"),
            (0, "c", 2, "Contact: <sip:b@q>, <sip:b@p>;expires=5\r\n", "423"),
            (0, "c", 2, "Contact: <sip:b@p>;expires=0, <sip:b@q>;expires=5\r\n", "423"),
            (0, "c", 1, "Contact: <sip:b@q>, <sip:b@p>\r\n", "500"),
            (0, "c", 2, "Contact: <sip:b@1>, <sip:b@2>, <sip:b@3>\r\n", "403"),
            (0, "c", 2, "Contact: <sip:b@1>, <sip:b@2>\r\n", "sip:b@p=600 sip:b@1=600 sip:b@2=600"),
            (0, "d", 1, "Contact: <sip:b@1>;expires=0, <sip:b@3>\r\n", "sip:b@p=600 sip:b@2=600 sip:b@3=600"),
            (0, "d", 2, "Contact: <sip:b@4>\r\n", "403"),
            (0, "d", 2, "Contact: <sip:b@p>\r\n", "sip:b@p=600 sip:b@2=600 sip:b@3=600"),
            (600, "d", 3, "Contact: <sip:b@4>\r\n", "sip:b@4=600"),
        ],
    );
}

#[test]
fn contacts_are_compared_as_uris() {
    check(
        LIMITS,
        &[
            (0, "c", 1, "Contact: <sip:b@Phone.example>\r\n", "sip:b@Phone.example=600"),
            (0, "c", 2, "Contact: <SIP:%62@phone.EXAMPLE;x=1>\r\n", "SIP:%62@phone.EXAMPLE;x=1=600"),
            (0, "c", 3, "Contact: <sip:B@phone.example>;expires=0\r\n", "SIP:%62@phone.EXAMPLE;x=1=600"),
            (
                0,
                "c",
                4,
                "Contact: <sip:b@phone.example;transport=tcp>;expires=0\r\n",
                "SIP:%62@phone.EXAMPLE;x=1=600",
            ),
            (0, "c", 5, "Contact: <sip:b@phone.example>;expires=0\r\n", ""),
            (0, "c", 6, "Contact: <sip:b@p>, <sip:b@P>;expires=90\r\n", "sip:b@P=90"),
            (0, "c", 7, "Contact: <sip:b@q>, <sip:b@q>;expires=0\r\n", "sip:b@P=90"),
        ],
    );
}

#[test]
fn one_phone_a_user() {
    let policy = Policy { multiple: Multiple::No, ..LIMITS };
    check(
        policy,
        &[
            (0, "c", 1, "Contact: <sip:b@p>\r\n", "sip:b@p=600"),
            (0, "d", 1, "Contact: <sip:b@q>\r\n", "sip:b@q=600"),
            (0, "d", 1, "Contact: <sip:b@p>\r\n", "500"),
            (0, "d", 2, "Contact: <sip:b@p>;expires=0\r\n", "sip:b@q=600"),
            (0, "d", 3, "Contact: <sip:b@1>, <sip:b@2>\r\n", "sip:b@1=600 sip:b@2=600"),
            (0, "e", 1, "Contact: <sip:b@2>\r\n", "sip:b@2=600"),
        ],
    );
}

#[test]
fn one_binding_a_call_id() {
    let policy = Policy { multiple: Multiple::ByCallId, ..LIMITS };
    check(
        policy,
        &[
            (0, "c", 1, "Contact: <sip:b@p>\r\n", "sip:b@p=600"),
            (0, "d", 1, "Contact: <sip:b@q>\r\n", "sip:b@p=600 sip:b@q=600"),
            (0, "c", 2, "Contact: <sip:b@new>\r\n", "sip:b@q=600 sip:b@new=600"),
            (0, "c", 2, "Contact: <sip:b@newer>\r\n", "500"),
            (0, "e", 1, "Contact: <sip:b@q>\r\n", "sip:b@q=600 sip:b@new=600"),
        ],
    );
}

#[test]
fn what_changed_is_told() {
    let mut registrar = Registrar::new(LIMITS);
    registrar.register(0, "c", 1, "Contact: <sip:b@p>, <sip:b@q>\r\n").unwrap();
    let lines =
        "Contact: <sip:b@p>;expires=0, <sip:b@q>;q=0.5, <sip:b@r>\r\nPath: <sip:e1;lr>, <sip:e2;lr>\r\n";
    let applied = registrar.register(5, "c", 2, lines).unwrap();
    let contacts = |found: &[std::sync::Arc<chappe_sip_proto::registrar::Binding>]| {
        found.iter().map(|binding| binding.contact().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(contacts(&applied.removed), ["sip:b@p"]);
    assert_eq!(contacts(&applied.refreshed), ["sip:b@q"]);
    assert_eq!(contacts(&applied.added), ["sip:b@r"]);
    let refreshed = &applied.refreshed[0];
    assert_eq!((refreshed.q(), refreshed.cseq(), &**refreshed.user_agent()), (500, 2, "phone"));
    assert_eq!(refreshed.path().collect::<Vec<_>>(), ["sip:e1;lr", "sip:e2;lr"]);
    assert_eq!((refreshed.since(), applied.added[0].since()), (registrar.at(0), registrar.at(5)));
    let fetch = registrar.register(6, "x", 1, "").unwrap();
    assert_eq!(contacts(&fetch.bindings), ["sip:b@q", "sip:b@r"]);
    assert!(fetch.added.is_empty() && fetch.removed.is_empty());
}

#[test]
fn lookup_prefers_q_and_then_the_newest() {
    let mut registrar = Registrar::new(Policy { max_bindings: 9, ..LIMITS });
    let lines = "Contact: <sip:b@1>;q=0.5, <sip:b@2>;q=0.7;expires=70, <sip:b@3>;q=0.5, <sip:b@4>;q=0\r\n";
    registrar.register(0, "c", 1, lines).unwrap();
    registrar.register(1, "c", 2, "Contact: <sip:b@1>;q=0.5\r\n").unwrap();
    let found = |second| {
        let found = registrar.bindings.lookup(registrar.at(second), &registrar.aor);
        found.iter().map(|binding| binding.contact()[6..].to_owned()).collect::<String>()
    };
    assert_eq!(found(2), "2134");
    assert_eq!(found(70), "134");
    assert!(registrar.bindings.is_registered(registrar.at(70), "bob@h"));
    assert!(registrar.bindings.find(registrar.at(70), "carol@h").is_empty());
}

#[test]
fn expire_hands_out_each_binding_once_and_in_order() {
    let mut registrar = Registrar::new(LIMITS);
    registrar.register(0, "c", 1, "Contact: <sip:b@1>;expires=90, <sip:b@2>;expires=60\r\n").unwrap();
    registrar.register(10, "c", 2, "Contact: <sip:b@1>;expires=60, <sip:b@3>;expires=3000\r\n").unwrap();
    assert_eq!(registrar.bindings.next_look(), Some(registrar.at(60)));
    assert!(registrar.bindings.expire(registrar.at(59), &mut 9).is_empty());
    let now = registrar.at(100);
    let expired = registrar.bindings.expire(now, &mut 9);
    let contacts: Vec<_> =
        expired.iter().map(|(aor, binding)| format!("{aor} {}", binding.contact())).collect();
    assert_eq!(contacts, ["bob@h sip:b@2", "bob@h sip:b@1"]);
    assert!(registrar.bindings.expire(now, &mut 9).is_empty());
    assert_eq!(registrar.bindings.len(), 1);
    let aor = registrar.aor.clone();
    assert_eq!(registrar.bindings.remove(&aor, |binding| binding.contact() == "sip:b@3").len(), 1);
    assert!(registrar.bindings.is_empty() && registrar.bindings.all("bob@h").is_empty());
}

#[test]
fn iteration_is_sorted_and_everybody_can_be_removed() {
    let mut registrar = Registrar::new(LIMITS);
    for user in ["carol@h", "alice@h", "bob@h"] {
        registrar.aor = Aor::new(user);
        registrar.register(0, "c", 1, "Contact: <sip:x@2>, <sip:x@1>\r\n").unwrap();
    }
    let all: Vec<_> =
        registrar.bindings.iter().map(|(aor, binding)| format!("{aor}{}", &binding.contact()[5..])).collect();
    assert_eq!(all, ["alice@h@2", "alice@h@1", "bob@h@2", "bob@h@1", "carol@h@2", "carol@h@1"]);
    let removed =
        registrar.bindings.remove_all(|aor, binding| aor.user() != "bob" && binding.is_for("sip:x@1"));
    assert_eq!(removed.iter().map(|(aor, _)| aor.as_str()).collect::<Vec<_>>(), ["alice@h", "carol@h"]);
    assert_eq!(registrar.bindings.len(), 4);
}

proptest! {
    /// Whatever comes, the expiry queue and the users agree, and limits hold.
    #[test]
    fn the_queue_stays_in_step(steps in prop::collection::vec((0..4_u8, 0..5_u8, 0..2_u8, 0..200_u32, 0..40_u64), 1..60)) {
        for multiple in [Multiple::No, Multiple::ByContact, Multiple::ByCallId] {
            let mut registrar = Registrar::new(Policy { multiple, ..LIMITS });
            let mut second = 0;
            for (cseq, (call, contact, more, expires, later)) in (1..).zip(&steps) {
                second += later;
                let also = if *more > 0 { format!(", <sip:b@{}>", contact / 2) } else { String::new() };
                let lines = format!("Contact: <sip:b@{contact}>;expires={expires}{also}\r\n");
                let _ = registrar.register(second, &format!("c{call}"), cseq, &lines);
                if contact % 2 == 0 {
                    registrar.bindings.expire(registrar.at(second), &mut 9);
                }
                let live = registrar.bindings.find(registrar.at(second), "bob@h").len();
                prop_assert!(live <= LIMITS.max_bindings);
                prop_assert_eq!(registrar.bindings.iter().count(), registrar.bindings.len());
            }
            registrar.bindings.expire(registrar.at(second + 5000), &mut 99);
            prop_assert!(registrar.bindings.is_empty() && registrar.bindings.iter().next().is_none());
        }
    }
}
