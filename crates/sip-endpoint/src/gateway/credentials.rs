//! The digest answers to a gateway: its last challenge is kept, so that the next request shows its credentials at once.

use chappe_sip_msg::{HeaderName, Message};
use chappe_sip_proto::digest::{self, Challenge, Protected};

/// What a request is for: a registrar and a proxy may have challenges of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Register,
    Message,
}

/// The name and value of a header with credentials.
pub type Shown = (&'static str, String);

#[derive(Debug, Default)]
pub struct Credentials {
    register: Option<Kept>,
    message: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    challenge: Challenge,
    header: &'static str,
    /// How often its nonce was used, RFC 7616 §3.4.
    count: u32,
}

/// The challenge of a 401 or 407, and the header that answers it. The strongest that we know, RFC 8760 §2.4.
pub fn challenge(message: &Message<'_>) -> Option<(Challenge, &'static str)> {
    let (asks, answers) = match message.code()? {
        401 => (HeaderName::WwwAuthenticate, "Authorization"),
        407 => (HeaderName::ProxyAuthenticate, "Proxy-Authorization"),
        _ => return None,
    };
    let known = message.all(asks).filter_map(|value| Challenge::parse(value).ok());
    digest::strongest(known).map(|challenge| (challenge, answers))
}

impl Credentials {
    fn kept(&mut self, purpose: Purpose) -> &mut Option<Kept> {
        match purpose {
            Purpose::Register => &mut self.register,
            Purpose::Message => &mut self.message,
        }
    }

    /// What the next request shows; `None` before the first challenge.
    pub fn show(
        &mut self,
        purpose: Purpose,
        (user, password): (&str, &str),
        protected: Protected<'_>,
        cnonce: &str,
    ) -> Option<Shown> {
        let kept = self.kept(purpose).as_mut()?;
        kept.count += 1;
        let value = digest::answer(&kept.challenge, user, password, protected, cnonce, kept.count);
        Some((kept.header, value))
    }

    /// Takes note of a challenge; a nonce that is known goes on being counted.
    pub fn keep(&mut self, purpose: Purpose, challenge: Challenge, header: &'static str) {
        let kept = self.kept(purpose);
        let count = kept.as_ref().filter(|kept| kept.challenge.nonce == challenge.nonce);
        let count = count.map_or(0, |kept| kept.count);
        *kept = Some(Kept { challenge, header, count });
    }

    /// The challenge was answered in vain.
    pub fn forget(&mut self, purpose: Purpose) {
        *self.kept(purpose) = None;
    }
}

/// How often one request may answer challenges: once, and once more where the nonce was just too old, RFC 3261 §22.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers(u8);

impl Answers {
    pub fn may_answer(&mut self, challenge: &Challenge) -> bool {
        let may = self.0 == 0 || self.0 == 1 && challenge.stale;
        self.0 += u8::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    use chappe_sip_proto::digest::Algorithm;

    use super::*;

    fn response(code: u16, lines: &str) -> String {
        format!(
            "SIP/2.0 {code} X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n\
             Call-ID: c\r\nCSeq: 1 MESSAGE\r\n{lines}\r\n"
        )
    }

    #[test]
    fn the_strongest_challenge_that_is_known_is_answered() {
        let md5 = "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"";
        let sha = "Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256, qop=\"auth\"";
        let odd = "Digest realm=\"r\", nonce=\"3\", algorithm=SHA-512-256";
        let lines: String = [md5, odd, sha].iter().map(|c| format!("Proxy-Authenticate: {c}\r\n")).collect();
        let text = response(407, &lines);
        let message = chappe_sip_msg::parse(text.as_bytes()).unwrap();
        let (challenge, header) = challenge(&message).unwrap();
        assert_eq!((challenge.nonce.as_str(), header), ("2", "Proxy-Authorization"));
        let text = response(401, &lines);
        assert!(super::challenge(&chappe_sip_msg::parse(text.as_bytes()).unwrap()).is_none());
    }

    #[test]
    fn a_nonce_is_counted_until_another_one_comes() {
        let mut credentials = Credentials::default();
        let protected = Protected { method: "MESSAGE", uri: "sip:a@b", body: b"" };
        let mut count = |nonce: Option<&str>| {
            if let Some(nonce) = nonce {
                let challenge = Challenge::new("r", nonce, Algorithm::Md5);
                credentials.keep(Purpose::Message, challenge, "Authorization");
            }
            let shown = credentials.show(Purpose::Message, ("u", "p"), protected, "c");
            shown.map(|(_, value)| value.split("nc=").nth(1).unwrap()[..8].to_owned())
        };
        assert_eq!(count(None), None);
        assert_eq!(count(Some("a")).as_deref(), Some("00000001"));
        assert_eq!(count(None).as_deref(), Some("00000002"));
        assert_eq!(count(Some("a")).as_deref(), Some("00000003"));
        assert_eq!(count(Some("b")).as_deref(), Some("00000001"));
        assert!(credentials.show(Purpose::Register, ("u", "p"), protected, "c").is_none());
    }

    #[test]
    fn a_challenge_is_answered_once_and_a_stale_one_once_more() {
        let fresh = Challenge::new("r", "n", Algorithm::Md5);
        let stale = fresh.clone().stale(true);
        let mut answers = Answers::default();
        assert!(answers.may_answer(&fresh));
        assert!(!answers.may_answer(&fresh));
        assert!(answers.may_answer(&stale));
        assert!(!answers.may_answer(&stale));
    }
}
