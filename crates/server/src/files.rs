//! Where configuration files come from: the disk, or this program itself.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chappe_config::Files;
use rust_embed::Embed;

/// The machine's files, commands and environment.
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        // `glob` sorts what it finds.
        let found = glob::glob(&pattern.to_string_lossy());
        found.map(|paths| paths.flatten().map(shown).collect()).unwrap_or_default()
    }

    /// FreeSWITCH runs the `exec` of X-PRE-PROCESS with the shell and takes what it prints, whatever its exit code.
    fn exec(&self, command: &str) -> io::Result<String> {
        let output = Command::new("/bin/sh").args(["-c", command]).stdin(Stdio::null()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// The path as findings are to show it: without `autoload_configs/..`, where that is the same file.
fn shown(path: PathBuf) -> PathBuf {
    let tidy = chappe_config::tidy(&path);
    let same = tidy != path
        && matches!((tidy.canonicalize(), path.canonicalize()), (Ok(one), Ok(other)) if one == other);
    if same { tidy } else { path }
}

#[derive(Embed)]
#[folder = "../../conf"]
struct Sample;

/// The sample configuration, built in. Its files are seen below `conf/`, as in the repository.
pub struct Embedded;

impl Embedded {
    /// The path of its freeswitch.xml.
    pub const ROOT: &str = "conf/freeswitch.xml";
}

impl Files for Embedded {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let name = path.strip_prefix("conf").map_err(|_| io::ErrorKind::NotFound)?;
        let file = Sample::get(&name.to_string_lossy()).ok_or(io::ErrorKind::NotFound)?;
        Ok(file.data.into_owned())
    }

    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        let Ok(pattern) = glob::Pattern::new(&pattern.to_string_lossy()) else { return Vec::new() };
        let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
        let names = Sample::iter().map(|name| Path::new("conf").join(name.as_ref()));
        let mut found: Vec<PathBuf> = names.filter(|path| pattern.matches_path_with(path, options)).collect();
        found.sort();
        found
    }

    fn exec(&self, _command: &str) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn env(&self, name: &str) -> Option<String> {
        Disk.env(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_globs_in_order_and_reads() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["b.xml", "a.xml", "c.txt"] {
            std::fs::write(folder.path().join(name), name).expect("writable");
        }
        let found = Disk.glob(&folder.path().join("*.xml"));
        assert_eq!(found, [folder.path().join("a.xml"), folder.path().join("b.xml")]);
        let around = folder.path().join("..").join(folder.path().file_name().expect("a name")).join("a.xml");
        assert_eq!(Disk.glob(&around), [folder.path().join("a.xml")]);
        assert_eq!(Disk.read(&found[0]).expect("readable"), b"a.xml");
        assert!(Disk.read(&folder.path().join("missing")).is_err());
        assert!(Disk.glob(Path::new("[")).is_empty());
    }

    #[test]
    fn a_folder_that_is_a_link_keeps_its_dots() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["real", "real/inside"] {
            std::fs::create_dir(folder.path().join(name)).expect("makeable");
        }
        std::fs::write(folder.path().join("real/a.xml"), "").expect("writable");
        std::os::unix::fs::symlink("real/inside", folder.path().join("link")).expect("linkable");
        let path = folder.path().join("link/../a.xml");
        assert_eq!(Disk.glob(&path), [path]);
    }

    #[test]
    fn a_command_gives_what_it_prints() {
        assert_eq!(Disk.exec("printf 'a b'; exit 3").expect("runs"), "a b");
    }

    #[test]
    fn the_sample_is_built_in() {
        assert!(Embedded.read(Path::new(Embedded::ROOT)).expect("there").starts_with(b"<?xml"));
        let plans = Embedded.glob(Path::new("conf/chatplan/*.xml"));
        assert_eq!(plans, [Path::new("conf/chatplan/default.xml")]);
        assert!(Embedded.glob(Path::new("conf/*.conf.xml")).is_empty(), "a star does not cross folders");
        assert!(Embedded.read(Path::new("/etc/passwd")).is_err());
    }
}
