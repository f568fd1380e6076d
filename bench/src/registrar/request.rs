//! Requests that are printed once, with places for the numbers that change.

use std::net::SocketAddrV4;

use chappe_sip_msg::{Message, Method, RequestWriter};

use super::folder::user;
use crate::folder::DOMAIN;

const DIGITS: usize = 10;
const BRANCH: &str = "z9hG4bK-registrar-";
const MARK: &str = "msg=";
/// What stands for the number of the user the request is about, while it is printed.
const USER: usize = 0;
/// And for the number of the request.
const REQUEST: usize = 1_111_111_111;

/// A request with places for the numbers of a user and of the request itself.
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<(usize, Place)>,
    /// Where a header line may be added.
    second_line: usize,
}

#[derive(Clone, Copy)]
enum Place {
    User,
    Request,
}

impl Template {
    /// A REGISTER as a softphone sends it, for a contact at `contact`. Each later request is a refresh of the earlier one.
    pub fn register(contact: SocketAddrV4) -> Self {
        let (user, request) = (user(USER), number(REQUEST));
        let mut out = Vec::new();
        let mut writer = RequestWriter::new(Method::Register, format!("sip:{DOMAIN}"), &mut out);
        writer
            .header("Via", format!("SIP/2.0/UDP {contact};rport;branch={BRANCH}{request}"))
            .header("Max-Forwards", "70")
            .header("From", format!("<sip:{user}@{DOMAIN}>;tag={user}"))
            .header("To", format!("<sip:{user}@{DOMAIN}>"))
            .header("Call-ID", format!("{user}-0a1b2c3d4e5f6789@{}", contact.ip()))
            .header("CSeq", format!("{request} REGISTER"))
            .header("Contact", format!("<sip:{user}@{contact};transport=udp;rinstance=0a1b2c3d4e5f6789>"))
            .header("Expires", "3600")
            .header("User-Agent", "Some Vendor Softphone 5.12.3 build 20260401");
        writer.finish();
        Self::of(out)
    }

    /// A MESSAGE from `sender`, padded to `size` octets.
    pub fn message(from: SocketAddrV4, sender: &str, size: usize) -> Self {
        let bare = message(from, sender, 0).len();
        Self::of(message(from, sender, size.saturating_sub(bare)))
    }

    fn of(bytes: Vec<u8>) -> Self {
        let marks = [(number(USER), Place::User), (number(REQUEST), Place::Request)];
        let mut places = Vec::new();
        for (mark, place) in marks {
            let found = bytes.windows(DIGITS).enumerate().filter(|(_, text)| *text == mark.as_bytes());
            places.extend(found.map(|(at, _)| (at, place)));
        }
        let first_line = bytes.windows(2).position(|end| end == b"\r\n").unwrap_or_default();
        Self { bytes, places, second_line: first_line + 2 }
    }

    /// Appends the request of this number about this user, with one header line more.
    pub fn write(&self, user: usize, request: usize, line: &str, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        for (at, place) in &self.places {
            let value = match place {
                Place::User => user,
                Place::Request => request,
            };
            put(value, &mut out[start + at..start + at + DIGITS]);
        }
        if !line.is_empty() {
            let at = start + self.second_line;
            out.splice(at..at, line.bytes());
        }
    }
}

fn message(from: SocketAddrV4, sender: &str, padding: usize) -> Vec<u8> {
    let (user, request) = (user(USER), number(REQUEST));
    let mut out = Vec::new();
    let mut writer = RequestWriter::new(Method::Message, format!("sip:{user}@{DOMAIN}"), &mut out);
    writer
        .header("Via", format!("SIP/2.0/UDP {from};rport;branch={BRANCH}{request}"))
        .header("Max-Forwards", "70")
        .header("From", format!("<sip:{sender}@{DOMAIN}>;tag=m{request}"))
        .header("To", format!("<sip:{user}@{DOMAIN}>"))
        .header("Call-ID", format!("m{request}@{}", from.ip()))
        .header("CSeq", "1 MESSAGE");
    writer.body("text/plain", format!("{MARK}{request} {}", "x".repeat(padding)).as_bytes());
    out
}

fn number(number: usize) -> String {
    format!("{number:010}")
}

fn put(mut number: usize, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The number of the request that a response answers.
pub fn number_of_response(response: &Message<'_>) -> Option<usize> {
    digits(response.via().ok()?.branch?.strip_prefix(BRANCH.as_bytes())?)
}

/// The number of a MESSAGE of ours.
pub fn number_of_body(body: &[u8]) -> Option<usize> {
    digits(body.strip_prefix(MARK.as_bytes())?)
}

fn digits(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text.get(..DIGITS)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use chappe_sip_msg::{HeaderName, parse};

    use super::*;

    #[test]
    fn numbers_stand_wherever_they_count() {
        let here = "127.0.0.1:5070".parse().unwrap();
        let mut out = Vec::new();
        Template::register(here).write(42, 7, "Authorization: Digest x\r\n", &mut out);
        let register = parse(&out).unwrap();
        assert_eq!(number_of_response(&register), Some(7));
        assert_eq!(register.cseq().unwrap().number, 7);
        assert_eq!(register.to().unwrap().uri.user, Some(&b"u0000000042"[..]));
        assert_eq!(register.first(HeaderName::Authorization), Some(&b"Digest x"[..]));
        out.clear();
        Template::message(here, "somebody", 600).write(42, 7, "", &mut out);
        let message = parse(&out).unwrap();
        assert!((600..=602).contains(&out.len()), "{}", out.len());
        assert_eq!(number_of_body(message.body()), Some(7));
        assert_eq!(message.uri().unwrap().user, Some(&b"u0000000042"[..]));
    }
}
