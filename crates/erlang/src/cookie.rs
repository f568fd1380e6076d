//! The cookie: where it is, and who else could read it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How long a cookie may be: it is an atom.
const MAX_COOKIE: usize = 255;

/// Where the cookie comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum CookieSource {
    Text(Arc<str>),
    File(PathBuf),
    /// `.erlang.cookie` in the home folder, as for Erlang itself.
    Home,
}

/// There is no cookie to be had.
#[derive(Debug, thiserror::Error)]
pub enum CookieError {
    #[error("read the cookie file {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the cookie file {} is open to others than its owner: chmod 400 it", .0.display())]
    Open(PathBuf),
    #[error("the cookie file {} has no cookie of 1 to {MAX_COOKIE} octets in its first line", .0.display())]
    NoCookie(PathBuf),
    #[error("no cookie: set the param cookie or cookie-file, or HOME for .erlang.cookie")]
    NoHome,
}

impl fmt::Debug for CookieSource {
    /// Without the cookie.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Home => f.write_str("Home"),
        }
    }
}

impl CookieSource {
    /// The cookie. Blocks: it may be in a file.
    ///
    /// Deviation: where there is none, FreeSWITCH takes `ClueCon`, which everybody knows.
    pub fn read(&self) -> Result<Arc<str>, CookieError> {
        match self {
            Self::Text(cookie) => Ok(cookie.clone()),
            Self::File(path) => from_file(path),
            Self::Home => {
                let home = std::env::var_os("HOME").ok_or(CookieError::NoHome)?;
                from_file(&Path::new(&home).join(".erlang.cookie"))
            }
        }
    }
}

/// FreeSWITCH mod_erlang_event.c read_cookie_from_file.
fn from_file(path: &Path) -> Result<Arc<str>, CookieError> {
    let unreadable = |source| CookieError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
        return Err(CookieError::Open(path.to_owned()));
    }
    let mut text = Vec::new();
    file.take(MAX_COOKIE as u64 + 3).read_to_end(&mut text).map_err(unreadable)?;
    let text = String::from_utf8_lossy(&text);
    let cookie = text.lines().next().unwrap_or_default();
    if cookie.is_empty() || cookie.len() > MAX_COOKIE {
        return Err(CookieError::NoCookie(path.to_owned()));
    }
    Ok(cookie.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str, mode: u32) -> Result<Arc<str>, CookieError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cookie");
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        CookieSource::File(path).read()
    }

    #[test]
    fn the_first_line_is_the_cookie() {
        assert_eq!(&*read("monster\r\nmore\n", 0o400).expect("a cookie"), "monster");
    }

    #[test]
    fn what_is_no_secret_is_not_taken() {
        assert!(matches!(read("monster", 0o440), Err(CookieError::Open(_))));
        assert!(matches!(read("", 0o400), Err(CookieError::NoCookie(_))));
        assert!(matches!(read(&"x".repeat(256), 0o400), Err(CookieError::NoCookie(_))));
        let missing = CookieSource::File("/nowhere/at/all".into()).read();
        assert!(matches!(missing, Err(CookieError::Unreadable { .. })));
    }
}
