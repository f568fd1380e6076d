//! Header lines and the end of a message, for requests and responses alike.

use super::Decimal;
use crate::lex::{find_below, is_token};
use crate::{Header, HeaderName, unfold};

/// Appends `name: value`. A name that is not a token, and Content-Length, which [`finish`] writes, are left out. Line
/// ends in the value become spaces, so that no value can start a header of its own.
pub(super) fn header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    if !is_token(name.as_bytes()) || HeaderName::of(name.as_bytes()) == HeaderName::ContentLength {
        return;
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    one_line(out, value);
    out.extend_from_slice(b"\r\n");
}

/// Appends a line of another message: whole where it is on one line, else unfolded.
pub(super) fn copy(out: &mut Vec<u8>, line: &Header<'_>) {
    if line.name == HeaderName::ContentLength {
        return;
    }
    match line.whole {
        true => out.extend_from_slice(line.raw),
        false => rewritten(out, line),
    }
}

fn rewritten(out: &mut Vec<u8>, line: &Header<'_>) {
    out.extend_from_slice(line.name_text);
    out.extend_from_slice(b": ");
    out.extend_from_slice(&unfold(line.value));
    out.extend_from_slice(b"\r\n");
}

/// Appends Content-Length, the empty line and the body (RFC 3261 §20.14).
pub(super) fn finish(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(b"Content-Length: ");
    number(out, body.len());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

/// Appends `text` with its line ends as spaces.
pub(super) fn one_line(out: &mut Vec<u8>, text: &[u8]) {
    let start = out.len();
    out.extend_from_slice(text);
    if find_below(b'\r' + 1, text).is_some() {
        for byte in &mut out[start..] {
            if matches!(*byte, b'\r' | b'\n' | 0) {
                *byte = b' ';
            }
        }
    }
}

/// Appends a number in decimal.
pub(super) fn number(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(Decimal::of(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_value_starts_a_header() {
        assert_eq!(printed(|out| header(out, "Subject", b"a\r\nRoute: b\0")), "Subject: a  Route: b \r\n");
        assert_eq!(printed(|out| header(out, "A\r\nB", b"x")), "");
        assert_eq!(printed(|out| header(out, "content-length", b"5")), "");
        assert_eq!(printed(|out| header(out, "l", b"5")), "");
    }
}
