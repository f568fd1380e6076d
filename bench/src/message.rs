//! The MESSAGEs of the load: made once a pair of users, then only their number changes.

use std::net::SocketAddrV4;

use chappe_sip_msg::{Message, Method, RequestWriter};

use crate::folder::DOMAIN;

/// Digits of a message's number, wherever it is written.
const DIGITS: usize = 10;
const BRANCH: &str = "z9hG4bK-bench-";
const MARK: &str = "msg=";

/// A MESSAGE with places for its number.
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    /// From `sender` to `recipient`, users of the one domain, padded to `size` bytes. `run` keeps the messages of one
    /// run apart from those of another.
    pub fn new(run: u32, from: SocketAddrV4, sender: &str, recipient: &str, size: usize) -> Self {
        let bare = print(run, from, sender, recipient, 0);
        let bytes = print(run, from, sender, recipient, size.saturating_sub(bare.len()));
        let zeros = [b'0'; DIGITS];
        let places = (0..bytes.len() - DIGITS).filter(|&at| bytes[at..at + DIGITS] == zeros).collect();
        Template { bytes, places }
    }

    /// Appends the message with this number.
    pub fn write(&self, number: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let mut digits = [b'0'; DIGITS];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        for place in &self.places {
            out[start + place..start + place + DIGITS].copy_from_slice(&digits);
        }
    }
}

fn print(run: u32, from: SocketAddrV4, sender: &str, recipient: &str, padding: usize) -> Vec<u8> {
    let number = "0".repeat(DIGITS);
    let run = tag(run);
    let mut out = Vec::new();
    let mut request = RequestWriter::new(Method::Message, format!("sip:{recipient}@{DOMAIN}"), &mut out);
    request
        .header("Via", format!("SIP/2.0/UDP {from};rport;branch={BRANCH}{run}-{number}"))
        .header("Max-Forwards", "70")
        .header("From", format!("\"{sender}\" <sip:{sender}@{DOMAIN}>;tag=b{run}-{number}"))
        .header("To", format!("<sip:{recipient}@{DOMAIN}>"))
        .header("Call-ID", format!("{run}-{number}@{}", from.ip()))
        .header("CSeq", "1 MESSAGE")
        .header("User-Agent", "chappe-bench");
    request.body("text/plain", format!("{MARK}{run}-{number} {}", "x".repeat(padding)).as_bytes());
    out
}

/// Letters, so that it can't be taken for a number.
fn tag(run: u32) -> String {
    format!("{run:06}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

/// What the messages of a run carry before their numbers, for finding them without parsing what they are in.
pub struct Marks {
    branch: Vec<u8>,
    body: Vec<u8>,
}

impl Marks {
    pub fn new(run: u32) -> Self {
        let mark = |mark: &str| format!("{mark}{}-", tag(run)).into_bytes();
        Self { branch: mark(BRANCH), body: mark(MARK) }
    }

    /// The number in the branch of a response.
    pub fn in_branch(&self, response: &[u8]) -> Option<usize> {
        number_behind(response, &self.branch)
    }

    /// The number in the body of a MESSAGE.
    pub fn in_body(&self, request: &[u8]) -> Option<usize> {
        let head = memchr::memmem::find(request, b"\r\n\r\n")?;
        number_behind(&request[head..], &self.body)
    }
}

fn number_behind(text: &[u8], mark: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(text, mark)? + mark.len();
    std::str::from_utf8(text.get(at..at + DIGITS)?).ok()?.parse().ok()
}

/// The number in the branch of a response to one of our messages.
pub fn number_of_response(response: &Message<'_>, run: u32) -> Option<usize> {
    number_after(response.via().ok()?.branch?, BRANCH, run)
}

/// The number in the body of one of our messages, or of a reply that quotes it.
pub fn number_of_body(body: &[u8], run: u32) -> Option<usize> {
    let at = body.windows(MARK.len()).position(|window| window == MARK.as_bytes())?;
    number_after(&body[at..], MARK, run)
}

fn number_after(text: &[u8], mark: &str, run: u32) -> Option<usize> {
    let rest = text.strip_prefix(mark.as_bytes())?;
    let rest = rest.strip_prefix(tag(run).as_bytes())?.strip_prefix(b"-")?;
    std::str::from_utf8(rest.get(..DIGITS)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use chappe_sip_msg::parse;

    use super::*;

    #[test]
    fn numbered_wherever_it_counts() {
        let template = Template::new(7, "127.0.0.1:5070".parse().unwrap(), "1000", "1001", 600);
        let mut out = Vec::new();
        template.write(1234, &mut out);
        let message = parse(&out).unwrap();
        assert!((600..=602).contains(&out.len()), "{}", out.len());
        assert_eq!(number_of_response(&message, 7), Some(1234));
        assert_eq!(number_of_response(&message, 8), None);
        assert_eq!(number_of_body(message.body(), 7), Some(1234));
        assert_eq!(message.call_id(), b"aaaaah-0000001234@127.0.0.1");
        assert_eq!([7, 8].map(|run| Marks::new(run).in_branch(&out)), [Some(1234), None]);
        assert_eq!([7, 8].map(|run| Marks::new(run).in_body(&out)), [Some(1234), None]);
        let reply = [b"Hello, you said: ", message.body()].concat();
        assert_eq!(number_of_body(&reply, 7), Some(1234));
    }
}
