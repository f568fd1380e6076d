//! URIs: `sip:`, `sips:`, `tel:`, and others as far as their scheme (RFC 3261 §19.1, RFC 3966).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use crate::escape::unescape;
use crate::lex::{HOST, PASSWORD, URI_PARAMS, USER, find, is_visible, number, span, split_at_byte};
use crate::{Param, Params};

/// A URI's scheme; schemes know no case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme<'a> {
    /// `sip`
    Sip,
    /// `sips`
    Sips,
    /// `tel`
    Tel,
    /// Any other, as it was written. A request to such a URI deserves 416.
    Other(&'a [u8]),
}

/// What is wrong with a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No `scheme:` at its start.
    #[error("a URI without a scheme")]
    Scheme,
    /// White space, control characters, quotes or angle brackets in it.
    #[error("a character that URIs cannot contain")]
    Character,
    /// `@` without a user before it, or `tel:` without a number.
    #[error("an empty user part")]
    User,
    /// No host, or a host with impossible characters.
    #[error("no valid host")]
    Host,
    /// A port that is not a number up to 65535.
    #[error("no valid port")]
    Port,
    /// Nothing after the scheme.
    #[error("nothing after the scheme")]
    Empty,
}

/// A URI that borrows the text it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    text: &'a [u8],
    /// Its scheme.
    pub scheme: Scheme<'a>,
    /// The user part, escapes kept; of a `tel:` URI the number; of another URI nothing.
    pub user: Option<&'a [u8]>,
    /// The password, escapes kept.
    pub password: Option<&'a [u8]>,
    /// The host, brackets of an IPv6 address included; empty unless the scheme is `sip` or `sips`. Of a URI with
    /// another scheme than those and `tel`, what follows the colon.
    pub host: &'a [u8],
    /// The port, if one is given.
    pub port: Option<u16>,
    /// The parameters.
    pub params: Params<'a>,
    /// What follows `?`, without it; empty if nothing does.
    pub headers: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Reads a URI that fills `text` from end to end.
    pub fn parse(text: &'a [u8]) -> Result<Self, UriError> {
        // What reads as a URI was looked at from end to end; of what does not, the characters are the first fault.
        Self::read(text).map_err(|error| if is_visible(text) { error } else { UriError::Character })
    }

    fn read(text: &'a [u8]) -> Result<Self, UriError> {
        let (scheme, rest) = split_scheme(text)?;
        let uri = Uri {
            text,
            scheme,
            user: None,
            password: None,
            host: b"",
            port: None,
            params: Params::default(),
            headers: b"",
        };
        match scheme {
            _ if rest.is_empty() => Err(UriError::Empty),
            Scheme::Sip | Scheme::Sips => uri.with_sip_parts(rest),
            _ if !is_visible(rest) => Err(UriError::Character),
            Scheme::Tel => uri.with_number(rest),
            Scheme::Other(_) => Ok(Uri { host: rest, ..uri }),
        }
    }

    fn with_sip_parts(mut self, rest: &'a [u8]) -> Result<Self, UriError> {
        let rest = self.take_user_info(rest)?;
        let host_end = host_length(rest).ok_or(UriError::Host)?;
        self.host = &rest[..host_end];
        let rest = self.take_port(&rest[host_end..])?;
        let (params, after) = rest.split_at(span::<URI_PARAMS>(rest));
        self.params = Params::of(params);
        match after {
            [] => Ok(self),
            [b'?', headers @ ..] if is_visible(headers) => Ok(Uri { headers, ..self }),
            _ => Err(UriError::Character),
        }
    }

    /// User and password, if there is an `@` in `rest`; gives what follows it.
    fn take_user_info(&mut self, rest: &'a [u8]) -> Result<&'a [u8], UriError> {
        let user_end = span::<USER>(rest);
        let end = user_end + span::<PASSWORD>(&rest[user_end..]);
        match rest.get(end) {
            None => return Ok(rest),
            Some(b'@') if user_end == 0 => return Err(UriError::User),
            Some(b'@') => {}
            Some(_) => return Err(UriError::Character),
        }
        self.user = Some(&rest[..user_end]);
        self.password = (user_end < end).then(|| &rest[user_end + 1..end]);
        Ok(&rest[end + 1..])
    }

    fn take_port(&mut self, rest: &'a [u8]) -> Result<&'a [u8], UriError> {
        match rest.first() {
            None | Some(b';' | b'?') => Ok(rest),
            Some(b':') => {
                let end = rest.iter().position(|byte| matches!(byte, b';' | b'?')).unwrap_or(rest.len());
                self.port = Some(number(&rest[1..end]).ok_or(UriError::Port)?);
                Ok(&rest[end..])
            }
            Some(_) => Err(UriError::Host),
        }
    }

    fn with_number(self, rest: &'a [u8]) -> Result<Self, UriError> {
        match find(b';', rest).unwrap_or(rest.len()) {
            0 => Err(UriError::User),
            end => Ok(Uri { user: Some(&rest[..end]), params: Params::of(&rest[end..]), ..self }),
        }
    }

    /// The URI as it was written.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The user part with its escapes undone.
    pub fn user_unescaped(&self) -> Option<Cow<'a, [u8]>> {
        self.user.map(unescape)
    }

    /// The host's address, when it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        host_ip(self.host)
    }

    /// The value of a parameter; see [`Params::get`].
    pub fn param(&self, name: &str) -> Option<&'a [u8]> {
        self.params.get(name)
    }

    /// The headers after `?`, as they were written.
    pub fn header_fields(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        self.headers.split(|&byte| byte == b'&').filter(|field| !field.is_empty()).map(|field| {
            match split_at_byte(field, b'=') {
                Some((name, value)) => Param { name, value: Some(value) },
                None => Param { name: field, value: None },
            }
        })
    }

    /// The address-of-record in its normal form (RFC 3261 §10.3 step 5): the user unescaped, the host in lower case,
    /// no port, no parameters; `host` alone without a user, a number alone for `tel:`.
    pub fn aor(&self) -> String {
        let mut out = String::with_capacity(self.text.len());
        self.write_aor(&mut out);
        out
    }

    /// Appends what [`Uri::aor`] gives.
    pub fn write_aor(&self, out: &mut String) {
        if let Some(user) = self.user_unescaped() {
            out.push_str(&String::from_utf8_lossy(&user));
            if !self.host.is_empty() {
                out.push('@');
            }
        }
        let start = out.len();
        out.push_str(&String::from_utf8_lossy(self.host));
        out[start..].make_ascii_lowercase();
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.text))
    }
}

/// The scheme, and what follows its colon.
fn split_scheme(text: &[u8]) -> Result<(Scheme<'_>, &[u8]), UriError> {
    if let Some(rest) = text.strip_prefix(b"sip:") {
        return Ok((Scheme::Sip, rest));
    }
    let (name, rest) = split_at_byte(text, b':').ok_or(UriError::Scheme)?;
    Ok((scheme(name).ok_or(UriError::Scheme)?, rest))
}

/// RFC 3986 §3.1.
fn scheme(name: &[u8]) -> Option<Scheme<'_>> {
    let (first, rest) = name.split_first()?;
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    match name {
        _ if name.eq_ignore_ascii_case(b"sip") => Some(Scheme::Sip),
        _ if name.eq_ignore_ascii_case(b"sips") => Some(Scheme::Sips),
        _ if name.eq_ignore_ascii_case(b"tel") => Some(Scheme::Tel),
        _ if first.is_ascii_alphabetic() && rest.iter().all(good) => Some(Scheme::Other(name)),
        _ => None,
    }
}

/// The length of the host that `text` starts with.
pub(crate) fn host_length(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'[') {
        let end = find(b']', text)?;
        host_ip(&text[..=end])?;
        return Some(end + 1);
    }
    let length = span::<HOST>(text);
    (length > 0).then_some(length)
}

/// The address that a host is, with or without brackets.
pub(crate) fn host_ip(host: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(host).ok()?;
    match text.strip_prefix('[') {
        Some(inner) => Some(IpAddr::V6(inner.strip_suffix(']')?.parse().ok()?)),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Scheme, Uri, UriError};

    #[test]
    fn parts() {
        let uri =
            Uri::parse(b"SIPS:a%20b:pw@[2001:db8::1]:5061;transport=tcp;lr?Subject=x&To=sip:c").unwrap();
        assert_eq!(uri.scheme, Scheme::Sips);
        assert_eq!((uri.user, uri.password), (Some(&b"a%20b"[..]), Some(&b"pw"[..])));
        assert_eq!((uri.host, uri.port), (&b"[2001:db8::1]"[..], Some(5061)));
        assert_eq!(uri.ip(), "2001:db8::1".parse().ok());
        assert_eq!((uri.param("TRANSPORT"), uri.params.has("lr")), (Some(&b"tcp"[..]), true));
        let fields: Vec<_> = uri.header_fields().map(|field| (field.name, field.value)).collect();
        assert_eq!(fields, [(&b"Subject"[..], Some(&b"x"[..])), (&b"To"[..], Some(&b"sip:c"[..]))]);
    }

    #[test]
    fn address_of_record() {
        for (text, aor) in [
            ("sip:Alice@EXAMPLE.com:5070;transport=tcp", "Alice@example.com"),
            ("sip:%61lice@example.com", "alice@example.com"),
            ("sip:1011-0x55f@10.0.0.1", "1011-0x55f@10.0.0.1"),
            ("sip:example.COM", "example.com"),
            ("tel:+12015550123;phone-context=x", "+12015550123"),
        ] {
            assert_eq!(Uri::parse(text.as_bytes()).unwrap().aor(), aor);
        }
    }

    #[test]
    fn refused() {
        for (text, error) in [
            ("", UriError::Scheme),
            ("example.com", UriError::Scheme),
            ("1sip:x", UriError::Scheme),
            ("sip:", UriError::Empty),
            ("sip:@host", UriError::User),
            ("tel:;x=y", UriError::User),
            ("sip:a@", UriError::Host),
            ("sip:a@b@c", UriError::Host),
            ("sip:a@[::1", UriError::Host),
            ("sip:a@[x]", UriError::Host),
            ("sip:a@ho$t", UriError::Host),
            ("sip:a@host:", UriError::Port),
            ("sip:a@host:65536", UriError::Port),
            ("sip:a b@host", UriError::Character),
            ("<sip:a@host>", UriError::Character),
            ("sip:a@host\r\n", UriError::Character),
        ] {
            assert_eq!(Uri::parse(text.as_bytes()).err(), Some(error), "{text}");
        }
    }
}
