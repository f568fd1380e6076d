//! Why a request failed, and what libcurl calls that.

use std::error::Error;
use std::fmt::Write;
use std::io;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum CurlError {
    #[error("{0} requests are under way (max-requests)")]
    Busy(usize),
    #[error("not a URL")]
    Url,
    #[error("only http and https are spoken here")]
    Scheme,
    #[error("redirected to what is neither http nor https")]
    Redirect,
    #[error("`{0}` is not a header")]
    Header(String),
    #[error("the body is longer than {0} octets (max-bytes)")]
    TooLarge(usize),
    #[error("the request was given up")]
    GivenUp,
    #[error("{}", chain(.0))]
    Http(reqwest::Error),
}

impl From<reqwest::Error> for CurlError {
    /// The URL may hold a password, and is known anyway.
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

impl CurlError {
    /// libcurl's number for it (its `CURLcode`), the `exit_code` of the JSON form.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Scheme | Self::Redirect => 1,
            Self::Busy(_) => 2,
            Self::Url => 3,
            Self::TooLarge(_) => 23,
            Self::GivenUp => 42,
            Self::Header(_) => 43,
            Self::Http(error) => http_code(error),
        }
    }
}

fn http_code(error: &reqwest::Error) -> u8 {
    if error.is_timeout() {
        28
    } else if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        if matches!(tls, rustls::Error::InvalidCertificate(_)) { 60 } else { 35 }
    } else if error.is_connect() {
        if causes(error).any(|cause| cause.to_string().starts_with("dns error")) { 6 } else { 7 }
    } else if error.is_redirect() {
        47
    } else if error.is_builder() {
        3
    } else {
        56
    }
}

/// The error and what caused it. An [`io::Error`] hides the error in it from [`Error::source`].
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    for cause in causes(error) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            // Writing to a String does not fail.
            let _ = write!(text, "{}{cause}", if text.is_empty() { "" } else { ": " });
        }
    }
    text
}
