use std::fmt;
use std::sync::Arc;

use chappe_sip_msg::Uri;

/// An address-of-record, `user@host`: the user unescaped, the host in lower case, no scheme, port or parameters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aor(Arc<str>);

impl Aor {
    /// From a text in normal form.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// From a user and a domain.
    pub fn of(user: &str, domain: &str) -> Self {
        let mut text = String::with_capacity(user.len() + 1 + domain.len());
        Self::write(user, domain, &mut text);
        Self(text.into())
    }

    /// Appends the text of the one of a user and a domain.
    pub fn write(user: &str, domain: &str, text: &mut String) {
        text.push_str(user);
        text.push('@');
        let host = text.len();
        text.push_str(domain);
        text[host..].make_ascii_lowercase();
    }

    /// The normal form of a URI, RFC 3261 §10.3 step 5.
    pub fn from_uri(uri: &Uri<'_>) -> Self {
        Self(uri.aor().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to be shared.
    pub fn text(&self) -> &Arc<str> {
        &self.0
    }

    /// What stands before the last `@`; empty without one.
    pub fn user(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(user, _)| user)
    }

    /// What stands after the last `@`; all of it without one.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(_, domain)| domain)
    }
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aor({self})")
    }
}

impl std::borrow::Borrow<str> for Aor {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_form() {
        for (uri, want) in [
            ("sip:1004@Example.COM", "1004@example.com"),
            ("sips:%31004@example.com:5061;transport=tcp", "1004@example.com"),
            ("sip:Bob@h", "Bob@h"),
        ] {
            let aor = Aor::from_uri(&Uri::parse(uri.as_bytes()).unwrap());
            assert_eq!(aor.as_str(), want);
            assert_eq!(Aor::of(aor.user(), &aor.domain().to_uppercase()), aor);
        }
    }
}
