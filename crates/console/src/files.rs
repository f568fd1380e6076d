//! The files of the user's: profiles and history.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::profile::ProfileFile;

const SHARED: &str = "/etc/fs_cli.conf";

/// The profiles: those of ~/.fs_cli_conf if there is one, else those of /etc/fs_cli.conf, else none. FreeSWITCH fs_cli.c
/// read_config. What can't be read comes with its name.
pub fn profiles() -> Result<ProfileFile, (PathBuf, io::Error)> {
    let own = home().map(|home| home.join(".fs_cli_conf"));
    for path in own.into_iter().chain([PathBuf::from(SHARED)]) {
        match fs::read_to_string(&path) {
            Ok(text) => return Ok(ProfileFile::parse(&path.display().to_string(), &text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err((path, error)),
        }
    }
    Ok(ProfileFile::parse("~/.fs_cli_conf or /etc/fs_cli.conf", ""))
}

/// Where the lines typed are kept, for this user alone (mode 0600).
pub fn history() -> Option<PathBuf> {
    home().map(|home| home.join(".chappe_history"))
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from).filter(|home| Path::is_absolute(home))
}
