use crate::siphash::HashKey;

/// What addresses-of-record are hashed by. It must be secret, so that nobody can choose names that hash alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AorKey(pub(super) HashKey);

/// An address-of-record's hash, for several tables of one seed: whoever knows it hashes no text twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AorHash(pub(super) u64);

impl AorKey {
    /// The key of a [`Bindings`](super::Bindings) of the same seed.
    pub fn new(seed: u64) -> Self {
        Self(HashKey::derive(seed, 0x7265_6773))
    }

    /// The hash of an address-of-record's text.
    pub fn hash(self, aor: &str) -> AorHash {
        AorHash(self.0.of_text(aor))
    }
}

impl AorHash {
    /// Which of so many tables, one at least, the address-of-record belongs to.
    pub fn part(self, parts: usize) -> usize {
        // Bits that choose no place within a table: that is what the lowest and the highest do.
        (self.0 >> 40) as usize % parts
    }
}
