use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chappe_sip_msg::{Method, parse};
use chappe_sip_proto::Peer;
use chappe_sip_proto::registrar::{Aor, Bindings, Multiple, Policy, Register};

use crate::records::records;

/// Any REGISTERs of one user, one behind the other: all of a REGISTER is done or nothing; what the answer lists is what is
/// there; there are no more bindings, and for no longer, than the policy says.
pub fn registrar(input: &[u8]) {
    let Some((which, input)) = input.split_first() else { return };
    let multiple = [Multiple::No, Multiple::ByContact, Multiple::ByCallId][usize::from(which % 3)];
    let policy = Policy { min: 5, max: 600, default: 300, max_bindings: 4, multiple, ..Policy::default() };
    let mut now = Instant::now();
    let mut bindings = Bindings::new(7);
    let aor = Aor::of("a", "h");
    for record in records(input).take(32) {
        let Ok(message) = parse(record) else { continue };
        let peer = Peer::udp(SocketAddr::from(([198, 51, 100, 7], 4321)));
        let Ok(register) = Register::read(&message, peer) else { continue };
        if message.method() != Method::Register {
            continue;
        }
        let before: Vec<_> = bindings.find(now, aor.as_str()).iter().cloned().collect();
        let applied = bindings.apply(now, &aor, &register, &policy);
        let mut after: Vec<_> = bindings.find(now, aor.as_str()).iter().cloned().collect();
        match applied {
            Ok(applied) => {
                let mut listed: Vec<_> = applied.bindings.iter().cloned().collect();
                listed.sort_by_key(|binding| binding.serial());
                after.sort_by_key(|binding| binding.serial());
                assert_eq!(after, listed, "what is listed is what is there");
            }
            Err(_) => assert_eq!(after, before, "nothing was done"),
        }
        assert!(after.len() <= policy.max_bindings);
        let longest = Duration::from_secs(policy.max.into());
        assert!(after.iter().all(|binding| binding.remaining(now) <= longest));
        now += Duration::from_secs(1);
    }
    now += Duration::from_secs(601);
    bindings.expire(now, &mut 100);
    assert!(bindings.is_empty(), "everything runs out");
}
