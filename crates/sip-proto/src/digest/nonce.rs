use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Credentials;
use super::algorithm::Hex;

/// How many bytes of the HMAC a nonce carries.
const MAC: usize = 16;
/// Time, random number, HMAC: in hexadecimal.
const LENGTH: usize = 2 * (8 + 8 + MAC);
/// How many nonces' counts are kept unless told.
const REMEMBERED: usize = 100_000;

/// What a nonce is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Freshness {
    /// Ours, in time, and its count was not used before.
    Fresh,
    /// Ours, but expired or used with this count before: challenge again with `stale=true`.
    Stale,
    /// Not made by us: challenge again.
    Forged,
}

/// Makes nonces and knows them again.
///
/// A nonce carries its time and a proof that it is ours, so that challenging costs no memory and whoever never answers
/// costs nothing. Nothing here changes, so many can use it at once; what nonces were used for, [`NonceCounts`] knows.
#[derive(Debug)]
pub struct Nonces {
    mac: Hmac<Sha256>,
}

/// The counts that nonces were used with.
///
/// Only nonces that came back with the right password are remembered. When there are too many of those, the oldest are
/// forgotten and, from then on, stale.
#[derive(Debug)]
pub struct NonceCounts {
    /// Seconds.
    lifetime: u64,
    capacity: usize,
    used: BTreeMap<Nonce, Window>,
    /// The latest nonce that was forgotten for want of room.
    forgotten: Option<Nonce>,
}

/// A nonce that is ours: time of issue in seconds since 1970, then a random number, in order of age.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Nonce {
    issued: u64,
    random: u64,
}

/// The counts a nonce was used with. Datagrams overtake each other, so a count may be a little lower than the highest;
/// it may not be used twice.
#[derive(Clone, Copy, Debug)]
struct Window {
    highest: u32,
    /// Bit n: `highest - n` was used.
    seen: u64,
}

impl Nonces {
    /// `key` must be secret.
    pub fn new(key: [u8; 32]) -> Self {
        let mac = Hmac::new_from_slice(&key).expect("an HMAC takes a key of any length");
        Self { mac }
    }

    /// A new nonce. `random` keeps nonces of the same second apart.
    pub fn issue(&self, now_unix_secs: u64, random: u64) -> String {
        let nonce = Nonce { issued: now_unix_secs, random };
        let mut bytes = [0; LENGTH / 2];
        bytes[..16].copy_from_slice(&nonce.bytes());
        bytes[16..].copy_from_slice(&self.proof(nonce));
        Hex::of(&bytes).as_str().to_owned()
    }

    /// The nonce of these credentials, if it is one of ours.
    pub fn read(&self, credentials: &Credentials<'_>) -> Option<Nonce> {
        let bytes = unhex(&credentials.nonce)?;
        let (head, theirs) = bytes.split_at(16);
        let nonce = Nonce::from_bytes(head);
        let ours = Hex::of(&self.proof(nonce));
        ours.matches(Hex::of(&theirs).as_bytes()).then_some(nonce)
    }

    fn proof(&self, nonce: Nonce) -> [u8; MAC] {
        let full = self.mac.clone().chain_update(nonce.bytes()).finalize().into_bytes();
        let mut proof = [0; MAC];
        proof.copy_from_slice(&full[..MAC]);
        proof
    }
}

impl NonceCounts {
    /// `lifetime` of a nonce is in seconds.
    pub fn new(lifetime: u64) -> Self {
        Self::with_capacity(lifetime, REMEMBERED)
    }

    /// The same, with room for so many nonces.
    pub fn with_capacity(lifetime: u64, capacity: usize) -> Self {
        Self { lifetime, capacity: capacity.max(1), used: BTreeMap::new(), forgotten: None }
    }

    /// What a nonce is worth with this count. Changes nothing, so it may be asked before the password is looked at.
    pub fn check(&self, nonce: Nonce, count: Option<u32>, now_unix_secs: u64) -> Freshness {
        let expired = now_unix_secs.saturating_sub(nonce.issued) > self.lifetime;
        let fresh = match self.used.get(&nonce) {
            Some(window) => count.is_none_or(|count| window.takes(count)),
            None => self.forgotten.is_none_or(|forgotten| nonce > forgotten),
        };
        if fresh && !expired { Freshness::Fresh } else { Freshness::Stale }
    }

    /// The same, and uses up the count: to be called once the password was found right, so that nobody without one can fill
    /// the memory. Credentials without a count, of clients that know no `qop`, serve until the nonce expires.
    pub fn spend(&mut self, nonce: Nonce, count: Option<u32>, now_unix_secs: u64) -> Freshness {
        let freshness = self.check(nonce, count, now_unix_secs);
        if let (Freshness::Fresh, Some(count)) = (freshness, count) {
            let before = self.used.len();
            self.used.entry(nonce).or_insert(Window::NEW).take(count);
            if self.used.len() > before {
                self.make_room(now_unix_secs);
            }
        }
        freshness
    }

    fn make_room(&mut self, now_unix_secs: u64) {
        while let Some(oldest) = self.used.first_entry() {
            let expired = now_unix_secs.saturating_sub(oldest.key().issued) > self.lifetime;
            if expired {
                oldest.remove();
            } else if self.used.len() > self.capacity {
                self.forgotten = self.used.pop_first().map(|(nonce, _)| nonce).max(self.forgotten);
            } else {
                return;
            }
        }
    }
}

impl Nonce {
    /// A number that nobody but us chose: for whoever spreads nonces over several [`NonceCounts`].
    pub fn spread(self) -> u64 {
        self.random
    }

    fn bytes(self) -> [u8; 16] {
        (u128::from(self.issued) << 64 | u128::from(self.random)).to_be_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let number = bytes.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        Self { issued: (number >> 64) as u64, random: number as u64 }
    }
}

impl Window {
    const NEW: Self = Self { highest: 0, seen: 0 };

    fn takes(self, count: u32) -> bool {
        match self.highest.checked_sub(count) {
            None => true,
            Some(behind) => behind < u64::BITS && self.seen & 1 << behind == 0,
        }
    }

    fn take(&mut self, count: u32) {
        match count.checked_sub(self.highest) {
            Some(ahead) => {
                self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = count;
            }
            None => self.seen |= 1_u64.checked_shl(self.highest - count).unwrap_or(0),
        }
    }
}

fn unhex(text: &[u8]) -> Option<[u8; LENGTH / 2]> {
    let mut bytes = [0; LENGTH / 2];
    if text.len() != LENGTH {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Freshness::{Forged, Fresh, Stale};

    const NOW: u64 = 1_800_000_000;

    fn text(nonce: &str, count: Option<u32>) -> String {
        let count = count.map_or(String::new(), |count| format!(", qop=auth, cnonce=c, nc={count:08x}"));
        format!("Digest username=a, realm=r, nonce=\"{nonce}\", uri=u, response=0{count}")
    }

    struct Both(Nonces, NonceCounts);

    fn both(capacity: usize) -> Both {
        Both(Nonces::new([7; 32]), NonceCounts::with_capacity(60, capacity))
    }

    fn spend(
        Both(nonces, counts): &mut Both,
        nonce: &str,
        count: impl Into<Option<u32>>,
        now: u64,
    ) -> Freshness {
        let text = text(nonce, count.into());
        let credentials = Credentials::parse(text.as_bytes()).unwrap();
        let Some(nonce) = nonces.read(&credentials) else { return Forged };
        let checked = counts.check(nonce, credentials.nonce_count, now);
        assert_eq!(counts.spend(nonce, credentials.nonce_count, now), checked);
        checked
    }

    #[test]
    fn a_nonce_serves_its_lifetime_and_not_longer() {
        let mut nonces = both(100);
        let nonce = nonces.0.issue(NOW, 1);
        assert_eq!(spend(&mut nonces, &nonce, 1, NOW), Fresh);
        assert_eq!(spend(&mut nonces, &nonce, 2, NOW + 60), Fresh);
        assert_eq!(spend(&mut nonces, &nonce, 3, NOW + 61), Stale);
        assert_eq!(spend(&mut nonces, &nonce, None, NOW + 61), Stale);
    }

    #[test]
    fn each_count_serves_once_in_any_order_within_the_window() {
        let mut nonces = both(100);
        let nonce = nonces.0.issue(NOW, 1);
        for (count, want) in [
            (2, Fresh),
            (1, Fresh),
            (1, Stale),
            (2, Stale),
            (9, Fresh),
            (10, Fresh),
            (10, Stale),
            (9, Stale),
            (70, Fresh),
            (8, Fresh),
            (8, Stale),
            (6, Stale),
            (1000, Fresh),
            (70, Stale),
            (u32::MAX, Fresh),
            (u32::MAX, Stale),
        ] {
            assert_eq!(spend(&mut nonces, &nonce, count, NOW), want, "count {count}");
        }
        assert_eq!(spend(&mut nonces, &nonce, None, NOW), Fresh);
    }

    #[test]
    fn what_we_did_not_make_is_forged() {
        let mut nonces = both(100);
        let nonce = nonces.0.issue(NOW, 1);
        let others = Nonces::new([8; 32]).issue(NOW, 1);
        let later = nonce.replacen("6b49d200", "6b49d201", 1);
        assert_ne!(nonce, later, "the test changes the time within the nonce");
        for forged in
            ["", "abc", &others, &later, &nonce[1..], &format!("{nonce}0"), &nonce.replace('0', "é")]
        {
            assert_eq!(spend(&mut nonces, forged, 1, NOW), Forged, "{forged}");
        }
        assert_eq!(spend(&mut nonces, &nonce.to_uppercase(), 1, NOW), Fresh);
        assert_eq!(spend(&mut nonces, &nonce, 1, NOW), Stale);
    }

    #[test]
    fn memory_is_bounded_and_what_is_forgotten_is_stale() {
        let mut nonces = both(10);
        let made: Vec<_> = (0..20).map(|random| nonces.0.issue(NOW, random)).collect();
        for nonce in &made {
            assert_eq!(spend(&mut nonces, nonce, 1, NOW), Fresh);
            assert!(nonces.1.used.len() <= 10);
        }
        assert_eq!(spend(&mut nonces, &made[0], 2, NOW), Stale);
        assert_eq!(spend(&mut nonces, &made[19], 2, NOW), Fresh);
        let new = nonces.0.issue(NOW + 61, 1);
        assert_eq!(spend(&mut nonces, &new, 1, NOW + 61), Fresh);
        assert_eq!(nonces.1.used.len(), 1, "expired nonces make room");
    }
}
