use std::sync::Arc;

use hashbrown::HashSet;

use crate::siphash::HashKey;

/// Texts that are shared; one more is kept by itself.
const MOST: usize = 64;

/// The User-Agents of bindings, each once: phones are of few kinds.
#[derive(Debug)]
pub(super) struct Agents {
    known: HashSet<Arc<str>, HashKey>,
    /// The one that was asked for last: those that are put back come in rows.
    last: Option<Arc<str>>,
}

impl Agents {
    pub(super) fn new(hash: HashKey) -> Self {
        Self { known: HashSet::with_hasher(hash), last: None }
    }

    /// The text, shared with whoever has the same.
    pub(super) fn of(&mut self, text: &str) -> Arc<str> {
        if let Some(last) = self.last.as_ref().filter(|last| ***last == *text) {
            return last.clone();
        }
        if let Some(known) = self.known.get(text) {
            self.last = Some(known.clone());
            return known.clone();
        }
        let text: Arc<str> = text.into();
        if self.known.len() >= MOST {
            self.known.retain(|known| Arc::strong_count(known) > 1);
        }
        if self.known.len() < MOST {
            self.known.insert(text.clone());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_there_once_and_goes_with_its_last_user() {
        let mut agents = Agents::new(HashKey::derive(1, 2));
        let phone = agents.of("phone");
        assert!(Arc::ptr_eq(&phone, &agents.of("phone")));
        for number in 0..3 * MOST {
            assert_eq!(&*agents.of(&number.to_string()), number.to_string());
            assert!(agents.known.len() <= MOST);
        }
        assert!(Arc::ptr_eq(&phone, &agents.of("phone")), "it is still used");
        let others: Vec<_> = (0..2 * MOST).map(|number| agents.of(&format!("other {number}"))).collect();
        assert_eq!(agents.known.len(), MOST);
        assert!(!Arc::ptr_eq(&others[2 * MOST - 1], &agents.of("other 127")), "there is no room to share it");
    }
}
