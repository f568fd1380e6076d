use std::fmt;
use std::hash::Hasher;

use crate::siphash::HashKey;

/// RFC 3261 §8.1.1.7: branches that start so are unique across space and time.
const MAGIC_COOKIE: &str = "z9hG4bK";
const SHARD: usize = MAGIC_COOKIE.len();
const SECRET: usize = SHARD + 4;
const SERIAL: usize = SECRET + 16;
const LENGTH: usize = SERIAL + 8;

/// The branch of a request we send: the magic cookie, the shard that waits for the answer, an unguessable number and a
/// counter, in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    text: [u8; LENGTH],
    number: BranchNumber,
}

impl Branch {
    /// What stands before the four digits of the shard.
    pub const COOKIE: &str = MAGIC_COOKIE;

    fn print(shard: u16, number: BranchNumber) -> Self {
        let mut text = [0; LENGTH];
        text[..SHARD].copy_from_slice(MAGIC_COOKIE.as_bytes());
        write_hex(u64::from(shard), &mut text[SHARD..SECRET]);
        write_hex(number.secret, &mut text[SECRET..SERIAL]);
        write_hex(u64::from(number.serial), &mut text[SERIAL..]);
        Self { text, number }
    }

    /// The branch as it stands in the Via.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The branch as it stands in the Via.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("a branch is ASCII")
    }

    /// The shard that made this branch. `None` when none of ours did: a branch is compared as bytes, so other case or
    /// length is another branch.
    pub fn shard(branch: &[u8]) -> Option<u16> {
        parse(branch).map(|(shard, _)| shard)
    }

    pub(super) fn number(&self) -> BranchNumber {
        self.number
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Branch({self})")
    }
}

/// What tells our branches apart within a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BranchNumber {
    /// A keyed hash of the serial number: nobody off the path can make a response that matches.
    pub(super) secret: u64,
    serial: u32,
}

/// Makes the branches of one shard.
#[derive(Debug)]
pub(super) struct Branches {
    shard: u16,
    key: HashKey,
    serial: u64,
}

impl Branches {
    pub(super) fn new(shard: u16, key: HashKey) -> Self {
        Self { shard, key, serial: 0 }
    }

    pub(super) fn next(&mut self) -> Branch {
        self.serial += 1;
        let number = BranchNumber { secret: self.secret(self.serial), serial: self.serial as u32 };
        Branch::print(self.shard, number)
    }

    fn secret(&self, serial: u64) -> u64 {
        let mut hash = self.key.hash();
        hash.number(serial);
        hash.number(self.shard.into());
        hash.finish()
    }

    /// Whether this is the number of a branch that was made here, one of the last four thousand million.
    pub(super) fn has_made(&self, number: BranchNumber) -> bool {
        // Of the serials that end so the last one.
        let behind = (self.serial as u32).wrapping_sub(number.serial);
        let serial = self.serial.checked_sub(behind.into());
        serial.is_some_and(|serial| serial > 0 && self.secret(serial) == number.secret)
    }
}

/// Shard and number of a branch of ours, whichever shard's.
pub(super) fn parse(branch: &[u8]) -> Option<(u16, BranchNumber)> {
    let branch: &[u8; LENGTH] = branch.try_into().ok()?;
    if &branch[..SHARD] != MAGIC_COOKIE.as_bytes() {
        return None;
    }
    let shard = read_hex(&branch[SHARD..SECRET])? as u16;
    let secret = read_hex(&branch[SECRET..SERIAL])?;
    let serial = read_hex(&branch[SERIAL..])? as u32;
    Some((shard, BranchNumber { secret, serial }))
}

/// Whether a peer's branch says that it is unique, RFC 3261 §17.2.3.
pub(super) fn has_magic_cookie(branch: &[u8]) -> bool {
    branch.starts_with(MAGIC_COOKIE.as_bytes()) && branch.len() > MAGIC_COOKIE.len()
}

fn write_hex(mut number: u64, into: &mut [u8]) {
    for place in into.iter_mut().rev() {
        *place = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

fn read_hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn branches(shard: u16, seed: u64) -> Branches {
        Branches::new(shard, HashKey::derive(seed, 0))
    }

    #[test]
    fn a_branch_leads_back_to_its_shard() {
        for shard in [0, 1, 15, 16, u16::MAX] {
            let branch = branches(shard, 9).next();
            assert_eq!(Branch::shard(branch.as_bytes()), Some(shard));
            assert_eq!(parse(branch.as_bytes()), Some((shard, branch.number())));
        }
    }

    #[test]
    fn branches_do_not_repeat_and_follow_from_the_seed() {
        let mut made = branches(1, 9);
        let first: HashSet<_> = (0..1000).map(|_| made.next().to_string()).collect();
        assert_eq!(first.len(), 1000);
        let mut again = branches(1, 9);
        assert!((0..1000).all(|_| first.contains(again.next().as_str())));
        assert!(!first.contains(branches(1, 10).next().as_str()));
    }

    #[test]
    fn what_was_made_is_known_again_and_nothing_else() {
        let mut made = branches(1, 9);
        // The number in a branch begins anew after it.
        made.serial = u64::from(u32::MAX) - 2;
        let numbers: Vec<_> = (0..5).map(|_| made.next().number()).collect();
        assert!(numbers.iter().all(|number| made.has_made(*number)));
        let BranchNumber { secret, serial } = numbers[0];
        let foreign = [
            branches(1, 10).next().number(),
            branches(2, 9).next().number(),
            BranchNumber { secret: secret ^ 1, serial },
            BranchNumber { secret, serial: serial + 1 },
        ];
        assert!(foreign.iter().all(|number| !made.has_made(*number)));
        let before = |serial| BranchNumber { secret: branches(1, 9).secret(0), serial };
        assert!([0, 7].iter().all(|serial| !branches(1, 9).has_made(before(*serial))), "none was made yet");
    }

    #[test]
    fn branches_of_others_are_not_ours() {
        let ours = branches(3, 9).next().to_string();
        let longer = format!("{ours}0");
        let louder = ours.to_uppercase().replace("Z9HG4BK", MAGIC_COOKIE);
        let garbled = ours.replace(MAGIC_COOKIE, "z9hG4bk");
        for branch in ["", MAGIC_COOKIE, "z9hG4bKnashds8", &longer, &ours[1..], &louder, &garbled] {
            assert_eq!(Branch::shard(branch.as_bytes()), None, "{branch}");
        }
    }
}
