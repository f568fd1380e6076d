//! The table in memory. FreeSWITCH mod_hash.c.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::TableError;
use crate::bounds::{MAX_ENTRIES, MAX_OCTETS};
use crate::error::fits;

/// Values by realm and key, for as long as mod_hash is loaded. As in FreeSWITCH the two make one name, `realm_key`.
#[derive(Default)]
pub struct HashTable(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    entries: BTreeMap<String, String>,
    octets: usize,
}

/// The name of a realm's key.
pub(crate) fn name(realm: &str, key: &str) -> String {
    format!("{realm}_{key}")
}

impl HashTable {
    /// Keeps a value in the place of any other.
    pub fn insert(&self, realm: &str, key: &str, value: &str) -> Result<(), TableError> {
        fits(realm, key, value)?;
        self.0.lock().insert(name(realm, key), value)
    }

    /// Keeps a value if there is none; whether it did.
    pub fn insert_if_empty(&self, realm: &str, key: &str, value: &str) -> Result<bool, TableError> {
        fits(realm, key, value)?;
        let (name, mut kept) = (name(realm, key), self.0.lock());
        if kept.entries.contains_key(&name) {
            return Ok(false);
        }
        kept.insert(name, value).map(|()| true)
    }

    pub fn get(&self, realm: &str, key: &str) -> Option<String> {
        self.0.lock().entries.get(&name(realm, key)).cloned()
    }

    /// Whether there was a value.
    pub fn delete(&self, realm: &str, key: &str) -> bool {
        self.0.lock().remove(&name(realm, key))
    }

    /// Deletes a value if it is this one: `None` when there is no value, else whether it was.
    pub fn delete_if_match(&self, realm: &str, key: &str, value: &str) -> Option<bool> {
        let (name, mut kept) = (name(realm, key), self.0.lock());
        let same = kept.entries.get(&name)? == value;
        Some(same && kept.remove(&name))
    }

    /// Every name with its value, sorted.
    pub fn list(&self) -> Vec<(String, String)> {
        self.0.lock().entries.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

impl Kept {
    fn insert(&mut self, name: String, value: &str) -> Result<(), TableError> {
        let before = self.entries.get(&name).map(String::len);
        let entries = self.entries.len() + usize::from(before.is_none());
        let octets = match before {
            Some(before) => self.octets - before + value.len(),
            None => self.octets + name.len() + value.len(),
        };
        if entries > MAX_ENTRIES || octets > MAX_OCTETS {
            return Err(TableError::Full);
        }
        self.octets = octets;
        self.entries.insert(name, value.to_owned());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> bool {
        let value = self.entries.remove(name);
        if let Some(value) = &value {
            self.octets -= name.len() + value.len();
        }
        value.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::{MAX_NAME, MAX_VALUE};

    #[test]
    fn values_are_kept_and_deleted() {
        let table = HashTable::default();
        table.insert("r", "k", "one").unwrap();
        assert!(!table.insert_if_empty("r", "k", "two").unwrap());
        assert!(table.insert_if_empty("r", "l", "three").unwrap());
        assert_eq!(table.get("r", "k").as_deref(), Some("one"));
        assert_eq!(table.delete_if_match("r", "k", "two"), Some(false));
        assert_eq!(table.delete_if_match("r", "k", "one"), Some(true));
        assert_eq!(table.delete_if_match("r", "k", "one"), None);
        assert_eq!(table.list(), [("r_l".to_owned(), "three".to_owned())]);
        assert!(table.delete("r", "l"));
        assert!(!table.delete("r", "l"));
        assert_eq!(table.0.lock().octets, 0);
    }

    #[test]
    fn there_are_bounds() {
        let table = HashTable::default();
        let long = "x".repeat(MAX_VALUE + 1);
        assert!(matches!(table.insert("r", "k", &long), Err(TableError::LongValue)));
        assert!(matches!(table.insert("r", &"k".repeat(MAX_NAME), "v"), Err(TableError::LongName)));
        let most = &long[1..];
        let mut kept = 0;
        while table.insert("r", &kept.to_string(), most).is_ok() {
            kept += 1;
        }
        assert!(kept > 4_000, "{kept}");
        assert!(matches!(table.insert("r", "new", most), Err(TableError::Full)));
        table.insert("r", "0", "short").unwrap();
        table.insert("r", "small", "fits again").unwrap();
    }
}
