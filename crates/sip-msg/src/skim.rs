//! A request of which no more is read than an answer copies.

use smallvec::SmallVec;

use crate::lex::{is_token, split_at_byte, trim, trim_end};
use crate::{Header, HeaderName, Method, NameAddr, Params, Values, Via};

/// What every answer copies from its request (RFC 3261 §8.2.6.2), and nothing else of it: for refusals that are to cost a
/// fraction of what the request would. Written by [`ResponseWriter::skimmed`](crate::ResponseWriter::skimmed).
#[derive(Clone, Debug)]
pub struct Skim<'a> {
    pub method: Method<'a>,
    /// The topmost one.
    pub via: Via<'a>,
    /// Via, From, To, Call-ID and CSeq as they came.
    pub(crate) lines: SmallVec<[Header<'a>; 8]>,
    pub(crate) has_to_tag: bool,
}

/// Headers that must be there, and once.
const SINGLE: [HeaderName; 4] = [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];

/// Looks at a datagram. `None`: it is no request, or not a plain one, and only [`parse`](crate::parse) can judge it. What it
/// finds may still have faults in lines that were not read.
pub fn skim(datagram: &[u8]) -> Option<Skim<'_>> {
    let (first, mut rest) = line(datagram)?;
    let (method, _) = split_at_byte(first.strip_suffix(b" SIP/2.0")?, b' ')?;
    let mut lines = SmallVec::new();
    let mut seen = [false; SINGLE.len()];
    loop {
        let (text, next) = line(rest)?;
        match text.first() {
            None => break,
            // A folded line.
            Some(b' ' | b'\t') => return None,
            Some(b'V' | b'v' | b'F' | b'f' | b'T' | b't' | b'C' | b'c' | b'I' | b'i') => {
                let header = header(text, &rest[..rest.len() - next.len()])?;
                match SINGLE.iter().position(|name| *name == header.name) {
                    Some(single) if std::mem::replace(&mut seen[single], true) => return None,
                    None if header.name != HeaderName::Via => {}
                    _ => lines.push(header),
                }
            }
            Some(_) => {}
        }
        rest = next;
    }
    let of = |name| lines.iter().find(|line: &&Header<'_>| line.name == name);
    let top = Values::of(of(HeaderName::Via)?.value).next()?;
    let via = Via::parse(top).ok()?;
    let has_to_tag = has_tag(of(HeaderName::To)?.value)?;
    let is_whole = seen.iter().all(|seen| *seen) && is_token(method);
    is_whole.then(|| Skim { method: Method::of(method), via, lines, has_to_tag })
}

/// A line without its end, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    Some((bytes[..end].strip_suffix(b"\r")?, &bytes[end + 1..]))
}

fn header<'a>(text: &'a [u8], raw: &'a [u8]) -> Option<Header<'a>> {
    let (name, value) = split_at_byte(text, b':')?;
    let name = trim_end(name);
    Some(Header { name: HeaderName::of(name), name_text: name, value: trim(value), raw, whole: true })
}

/// Whether a To has a tag; nearly always it is enough to look behind the address. `None`: it can't be read.
fn has_tag(to: &[u8]) -> Option<bool> {
    let behind = memchr::memrchr(b'>', to).map(|end| &to[end + 1..]);
    match behind.filter(|params| !params.contains(&b'"')) {
        Some(params) => Some(Params::of(params.trim_ascii_start()).has("tag")),
        None => Some(NameAddr::parse(HeaderName::To, to).ok()?.tag().is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ResponseWriter, parse};

    const PLAIN: &str = "MESSAGE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bKa\r\n\
        v: SIP/2.0/UDP h;branch=z9hG4bKb, SIP/2.0/TCP i;branch=z9hG4bKc\r\nMax-Forwards: 70\r\n\
        From: \"A\" <sip:a@h>;tag=f\r\nt: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContact: <sip:x@y>\r\n\
        Content-Length: 2\r\n\r\nhi";

    /// The answer made of what was skimmed, and the one made of the whole.
    fn answers(text: &str) -> Option<(String, String)> {
        let source = Some("198.51.100.7:4321".parse().unwrap());
        let (mut short, mut long) = (Vec::new(), Vec::new());
        ResponseWriter::skimmed(&skim(text.as_bytes())?, source, 503, "", "tag", &mut short).finish();
        ResponseWriter::to(&parse(text.as_bytes()).unwrap(), source, 503, "", "tag", &mut long).finish();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Some((text(short), text(long)))
    }

    #[test]
    fn the_answer_is_that_of_the_whole_request() {
        for (from, to) in [
            ("", ""),
            ("t: <sip:b@h>", "To: <sip:b@h> ; tag=x"),
            ("t: <sip:b@h>", "To: sip:b@h;tag=x"),
            ("t: <sip:b@h>", "To: \"tag=x;>\" <sip:b@h;tag=y>"),
            (";rport", ""),
            ("Call-ID: c", "i  :   c"),
            ("\r\nhi", "\r\nTo: <sip:in@the.body>\r\n\r\n"),
        ] {
            let (short, long) = answers(&PLAIN.replace(from, to)).unwrap_or_else(|| panic!("{to}"));
            assert_eq!(short, long);
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_parser() {
        for (from, to) in [
            ("MESSAGE sip:b@h SIP/2.0", "SIP/2.0 200 OK"),
            ("MESSAGE sip:b@h SIP/2.0", "MESSAGE sip:b@h SIP/3.0"),
            ("MESSAGE sip:b@h SIP/2.0", "\r\nMESSAGE sip:b@h SIP/2.0"),
            ("MESSAGE sip:b@h SIP/2.0", "MESS@GE sip:b@h SIP/2.0"),
            ("Call-ID: c\r\n", ""),
            ("Call-ID: c\r\n", "Call-ID: c\r\ni: d\r\n"),
            ("Call-ID: c\r\n", "Call-ID:\r\n c\r\n"),
            ("Call-ID: c\r\n", "Call-ID: c\n"),
            ("SIP/2.0/UDP 192", "SIP/2.0/ 192"),
            ("t: <sip:b@h>\r\n", "t: <sip:b@h\r\n"),
            ("Content-Length: 2\r\n\r\nhi", "Content-Length: 2\r\n"),
        ] {
            assert!(PLAIN.contains(from), "{from}");
            assert!(skim(PLAIN.replacen(from, to, 1).as_bytes()).is_none(), "{to}");
        }
        assert!(skim(b"").is_none());
    }
}
