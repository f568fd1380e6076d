//! What a user proves to know.

use std::fmt;

/// A user's secret. Debug shows only which kind it is.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Secret {
    /// `password`, as written.
    Plain(String),
    /// `a1-hash`: MD5 of `user:realm:password` in hexadecimal (RFC 3261 §22.4).
    A1Hash(String),
    #[default]
    None,
}

impl Secret {
    pub fn is_none(&self) -> bool {
        *self == Secret::None
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Secret::Plain(_) => "Plain(..)",
            Secret::A1Hash(_) => "A1Hash(..)",
            Secret::None => "None",
        })
    }
}
