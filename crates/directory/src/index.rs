//! Finding by name without regard to case and without allocation.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Octets that are hashed at once; longer than most names.
const PIECE: usize = 32;

/// Names to positions in a list that somebody else holds. Names are compared as FreeSWITCH compares domains and user
/// ids: ASCII letters without regard to case.
#[derive(Clone, Default)]
pub(crate) struct NameIndex {
    table: HashTable<(Box<str>, usize)>,
    hasher: DefaultHashBuilder,
}

impl NameIndex {
    pub fn get(&self, name: &str) -> Option<usize> {
        self.known(name).map(|(_, position)| position)
    }

    /// The name as it was added, and the position.
    pub fn known(&self, name: &str) -> Option<(&str, usize)> {
        let found = self.table.find(self.hash(name), |(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(known, position)| (&**known, *position))
    }

    /// Adds a name; one that is there keeps its position, which is returned.
    pub fn add(&mut self, name: &str, position: usize) -> Result<(), usize> {
        if let Some(first) = self.get(name) {
            return Err(first);
        }
        let hasher = &self.hasher;
        self.table.insert_unique(hash(hasher, name), (name.into(), position), |(name, _)| hash(hasher, name));
        Ok(())
    }

    fn hash(&self, name: &str) -> u64 {
        hash(&self.hasher, name)
    }
}

fn hash(builder: &DefaultHashBuilder, name: &str) -> u64 {
    // Piece by piece in lower case: a hasher takes many octets at once much faster than one by one.
    let mut hasher = builder.build_hasher();
    for piece in name.as_bytes().chunks(PIECE) {
        let mut lower = [0; PIECE];
        lower[..piece.len()].copy_from_slice(piece);
        lower.make_ascii_lowercase();
        hasher.write(&lower);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_name_stays() {
        let mut index = NameIndex::default();
        assert_eq!(index.add("Chat.Test", 0), Ok(()));
        assert_eq!(index.add("chat.test", 1), Err(0));
        assert_eq!(index.get("CHAT.TEST"), Some(0));
        assert_eq!(index.get("other"), None);
    }
}
