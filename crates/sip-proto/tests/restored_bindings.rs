//! Bindings of an earlier run, and what REGISTERs that come meanwhile make of them.
//!
//! A case is a line of steps: `=contact,call-id,cseq,seconds` puts a binding back, `?call-id,cseq,Contact` is a REGISTER.

use std::time::{Duration, Instant};

use chappe_sim::Clock;
use chappe_sip_proto::Peer;
use chappe_sip_proto::registrar::{
    Aor, Binding, BindingParts, Bindings, Multiple, Policy, Register, RegisterError,
};

struct World {
    bindings: Bindings,
    policy: Policy,
    now: Instant,
    aor: Aor,
}

impl World {
    fn new(multiple: Multiple) -> Self {
        let policy = Policy { multiple, max_bindings: 3, ..Policy::default() };
        Self { bindings: Bindings::new(1), policy, now: Clock::new().now(), aor: Aor::new("bob@h") }
    }

    fn kept(&self, contact: &str, call_id: &str, cseq: u32, seconds: u64) -> Binding {
        self.kept_since(self.now, contact, call_id, cseq, seconds)
    }

    fn kept_since(&self, since: Instant, contact: &str, call_id: &str, cseq: u32, seconds: u64) -> Binding {
        let parts = BindingParts {
            contact,
            flow: "",
            q: 1000,
            expires_at: self.now + Duration::from_secs(seconds),
            since,
            call_id,
            cseq,
            path: &[],
            received: Peer::udp(([192, 0, 2, 1], 5060).into()),
            user_agent: "phone".into(),
            is_nat: false,
        };
        Binding::new(&parts).expect("short texts")
    }

    fn restore(&mut self, binding: Binding) -> bool {
        self.bindings.restore(self.now, &self.aor, binding)
    }

    fn register(&mut self, call_id: &str, cseq: u32, lines: &str) -> Result<(), RegisterError> {
        let text = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:bob@h>;tag=a\r\n\
             To: <sip:bob@h>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
             {lines}\r\nContent-Length: 0\r\n\r\n"
        );
        let message = chappe_sip_msg::parse(text.as_bytes()).expect("a REGISTER");
        let peer = Peer::udp(([192, 0, 2, 1], 5060).into());
        let register = Register::read(&message, peer)?;
        self.bindings.apply(self.now, &self.aor, &register, &self.policy).map(drop)
    }

    fn contacts(&self) -> String {
        let found = self.bindings.find(self.now, self.aor.as_str());
        let contacts: Vec<_> = found.iter().map(|binding| binding.contact()[6..].to_owned()).collect();
        contacts.join(" ")
    }

    /// The status of a refusal.
    fn step(&mut self, step: &str) -> Option<u16> {
        let number = |text: &str| text.parse::<u32>().expect("a number");
        match step.splitn(4, ',').collect::<Vec<_>>()[..] {
            [contact, call_id, cseq, seconds] if contact.starts_with('=') => {
                let (contact, seconds) = (format!("sip:b@{}", &contact[1..]), u64::from(number(seconds)));
                self.restore(self.kept(&contact, call_id, number(cseq), seconds));
                None
            }
            [call_id, cseq, ..] if call_id.starts_with('?') => {
                let lines = &step[call_id.len() + cseq.len() + 2..];
                let refused = self.register(&call_id[1..], number(cseq), lines).err();
                refused.map(|error| error.status())
            }
            _ => panic!("{step} is no step"),
        }
    }
}

/// The steps, then what is found, the preferred first; refusals' statuses before it.
fn check(multiple: Multiple, steps: &str, want: &str) {
    let mut world = World::new(multiple);
    world.bindings.begin_restore();
    let mut seen: Vec<_> = steps
        .split('|')
        .filter_map(|step| world.step(step.trim()))
        .map(|status| status.to_string())
        .collect();
    seen.extend(Some(world.contacts()).filter(|contacts| !contacts.is_empty()));
    assert_eq!(seen.join(" "), want, "{multiple:?} {steps}");
    assert_eq!(world.bindings.iter().count(), world.bindings.len(), "{steps}");
}

#[test]
fn what_is_put_back_counts_until_it_runs_out() {
    check(Multiple::ByContact, "=1,c,1,100 | =2,c,1,200", "2 1");
    check(Multiple::ByContact, "=1,c,1,0", "");
    check(Multiple::ByContact, "=1,c,1,100 | =1,c,1,200", "1");
    let mut world = World::new(Multiple::ByContact);
    let binding = world.kept("sip:b@1", "c", 1, 100);
    assert!(world.restore(binding));
    assert!(world.bindings.expire(world.now + Duration::from_secs(99), &mut 9).is_empty());
    assert_eq!(world.bindings.expire(world.now + Duration::from_secs(100), &mut 9).len(), 1);
    assert!(world.bindings.is_empty() && world.bindings.all("bob@h").is_empty());
}

#[test]
fn call_id_and_cseq_still_order_requests() {
    let one = "Contact: <sip:b@1>";
    check(Multiple::ByContact, &format!("=1,c,5,100 | ?c,5,{one}"), "500 1");
    check(Multiple::ByContact, &format!("=1,c,5,100 | ?c,4,{one};expires=0"), "500 1");
    check(Multiple::ByContact, &format!("=1,c,5,100 | ?c,6,{one};expires=0"), "");
    check(Multiple::ByContact, &format!("=1,c,5,100 | ?d,1,{one};expires=0"), "");
}

#[test]
fn a_register_that_came_meanwhile_wins() {
    use Multiple::{ByCallId, ByContact, No};
    let cases = [
        (ByContact, "?d,1,Contact: <sip:b@1> | =1,c,1,100 | =2,c,1,100", "1 2"),
        (ByContact, "?d,1,Contact: <sip:b@1>;expires=0 | =1,c,1,100 | =2,c,1,100", "2"),
        (ByContact, "?d,1,Contact: <sip:%62@1>;expires=0 | =1,c,1,100", ""),
        (ByContact, "?d,1,Contact: *\r\nExpires: 0 | =1,c,1,100 | =2,c,1,100", ""),
        (ByContact, "?d,1,Contact: <sip:b@3> | ?d,2,Contact: <sip:b@3>;expires=0 | =3,d,1,100", ""),
        // A question decides nothing, and neither does a REGISTER that is refused.
        (ByContact, "?d,1,Subject: which | =1,c,1,100", "1"),
        (ByContact, "?d,1,Contact: <sip:b@1>;expires=5 | =1,c,1,100", "423 1"),
        (No, "?d,1,Contact: <sip:b@2> | =1,c,1,100", "2"),
        (No, "?d,1,Contact: <sip:b@2>;expires=0 | =1,c,1,100", "1"),
        (ByCallId, "?c,2,Contact: <sip:b@2> | =1,c,1,100 | =3,d,1,100", "2 3"),
        (ByCallId, "?c,2,Contact: <sip:b@2>;expires=0 | =1,c,1,100", "1"),
    ];
    for (multiple, steps, want) in cases {
        check(multiple, steps, want);
    }
}

#[test]
fn others_and_later_runs_are_not_claimed() {
    let mut world = World::new(Multiple::No);
    world.bindings.begin_restore();
    world.register("d", 1, "Contact: <sip:b@1>").unwrap();
    world.aor = Aor::new("carol@h");
    let binding = world.kept("sip:b@1", "c", 1, 100);
    assert!(world.restore(binding.clone()));
    world.register("c", 2, "Contact: *\r\nExpires: 0").unwrap();
    assert!(!world.restore(binding.clone()));
    world.bindings.end_restore();
    assert!(world.restore(binding));
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut world = World::new(Multiple::ByContact);
    world.bindings.begin_restore();
    for cseq in 1..=16 {
        world.register("d", cseq, &format!("Contact: <sip:b@{cseq}>;expires=0")).unwrap();
    }
    let far = world.kept("sip:b@99", "c", 1, 100);
    assert!(world.restore(far.clone()));
    world.register("d", 17, "Contact: <sip:b@17>;expires=0, <sip:b@99>;expires=0").unwrap();
    assert!(!world.restore(far), "more contacts than are remembered");
    for user in 0..8_192 {
        world.aor = Aor::new(format!("{user}@h"));
        world.register("d", 1, "Contact: <sip:b@1>;expires=0").unwrap();
    }
    world.aor = Aor::new("dave@h");
    let binding = world.kept("sip:b@1", "c", 1, 100);
    assert!(!world.restore(binding), "more users than are remembered");
}

#[test]
fn the_order_in_which_they_were_made_is_kept() {
    let mut world = World::new(Multiple::ByContact);
    for (contact, age) in [("sip:b@2", 20), ("sip:b@1", 30), ("sip:b@3", 10)] {
        let since = world.now.checked_sub(Duration::from_secs(age)).unwrap();
        assert!(world.restore(world.kept_since(since, contact, "c", 1, 100)));
    }
    let made: String = world.bindings.all("bob@h").iter().map(|binding| &binding.contact()[6..]).collect();
    assert_eq!((&*made, &*world.contacts()), ("123", "3 1 2"));
}
