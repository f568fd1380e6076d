//! Why a web server's answer is none.

use chappe_config::Diagnostics;
use chappe_curl::CurlError;

/// Why a question was not answered, or can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum XmlCurlError {
    #[error("failed to read {path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("the answer is no whole XML document: {}", first(.0))]
    Xml(Diagnostics),
    #[error("no answer within {0} s (timeout)")]
    Timeout(u64),
    #[error("not a URL once its variables are filled in")]
    Url,
    #[error(transparent)]
    Http(#[from] CurlError),
}

impl From<reqwest::Error> for XmlCurlError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.into())
    }
}

/// One line: the first error, and how many more there are.
fn first(diagnostics: &Diagnostics) -> String {
    let mut errors = diagnostics.errors();
    let first = errors.next().map(ToString::to_string).unwrap_or_default();
    match errors.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}
