//! The MESSAGEs of the load: made once a pair of users, then only their number changes.

use chappe_sip_msg::{Method, RequestWriter};
use chappe_sip_proto::digest::{Challenge, Protected, answer};

use crate::folder::{DOMAIN, PASSWORD};
use crate::transport::Here;

/// Digits of a message's number, wherever it is written.
const DIGITS: usize = 10;
const BRANCH: &str = "z9hG4bK-bench-";
const MARK: &str = "msg=";

/// A MESSAGE with places for its number.
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
    signer: Option<Signer>,
}

impl Template {
    /// From `sender` to `recipient`, users of the one domain, padded to `size` bytes. `run` keeps the messages of one
    /// run apart from those of another.
    pub fn new(run: u32, from: impl Into<Here>, sender: &str, recipient: &str, size: usize) -> Self {
        let from = from.into();
        let bare = print(run, from, sender, recipient, 0);
        Self::of(print(run, from, sender, recipient, size.saturating_sub(bare.len())))
    }

    /// The same with a body of so many octets.
    pub fn with_body(run: u32, from: impl Into<Here>, sender: &str, recipient: &str, octets: usize) -> Self {
        let bare = body(run, 0);
        Self::of(print(run, from.into(), sender, recipient, octets.saturating_sub(bare.len())))
    }

    fn of(bytes: Vec<u8>) -> Self {
        let zeros = [b'0'; DIGITS];
        let places = (0..bytes.len() - DIGITS).filter(|&at| bytes[at..at + DIGITS] == zeros).collect();
        Template { bytes, places, signer: None }
    }

    /// The same with credentials.
    pub fn signed(self, signer: Signer) -> Self {
        Self { signer: Some(signer), ..self }
    }

    /// Appends the message with this number. `before`: how many messages of this template come before it.
    pub fn write(&self, number: usize, before: usize, out: &mut Vec<u8>) {
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
        if let Some(signer) = &self.signer {
            let second_line = self.bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let at = start + second_line;
            out.splice(at..at, signer.line(before).into_bytes());
        }
    }
}

/// Signs each message of one user with the same nonce, as a phone does.
pub struct Signer {
    user: String,
    challenge: Challenge,
}

impl Signer {
    pub fn new(user: &str, challenge: Challenge) -> Self {
        Self { user: user.to_owned(), challenge }
    }

    fn line(&self, before: usize) -> String {
        let uri = format!("sip:{DOMAIN}");
        let protected = Protected { method: "MESSAGE", uri: &uri, body: b"" };
        let count = u32::try_from(before + 1).unwrap_or(u32::MAX);
        let value = answer(&self.challenge, &self.user, PASSWORD, protected, "bench", count);
        format!("Proxy-Authorization: {value}\r\n")
    }
}

fn print(run: u32, from: Here, sender: &str, recipient: &str, padding: usize) -> Vec<u8> {
    let number = "0".repeat(DIGITS);
    let mark = tag(run);
    let mut out = Vec::new();
    let mut request = RequestWriter::new(Method::Message, format!("sip:{recipient}@{DOMAIN}"), &mut out);
    request
        .header("Via", format!("SIP/2.0/{from};rport;branch={BRANCH}{mark}-{number}"))
        .header("Max-Forwards", "70")
        .header("From", format!("\"{sender}\" <sip:{sender}@{DOMAIN}>;tag=b{mark}-{number}"))
        .header("To", format!("<sip:{recipient}@{DOMAIN}>"))
        .header("Call-ID", format!("{mark}-{number}@{}", from.address.ip()))
        .header("CSeq", "1 MESSAGE")
        .header("User-Agent", "chappe-bench");
    request.body("text/plain", body(run, padding).as_bytes());
    out
}

fn body(run: u32, padding: usize) -> String {
    format!("{MARK}{}-{} {}", tag(run), "0".repeat(DIGITS), "x".repeat(padding))
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

#[cfg(test)]
mod tests {
    use chappe_sip_msg::{HeaderName, parse};
    use chappe_sip_proto::digest::{Algorithm, Credentials, Secret, verify};

    use super::*;
    use crate::transport::Transport;

    fn here() -> Here {
        Here { transport: Transport::Tls, address: "127.0.0.1:5070".parse().unwrap() }
    }

    #[test]
    fn numbered_wherever_it_counts() {
        let template = Template::new(7, here(), "1000", "1001", 600);
        let mut out = Vec::new();
        template.write(1234, 0, &mut out);
        let message = parse(&out).unwrap();
        assert!((600..=602).contains(&out.len()), "{}", out.len());
        assert_eq!(message.call_id(), b"aaaaah-0000001234@127.0.0.1");
        assert_eq!([7, 8].map(|run| Marks::new(run).in_branch(&out)), [Some(1234), None]);
        assert_eq!([7, 8].map(|run| Marks::new(run).in_body(&out)), [Some(1234), None]);
        let reply = [b"MESSAGE x\r\n\r\nHello, you said: ", message.body()].concat();
        assert_eq!(Marks::new(7).in_body(&reply), Some(1234));
    }

    #[test]
    fn bodies_are_as_long_as_they_are_to_be() {
        for octets in [100, 600, 8192, 60_000] {
            let mut out = Vec::new();
            Template::with_body(7, here(), "1000", "1001", octets).write(1, 0, &mut out);
            assert_eq!(parse(&out).unwrap().body().len(), octets);
        }
    }

    #[test]
    fn credentials_prove_what_they_say_and_count() {
        let challenge = Challenge::new(DOMAIN, "nonce", Algorithm::Md5);
        let template = Template::new(7, here(), "1000", "1001", 600).signed(Signer::new("1000", challenge));
        let mut out = Vec::new();
        template.write(41, 2, &mut out);
        let message = parse(&out).unwrap();
        let value = message.first(HeaderName::ProxyAuthorization).unwrap();
        let credentials = Credentials::parse(value).unwrap();
        let secret = Secret::Password(PASSWORD.as_bytes());
        assert!(verify(&credentials, b"MESSAGE", message.body(), secret));
        assert!(String::from_utf8_lossy(value).contains("nc=00000003"));
        assert_eq!(Marks::new(7).in_body(&out), Some(41));
    }
}
