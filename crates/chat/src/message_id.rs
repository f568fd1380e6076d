//! The names of messages.

use std::hash::Hasher;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageName([u8; 32]);

impl MessageName {
    /// The name of the message that these words stand for: the same words give the same name, also after a restart, so that
    /// a request which is repeated across one keeps its name.
    pub fn of(words: &[&[u8]]) -> Self {
        let mut hash = SipHasher13::new();
        for word in words {
            hash.write_usize(word.len());
            hash.write(word);
        }
        let hash = hash.finish128();
        Self::from_numbers(hash.h1, hash.h2)
    }

    /// The name of the copy number `number` that was made of a message.
    pub(crate) fn of_copy(parent: &str, number: u32) -> Self {
        Self::of(&[parent.as_bytes(), &number.to_be_bytes()])
    }

    /// A name that no other message has.
    pub(crate) fn fresh() -> Self {
        static START: OnceLock<u64> = OnceLock::new();
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let start = START.get_or_init(|| {
            let mut random = [0; 8];
            // Without randomness names are still different from each other in this process.
            let _ = getrandom::fill(&mut random);
            u64::from_ne_bytes(random)
        });
        Self::from_numbers(*start, NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn from_numbers(high: u64, low: u64) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let octets = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        let mut text = [0; 32];
        for (pair, octet) in text.chunks_exact_mut(2).zip(octets) {
            pair[0] = DIGITS[usize::from(octet >> 4)];
            pair[1] = DIGITS[usize::from(octet & 15)];
        }
        Self(text)
    }
}

impl Deref for MessageName {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl AsRef<str> for MessageName {
    fn as_ref(&self) -> &str {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_name() {
        let name = MessageName::of(&[b"a", b"bc"]);
        assert_eq!(name.len(), 32);
        assert_eq!(name, MessageName::of(&[b"a", b"bc"]));
        assert_ne!(name, MessageName::of(&[b"ab", b"c"]));
        assert_ne!(MessageName::of_copy(&name, 1), MessageName::of_copy(&name, 2));
        assert_ne!(MessageName::fresh(), MessageName::fresh());
    }
}
