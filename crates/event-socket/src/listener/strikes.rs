//! Addresses that give wrong passwords.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Wrong passwords within [`WINDOW`] after which an address is not let in.
pub(super) const MOST: u32 = 5;
/// How long a wrong password counts, and an address with too many stays out.
pub(super) const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered. When there are more, those whose time is over are forgotten; when none is, all are.
const CAPACITY: usize = 10_000;

/// How often each address gave a wrong password lately. This machine's own addresses are never kept out: its operators
/// would be, too. They are slowed down by the delay of each refusal.
#[derive(Default)]
pub(super) struct Strikes(Mutex<HashMap<IpAddr, Strike>>);

struct Strike {
    count: u32,
    until: Instant,
}

impl Strikes {
    /// Whether the address is to be kept out.
    pub(super) fn is_out(&self, address: IpAddr, now: Instant) -> bool {
        let strikes = self.0.lock();
        strikes.get(&address).is_some_and(|strike| strike.count >= MOST && now < strike.until)
    }

    /// A wrong password came; whether the address is out from here on.
    pub(super) fn strike(&self, address: IpAddr, now: Instant) -> bool {
        if address.is_loopback() {
            return false;
        }
        let mut strikes = self.0.lock();
        if strikes.len() >= CAPACITY && !strikes.contains_key(&address) {
            strikes.retain(|_, strike| now < strike.until);
            if strikes.len() >= CAPACITY {
                strikes.clear();
            }
        }
        let strike = strikes.entry(address).or_insert(Strike { count: 0, until: now });
        if now >= strike.until {
            strike.count = 0;
        }
        strike.count += 1;
        strike.until = now + WINDOW;
        strike.count >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn too_many_keep_an_address_out_for_a_while() {
        let (strikes, now) = (Strikes::default(), Instant::now());
        let bad = address(0x0a00_0001);
        for _ in 1..MOST {
            assert!(!strikes.strike(bad, now));
            assert!(!strikes.is_out(bad, now));
        }
        assert!(strikes.strike(bad, now));
        assert!(strikes.is_out(bad, now));
        assert!(!strikes.is_out(address(0x0a00_0002), now));
        assert!(!strikes.is_out(bad, now + WINDOW));
        assert!(!strikes.strike(bad, now + WINDOW), "what is long ago does not count");
    }

    #[test]
    fn this_machine_is_never_out() {
        let (strikes, now) = (Strikes::default(), Instant::now());
        for _ in 0..100 {
            assert!(!strikes.strike(address(0x7f00_0001), now));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (strikes, now) = (Strikes::default(), Instant::now());
        for number in 0..3 * CAPACITY as u32 {
            strikes.strike(address(number | 0x0a00_0000), now);
        }
        assert!(strikes.0.lock().len() <= CAPACITY);
    }
}
