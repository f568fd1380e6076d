//! Tags of From, RFC 3261 §19.3.

use std::cell::RefCell;

/// Digits of a tag: 64 bits, where the RFC asks for 32 at least.
const DIGITS: usize = 16;

/// Tags for which randomness is fetched at a time: the call costs as much as a good part of a message.
const AT_ONCE: usize = 64;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { octets: [0; 8 * AT_ONCE], used: 8 * AT_ONCE }) };
}

/// Randomness from the system, each octet of which is used once.
struct Pool {
    octets: [u8; 8 * AT_ONCE],
    used: usize,
}

impl Pool {
    fn take(&mut self) -> [u8; 8] {
        if self.used == self.octets.len() {
            // Without randomness a tag is still a tag: nothing secret hangs on it.
            let _ = getrandom::fill(&mut self.octets);
            self.used = 0;
        }
        let taken = self.octets[self.used..].first_chunk().copied().unwrap_or_default();
        self.used += taken.len();
        taken
    }
}

/// A new one, for a From that has none.
pub fn tag() -> String {
    let random = POOL.with(|pool| pool.borrow_mut().take());
    let mut digits = String::with_capacity(DIGITS);
    for octet in random {
        digits.extend(
            [octet >> 4, octet & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
        );
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_tag_is_new_also_when_the_pool_is_filled_again() {
        let tags: HashSet<String> = (0..3 * AT_ONCE).map(|_| tag()).collect();
        assert_eq!(tags.len(), 3 * AT_ONCE);
        assert!(tags.iter().all(|tag| tag.len() == DIGITS && tag.bytes().all(|b| b.is_ascii_hexdigit())));
    }
}
