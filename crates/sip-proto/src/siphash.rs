//! Keyed hashes of what the network sent.
//!
//! Branches, Call-IDs and tags are chosen by peers. A hash they can't predict keeps them from piling entries into one
//! bucket, and at 128 bits it stands for the text itself, so a finished transaction need not keep any.

use std::fmt;
use std::hash::{BuildHasher, Hasher};

/// The two words of key a [`SipHash`] starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct HashKey(u64, u64);

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

impl HashKey {
    /// The key number `purpose` of a seed, so that one seed serves several tables without their hashes being related.
    pub(crate) fn derive(seed: u64, purpose: u64) -> Self {
        let word = |number: u64| {
            let mut hash = SipHash::<1, 3>::new(Self(seed, !seed));
            hash.write(&purpose.to_le_bytes());
            hash.write(&number.to_le_bytes());
            hash.finish()
        };
        Self(word(0), word(1))
    }

    /// The hash of one text, a word at a time.
    pub(crate) fn of_text(self, text: &str) -> u64 {
        let mut hash = self.hash();
        hash.field(text.as_bytes());
        hash.finish()
    }

    /// A hash under this key.
    pub(crate) fn hash(self) -> SipHash<1, 3> {
        SipHash::new(self)
    }
}

impl BuildHasher for HashKey {
    type Hasher = SipHash<1, 3>;

    fn build_hasher(&self) -> Self::Hasher {
        self.hash()
    }
}

/// SipHash with `C` rounds a word and `D` at the end (Aumasson and Bernstein), 64 or 128 bits out.
#[derive(Clone, Debug)]
pub(crate) struct SipHash<const C: usize, const D: usize> {
    state: [u64; 4],
    /// The bytes that don't fill a word yet, lowest first.
    tail: u64,
    length: u64,
}

impl<const C: usize, const D: usize> SipHash<C, D> {
    fn new(key: HashKey) -> Self {
        let state = [
            key.0 ^ 0x736f_6d65_7073_6575,
            key.1 ^ 0x646f_7261_6e64_6f6d,
            key.0 ^ 0x6c79_6765_6e65_7261,
            key.1 ^ 0x7465_6462_7974_6573,
        ];
        Self { state, tail: 0, length: 0 }
    }

    /// Hashes one field as whole words: its length goes first, so that two fields never hash like two others of the same
    /// bytes. Not to be mixed with [`Hasher::write`].
    pub(crate) fn field(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        if !tail.is_empty() {
            self.number(partial(tail));
        }
    }

    /// Hashes one word.
    pub(crate) fn number(&mut self, number: u64) {
        debug_assert!(self.length.is_multiple_of(8), "a word of its own");
        self.word(number);
        self.length += 8;
    }

    fn round(&mut self) {
        let [a, b, c, d] = &mut self.state;
        *a = a.wrapping_add(*b);
        *b = b.rotate_left(13) ^ *a;
        *a = a.rotate_left(32);
        *c = c.wrapping_add(*d);
        *d = d.rotate_left(16) ^ *c;
        *a = a.wrapping_add(*d);
        *d = d.rotate_left(21) ^ *a;
        *c = c.wrapping_add(*b);
        *b = b.rotate_left(17) ^ *c;
        *c = c.rotate_left(32);
    }

    fn word(&mut self, word: u64) {
        self.state[3] ^= word;
        (0..C).for_each(|_| self.round());
        self.state[0] ^= word;
    }

    fn digest(&self) -> u64 {
        self.state.iter().fold(0, |folded, word| folded ^ word)
    }

    /// 128 bits. Must not be mixed with [`Hasher::finish`] under one key.
    pub(crate) fn finish128(mut self) -> [u64; 2] {
        self.state[1] ^= 0xee;
        self.word(self.length << 56 | self.tail);
        self.state[2] ^= 0xee;
        (0..D).for_each(|_| self.round());
        let low = self.digest();
        self.state[1] ^= 0xdd;
        (0..D).for_each(|_| self.round());
        [low, self.digest()]
    }
}

impl<const C: usize, const D: usize> Hasher for SipHash<C, D> {
    fn write(&mut self, bytes: &[u8]) {
        let pending = (self.length % 8) as usize;
        self.length += bytes.len() as u64;
        let missing = 8 - pending;
        if bytes.len() < missing {
            self.tail |= partial(bytes) << (8 * pending);
            return;
        }
        let (head, rest) = bytes.split_at(missing);
        let first = self.tail | partial(head) << (8 * pending);
        self.word(first);
        let (words, tail) = rest.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        self.tail = partial(tail);
    }

    fn finish(&self) -> u64 {
        let mut last = self.clone();
        last.word(self.length << 56 | self.tail);
        last.state[2] ^= 0xff;
        (0..D).for_each(|_| last.round());
        last.digest()
    }
}

/// At most eight bytes as the low end of a word.
fn partial(bytes: &[u8]) -> u64 {
    if let Some(word) = bytes.first_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    if let (Some(low), Some(high)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // The two overlap, and where they do they agree.
        let [low, high] = [low, high].map(|half| u64::from(u32::from_le_bytes(*half)));
        return low | high << (8 * (bytes.len() - 4));
    }
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::DefaultHasher;

    /// The key of the authors' test vectors, bytes 0 to 15.
    fn key() -> HashKey {
        HashKey(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    }

    fn bytes128(input: &[u8]) -> [u8; 16] {
        let mut hash = SipHash::<2, 4>::new(key());
        hash.write(input);
        let [low, high] = hash.finish128();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&low.to_le_bytes());
        bytes[8..].copy_from_slice(&high.to_le_bytes());
        bytes
    }

    #[test]
    fn the_authors_vectors_come_out() {
        let mut hash = SipHash::<2, 4>::new(key());
        hash.write(&(0..15).collect::<Vec<u8>>());
        assert_eq!(hash.finish(), 0xa129_ca61_49be_45e5);
        let empty = 0xa381_7f04_ba25_a8e6_6df6_7214_c755_0293_u128;
        assert_eq!(bytes128(b""), empty.to_be_bytes());
        let zero = 0xda87_c1d8_6b99_af44_3476_5911_9b22_fc45_u128;
        assert_eq!(bytes128(&[0]), zero.to_be_bytes());
    }

    #[test]
    fn sixty_four_bits_agree_with_the_standard_library() {
        let text = b"z9hG4bK776asdhds, and a text of more than two words";
        for length in 0..text.len() {
            let mut ours = SipHash::<1, 3>::new(HashKey(0, 0));
            let mut theirs = DefaultHasher::new();
            ours.write(&text[..length]);
            theirs.write(&text[..length]);
            assert_eq!(ours.finish(), theirs.finish(), "at {length} bytes");
        }
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let text: Vec<u8> = (0..40).collect();
        for cut in 0..text.len() {
            let mut pieces = key().hash();
            pieces.write(&text[..cut]);
            pieces.write(&text[cut..]);
            let mut whole = key().hash();
            whole.write(&text);
            assert_eq!(pieces.finish128(), whole.finish128(), "cut at {cut}");
        }
    }

    #[test]
    fn a_few_bytes_are_the_low_end_of_a_word() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        for length in 0..=8 {
            let mut word = [0; 8];
            word[..length].copy_from_slice(&bytes[..length]);
            assert_eq!(partial(&bytes[..length]), u64::from_le_bytes(word), "{length}");
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let of = |fields: [&[u8]; 2]| {
            let mut hash = key().hash();
            fields.iter().for_each(|field| hash.field(field));
            hash.finish128()
        };
        assert_ne!(of([b"ab", b"c"]), of([b"a", b"bc"]));
        assert_ne!(of([b"ab", b""]), of([b"ab\0", b""]));
        assert_ne!(of([b"", b"ab"]), of([b"ab", b""]));
    }
}
