//! Via (RFC 3261 §20.42).

use std::net::IpAddr;

use crate::lex::{
    TOKEN, find, is_lws, number, span, split_at_byte, strip_quotes, trim, trim_end, trim_start,
};
use crate::uri::{host_ip, host_length};
use crate::{HeaderError, HeaderName, Params, Values};

/// One value of a Via header.
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, `TLS`, `WS`, ..., in the case it was written.
    pub transport: &'a [u8],
    /// Host of sent-by, brackets of an IPv6 address included.
    pub host: &'a [u8],
    /// Port of sent-by.
    pub port: Option<u16>,
    /// `branch`, to be compared byte by byte.
    pub branch: Option<&'a [u8]>,
    /// `rport`: asked for (`Some(None)`), filled in (`Some(Some(port))`), or not there (RFC 3581).
    pub rport: Option<Option<u16>>,
    /// `received`.
    pub received: Option<&'a [u8]>,
    /// `maddr`.
    pub maddr: Option<&'a [u8]>,
    /// All parameters.
    pub params: Params<'a>,
    text: &'a [u8],
}

impl<'a> Via<'a> {
    /// Reads one value; a header line of several is split by [`Values`](crate::Values).
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let malformed = |what| HeaderError::Malformed { header: HeaderName::Via, what };
        let (transport, rest) = sent_protocol(value).ok_or(malformed("no SIP/2.0/TRANSPORT"))?;
        let (host, port, rest) = sent_by(rest).ok_or(malformed("no host and port"))?;
        let mut via = Via {
            transport,
            host,
            port,
            branch: None,
            rport: None,
            received: None,
            maddr: None,
            params: Params::of(rest),
            text: value,
        };
        let params = via.params;
        match params.check(|param| via.note(param.name, param.value.map(strip_quotes))) {
            true => Ok(via),
            false => Err(malformed("parameters")),
        }
    }

    /// The topmost value of a Via line.
    pub(crate) fn top(line: &'a [u8]) -> Result<Self, HeaderError> {
        // A comma between values fits no place in one, so a line that reads as one value is one.
        Via::parse(line).or_else(|_| {
            let first = Values::of(line).next().ok_or(HeaderError::Missing(HeaderName::Via))?;
            Via::parse(first)
        })
    }

    /// The value as it was written.
    pub(crate) fn text(&self) -> &'a [u8] {
        self.text
    }

    fn note(&mut self, name: &'a [u8], value: Option<&'a [u8]>) {
        match name.len() {
            6 if name.eq_ignore_ascii_case(b"branch") => self.branch = self.branch.or(value),
            5 if name.eq_ignore_ascii_case(b"rport") => {
                self.rport = self.rport.or(Some(value.and_then(number)));
            }
            8 if name.eq_ignore_ascii_case(b"received") => self.received = self.received.or(value),
            5 if name.eq_ignore_ascii_case(b"maddr") => self.maddr = self.maddr.or(value),
            _ => {}
        }
    }

    /// The address of sent-by, when it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        host_ip(self.host)
    }
}

/// `SIP / 2.0 / UDP`, and what follows it.
fn sent_protocol(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = value.strip_prefix(b"SIP/2.0/").or_else(|| spaced_version(value))?;
    let rest = trim_start(rest);
    let end = span::<TOKEN>(rest);
    let white = rest.get(end).copied().is_some_and(is_lws);
    (white && end > 0).then(|| (&rest[..end], trim_start(&rest[end..])))
}

/// What follows `SIP / 2.0 /`.
fn spaced_version(value: &[u8]) -> Option<&[u8]> {
    let (name, rest) = split_at_byte(value, b'/')?;
    let (version, rest) = split_at_byte(rest, b'/')?;
    (trim(name).eq_ignore_ascii_case(b"SIP") && trim(version) == b"2.0").then_some(rest)
}

/// `host : port`, and the parameters after it.
fn sent_by(text: &[u8]) -> Option<(&[u8], Option<u16>, &[u8])> {
    let host = &text[..host_length(text)?];
    let rest = trim_start(&text[host.len()..]);
    let Some(after) = rest.strip_prefix(b":") else {
        return starts_params(rest).then_some((host, None, rest));
    };
    let end = find(b';', after).unwrap_or(after.len());
    let port = number(trim(&after[..end]))?;
    Some((host, Some(port), trim_end(&after[end..])))
}

fn starts_params(text: &[u8]) -> bool {
    matches!(text.first(), None | Some(b';'))
}

#[cfg(test)]
mod tests {
    use super::Via;

    #[test]
    fn plain() {
        let via = Via::parse(b"SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa;rport;received=192.0.2.9").unwrap();
        assert_eq!((via.transport, via.host, via.port), (&b"UDP"[..], &b"192.0.2.1"[..], Some(5070)));
        assert_eq!(via.branch, Some(&b"z9hG4bKa"[..]));
        assert_eq!(via.rport, Some(None));
        assert_eq!(via.received, Some(&b"192.0.2.9"[..]));
        assert_eq!(via.ip(), "192.0.2.1".parse().ok());
    }

    #[test]
    fn spaces_everywhere() {
        let via = Via::parse(b"SIP  / 2.0\r\n / TCP   [2001:db8::1] : 5061 ; branch = z9hG4bKb ;rport = 7")
            .unwrap();
        assert_eq!((via.transport, via.host, via.port), (&b"TCP"[..], &b"[2001:db8::1]"[..], Some(5061)));
        assert_eq!((via.branch, via.rport), (Some(&b"z9hG4bKb"[..]), Some(Some(7))));
        assert_eq!(via.ip(), "2001:db8::1".parse().ok());
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/3.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP h:",
            "SIP/2.0/UDP h:70000",
            "SIP/2.0/UDP h h",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP h;branch=",
        ] {
            assert!(Via::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
