//! The world outside, as a configuration may see it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

/// What reading a configuration may ask of the machine.
pub trait Files {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The files that match a shell pattern (`*`, `?`, `[...]`), sorted; none is no error.
    fn glob(&self, pattern: &Path) -> Vec<PathBuf>;

    /// What a shell command writes to its standard output; an error when it ends with a failure.
    fn exec(&self, command: &str) -> io::Result<String>;

    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;
}

/// Files held in memory: the embedded configuration, and tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<PathBuf, Vec<u8>>,
    environment: BTreeMap<String, String>,
    commands: BTreeMap<String, String>,
}

impl MemoryFiles {
    pub fn new() -> Self {
        MemoryFiles::default()
    }

    /// Adds a file, or replaces it.
    #[must_use]
    pub fn with(mut self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) -> Self {
        self.insert(path, content);
        self
    }

    pub fn insert(&mut self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) {
        self.files.insert(tidy(path.as_ref()), content.into());
    }

    /// What [`Files::env`] answers.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// What [`Files::exec`] answers; every other command fails.
    #[must_use]
    pub fn with_command(mut self, command: &str, output: &str) -> Self {
        self.commands.insert(command.into(), output.into());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(&tidy(path)).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        let pattern = tidy(pattern);
        self.files.keys().filter(|path| path_matches(&pattern, path)).cloned().collect()
    }

    fn exec(&self, command: &str) -> io::Result<String> {
        self.commands.get(command).cloned().ok_or_else(|| io::Error::other("no such command"))
    }

    fn env(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}

/// The path without `.` and `a/..`; the same file, unless `a` is a link.
pub fn tidy(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

fn path_matches(pattern: &Path, path: &Path) -> bool {
    let (mut patterns, mut names) = (pattern.components(), path.components());
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) => {
                let (pattern, name) =
                    (pattern.as_os_str().to_string_lossy(), name.as_os_str().to_string_lossy());
                let hidden = name.starts_with('.') && !pattern.starts_with('.');
                if hidden || !name_matches(pattern.as_bytes(), name.as_bytes()) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// A shell pattern against one name, without going back more than to the last `*`.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(next) = one_matches(pattern, p, name[n]) {
            (p, n) = (next, n + 1);
        } else if let Some((star_p, star_n)) = star {
            star = Some((star_p, star_n + 1));
            (p, n) = (star_p + 1, star_n + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// Where the pattern goes on when its element at `p` takes this octet.
fn one_matches(pattern: &[u8], p: usize, octet: u8) -> Option<usize> {
    match *pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => match pattern[p + 1..].iter().skip(1).position(|&c| c == b']') {
            Some(length) => {
                let set = &pattern[p + 1..p + 2 + length];
                set_matches(set, octet).then_some(p + 3 + length)
            }
            None => (octet == b'[').then_some(p + 1),
        },
        literal => (literal == octet).then_some(p + 1),
    }
}

fn set_matches(set: &[u8], octet: u8) -> bool {
    let (negated, set) = match set {
        [b'!' | b'^', rest @ ..] if !rest.is_empty() => (true, rest),
        _ => (false, set),
    };
    let mut rest = set;
    let mut found = false;
    while let [first, more @ ..] = rest {
        if let [b'-', last, after @ ..] = more {
            found |= (*first..=*last).contains(&octet);
            rest = after;
        } else {
            found |= *first == octet;
            rest = more;
        }
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("*.xml", "a.xml", true),
            ("*.xml", "a.xml.bak", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?.xml", "a.xml", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[ab", "[ab", true),
            ("", "", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(name_matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_stays_in_its_folder_and_skips_hidden_files() {
        let files = MemoryFiles::new()
            .with("/conf/b.xml", "")
            .with("/conf/a.xml", "")
            .with("/conf/.c.xml", "")
            .with("/conf/sub/d.xml", "");
        assert_eq!(
            files.glob(Path::new("/conf/sub/../*.xml")),
            [Path::new("/conf/a.xml"), Path::new("/conf/b.xml")]
        );
        assert_eq!(files.glob(Path::new("/conf/*/*.xml")), [Path::new("/conf/sub/d.xml")]);
    }
}
