//! The names of messages.

use std::hash::{DefaultHasher, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of the message that these words stand for: the same words give the same name, also after a restart, so that
/// a request which is repeated across one keeps its name.
pub fn message_id_of(words: &[&[u8]]) -> String {
    let half = |number: u8| {
        let mut hash = DefaultHasher::new();
        hash.write_u8(number);
        for word in words {
            hash.write_usize(word.len());
            hash.write(word);
        }
        hash.finish()
    };
    text(half(0), half(1))
}

/// The name of the copy number `number` that was made of a message.
pub(crate) fn of_copy(parent: &str, number: u32) -> String {
    message_id_of(&[parent.as_bytes(), &number.to_be_bytes()])
}

/// A name that no other message has.
pub(crate) fn fresh() -> String {
    static START: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let start = START.get_or_init(|| {
        let mut random = [0; 8];
        // Without randomness names are still different from each other in this process.
        let _ = getrandom::fill(&mut random);
        u64::from_ne_bytes(random)
    });
    text(*start, NEXT.fetch_add(1, Ordering::Relaxed))
}

fn text(high: u64, low: u64) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.into_iter().flat_map(|byte| [digit(byte >> 4), digit(byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_name() {
        let name = message_id_of(&[b"a", b"bc"]);
        assert_eq!(name.len(), 32);
        assert_eq!(name, message_id_of(&[b"a", b"bc"]));
        assert_ne!(name, message_id_of(&[b"ab", b"c"]));
        assert_ne!(of_copy(&name, 1), of_copy(&name, 2));
        assert_ne!(fresh(), fresh());
    }
}
