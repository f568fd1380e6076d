//! Addresses that are not listened to for a while.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::transport::source;

/// Addresses that are banned at a time; for one more the ban that ends first is lifted.
const MOST: usize = 100_000;

/// Who is banned, on all profiles, and until when. Of IPv6 a network of 64 bits is one address.
#[derive(Default)]
pub struct Bans {
    until: RwLock<HashMap<IpAddr, Instant>>,
    count: AtomicUsize,
}

impl Bans {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    pub fn holds(&self, ip: IpAddr, now: Instant) -> bool {
        self.any() && self.until.read().get(&source(ip)).is_some_and(|until| now < *until)
    }

    /// From here on for so long, also where another ban would have ended before or after.
    pub fn add(&self, ip: IpAddr, now: Instant, time: Duration) {
        let mut bans = self.until.write();
        if bans.len() >= MOST && !bans.contains_key(&source(ip)) {
            let first = bans.iter().min_by_key(|(_, until)| **until).map(|(ip, _)| *ip);
            first.and_then(|first| bans.remove(&first));
        }
        bans.insert(source(ip), now + time);
        self.count.store(bans.len(), Ordering::Relaxed);
    }

    /// `false`: there was none.
    pub fn lift(&self, ip: IpAddr) -> bool {
        let mut bans = self.until.write();
        let was = bans.remove(&source(ip)).is_some();
        self.count.store(bans.len(), Ordering::Relaxed);
        was
    }

    /// All of them; how many there were.
    pub fn clear(&self) -> usize {
        let mut bans = self.until.write();
        self.count.store(0, Ordering::Relaxed);
        std::mem::take(&mut *bans).len()
    }

    /// Forgets those that are over.
    pub fn expire(&self, now: Instant) {
        if self.any() {
            let mut bans = self.until.write();
            bans.retain(|_, until| now < *until);
            self.count.store(bans.len(), Ordering::Relaxed);
        }
    }

    /// Addresses and the time they have left, sorted.
    pub fn list(&self, now: Instant) -> Vec<(IpAddr, Duration)> {
        let left = |(ip, until): (&IpAddr, &Instant)| (*ip, until.saturating_duration_since(now));
        let mut list: Vec<_> = self.until.read().iter().map(left).collect();
        list.retain(|(_, left)| !left.is_zero());
        list.sort_unstable();
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(60);

    #[test]
    fn a_ban_lasts_its_time_or_until_it_is_lifted() {
        let (bans, now) = (Bans::default(), Instant::now());
        let [bad, worse, neighbour, good] =
            ["192.0.2.1", "2001:db8::1", "2001:db8::7", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        assert!(!bans.any());
        bans.add(bad, now, TIME);
        bans.add(worse, now, 2 * TIME);
        assert!(bans.holds(bad, now) && bans.holds("::ffff:192.0.2.1".parse().unwrap(), now));
        assert!(bans.holds(neighbour, now) && !bans.holds(good, now));
        assert!(!bans.holds(bad, now + TIME));
        bans.expire(now + TIME);
        assert_eq!(bans.list(now + TIME), [("2001:db8::".parse().unwrap(), TIME)]);
        assert!(bans.lift(neighbour) && !bans.lift(neighbour) && !bans.any());
    }

    #[test]
    fn so_many_are_remembered() {
        let (bans, now) = (Bans::default(), Instant::now());
        let ip = |number: u32| IpAddr::from(number.to_be_bytes());
        bans.add(ip(7), now, TIME);
        for number in 0..MOST as u32 {
            bans.until.write().insert(ip(1000 + number), now + 2 * TIME);
        }
        bans.add(ip(8), now, TIME);
        assert!(bans.holds(ip(8), now) && !bans.holds(ip(7), now));
        assert_eq!(bans.clear(), MOST + 1);
    }
}
