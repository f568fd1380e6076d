//! Whether the files of a folder have changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Most certificate files of a folder that are looked at.
pub const MOST: usize = 1000;

/// A folder's `.pem` files, and by what a change of one is seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stamps(Vec<(PathBuf, Stamp)>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Stamps {
    /// As the folder is; a folder that can't be read has no files.
    pub fn of(folder: &Path) -> Self {
        let Ok(entries) = fs::read_dir(folder) else { return Self::default() };
        let files = entries.flatten().map(|entry| entry.path());
        let pem = files.filter(|file| file.extension().is_some_and(|extension| extension == "pem"));
        let mut stamps: Vec<_> =
            pem.filter_map(|file| Stamp::of(&file).map(|stamp| (file, stamp))).take(MOST).collect();
        stamps.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(stamps)
    }

    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(file, _)| file.as_path())
    }
}

impl Stamp {
    fn of(file: &Path) -> Option<Self> {
        // Of the file itself where it is a link, as certbot makes them.
        let meta = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
        Some(Self { inode: meta.ino(), length: meta.len(), modified: (meta.mtime(), meta.mtime_nsec()) })
    }
}
