//! A disk that forgets what was not synced when its power is cut.

use std::collections::BTreeMap;

use crate::chance::Chance;

/// What a disk writes wholly or not at all.
const SECTOR: usize = 512;

/// Power is off: nothing works any more.
#[derive(Debug)]
pub struct Off;

#[derive(Default)]
pub struct Disk {
    files: BTreeMap<String, File>,
    /// Writes, syncs and the like so far.
    operations: u64,
    /// The operation at which the power is cut.
    cut_at: Option<u64>,
    is_off: bool,
}

#[derive(Default)]
struct File {
    /// What whoever reads it sees.
    now: Vec<u8>,
    synced: Vec<u8>,
    /// Whether its name is on the disk.
    is_named: bool,
    /// What happened since it was synced.
    unsynced: Vec<Change>,
}

enum Change {
    Write { at: usize, octets: Vec<u8> },
    Truncate(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, octets } => {
                let end = at + octets.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(octets);
            }
            Self::Truncate(length) => content.truncate(*length),
        }
    }

    /// The sectors it consists of.
    fn pieces(self) -> Vec<Self> {
        let Self::Write { at, octets } = self else { return vec![self] };
        let (mut pieces, mut start) = (Vec::new(), 0);
        while start < octets.len() {
            let length = (SECTOR - (at + start) % SECTOR).min(octets.len() - start);
            pieces.push(Self::Write { at: at + start, octets: octets[start..start + length].to_vec() });
            start += length;
        }
        pieces
    }
}

impl Disk {
    pub fn open(&mut self, name: &str) -> Result<(), Off> {
        self.check()?;
        self.files.entry(name.to_owned()).or_default();
        Ok(())
    }

    pub fn exists(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    pub fn delete(&mut self, name: &str) -> Result<(), Off> {
        self.operation()?;
        self.files.remove(name);
        Ok(())
    }

    pub fn content(&self, name: &str) -> Result<&[u8], Off> {
        self.check()?;
        Ok(self.files.get(name).map_or(&[], |file| &file.now))
    }

    pub fn write(&mut self, name: &str, at: usize, octets: &[u8]) -> Result<(), Off> {
        self.change(name, Change::Write { at, octets: octets.to_vec() })
    }

    pub fn truncate(&mut self, name: &str, length: usize) -> Result<(), Off> {
        self.change(name, Change::Truncate(length))
    }

    /// What is under way when the power is cut may have happened.
    fn change(&mut self, name: &str, change: Change) -> Result<(), Off> {
        self.check()?;
        let file = self.files.entry(name.to_owned()).or_default();
        change.apply(&mut file.now);
        file.unsynced.push(change);
        self.operation()
    }

    pub fn sync(&mut self, name: &str) -> Result<(), Off> {
        self.operation()?;
        let file = self.files.entry(name.to_owned()).or_default();
        for change in file.unsynced.drain(..) {
            change.apply(&mut file.synced);
        }
        file.is_named = true;
        Ok(())
    }

    fn check(&self) -> Result<(), Off> {
        if self.is_off { Err(Off) } else { Ok(()) }
    }

    fn operation(&mut self) -> Result<(), Off> {
        self.check()?;
        self.operations += 1;
        self.is_off = self.cut_at == Some(self.operations);
        self.check()
    }

    /// The power is cut after so many operations from now on.
    pub fn cut_after(&mut self, operations: u64) {
        self.cut_at = Some(self.operations + operations);
    }

    pub fn is_off(&self) -> bool {
        self.is_off
    }

    /// The power is back. Of what was not synced, a file has nothing, all, or some sectors.
    pub fn restart(&mut self, chance: &mut Chance) {
        (self.cut_at, self.is_off) = (None, false);
        self.files.retain(|_, file| file.is_named || chance.below(2) == 0);
        for file in self.files.values_mut() {
            let kind = chance.below(3);
            for change in std::mem::take(&mut file.unsynced).into_iter().flat_map(Change::pieces) {
                if kind == 1 || (kind == 2 && chance.below(2) == 0) {
                    change.apply(&mut file.synced);
                }
            }
            file.now.clone_from(&file.synced);
            file.is_named = true;
        }
    }
}
