//! The user agent: its requests, one at a time, and what others send it meanwhile.

use std::collections::VecDeque;
use std::fmt;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use chappe_sip_msg::{HeaderName, Message, Method, RequestWriter, ResponseWriter, parse};
use chappe_sip_proto::digest::{self, Protected};

use super::SendError;
use super::link::Link;
use super::user::User;

/// RFC 3261 §17.1.2.1: the timers of a non-INVITE client transaction.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const TIMER_F: Duration = T1.saturating_mul(64);

/// How long a binding lasts should it not be removed.
const EXPIRES: &str = "300";

/// A final response.
pub struct Reply {
    pub code: u16,
    pub reason: String,
    /// The strongest of the challenges, and the header that answers it.
    challenge: Option<(digest::Challenge, &'static str)>,
}

impl Reply {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    fn read(response: &Message<'_>, code: u16) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let challenge = |name, answer| {
            let challenges = response.all(name).filter_map(|value| digest::Challenge::parse(value).ok());
            digest::strongest(challenges).map(|challenge| (challenge, answer))
        };
        let challenge = match code {
            401 => challenge(HeaderName::WwwAuthenticate, "Authorization"),
            407 => challenge(HeaderName::ProxyAuthenticate, "Proxy-Authorization"),
            _ => None,
        };
        let reason = match response.start() {
            chappe_sip_msg::Start::Response { reason, .. } => text(reason),
            chappe_sip_msg::Start::Request { .. } => String::new(),
        };
        Self { code, reason, challenge }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.reason)
    }
}

/// A message somebody sent us.
pub struct Received {
    pub from: String,
    pub text: String,
}

pub struct Agent {
    link: Link,
    user: User,
    password: String,
    contact: String,
    via: String,
    call_id: String,
    tag: String,
    cseq: u32,
    inbox: VecDeque<Received>,
    /// Call-ID and CSeq of the messages seen: a retransmission is answered and not shown again.
    seen: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A request but for what changes when it is sent again with credentials.
struct Draft<'a> {
    method: Method<'a>,
    uri: String,
    to: String,
    call_id: String,
    headers: &'a [(&'a str, &'a str)],
    text: Option<&'a str>,
}

impl Agent {
    pub fn new(link: Link, user: User, password: String) -> Result<Self, SendError> {
        let local = link.local().map_err(|error| SendError::Network { server: link.server(), error })?;
        let (transport, param) = if link.is_reliable() { ("TCP", ";transport=tcp") } else { ("UDP", "") };
        let here = User { name: user.name.clone(), domain: local.to_string() };
        Ok(Self {
            contact: format!("<{}{param}>", here.uri()),
            via: format!("SIP/2.0/{transport} {local};rport"),
            call_id: random()?,
            tag: random()?,
            cseq: 0,
            inbox: VecDeque::new(),
            seen: Vec::new(),
            link,
            user,
            password,
        })
    }

    pub fn user(&self) -> &User {
        &self.user
    }

    pub fn register(&mut self) -> Result<Reply, SendError> {
        self.bind(EXPIRES)
    }

    pub fn unregister(&mut self) -> Result<Reply, SendError> {
        self.bind("0")
    }

    /// RFC 3261 §10.2: all registrations of one user agent have one Call-ID.
    fn bind(&mut self, expires: &str) -> Result<Reply, SendError> {
        let contact = self.contact.clone();
        self.request(&Draft {
            method: Method::Register,
            uri: format!("sip:{}", self.user.domain),
            to: self.user.uri(),
            call_id: self.call_id.clone(),
            headers: &[("Contact", &contact), ("Expires", expires)],
            text: None,
        })
    }

    pub fn message(&mut self, to: &User, text: &str) -> Result<Reply, SendError> {
        self.request(&Draft {
            method: Method::Message,
            uri: to.uri(),
            to: to.uri(),
            call_id: random()?,
            headers: &[],
            text: Some(text),
        })
    }

    /// The next message that arrives before `until`.
    pub fn next_message(&mut self, until: Instant) -> Result<Option<Received>, SendError> {
        while self.inbox.is_empty() {
            match self.receive(until)? {
                Some(bytes) => drop(self.take(&bytes, None)?),
                None => break,
            }
        }
        Ok(self.inbox.pop_front())
    }

    /// Sends the request, and once more with credentials when it is challenged (RFC 3261 §22.2).
    fn request(&mut self, draft: &Draft<'_>) -> Result<Reply, SendError> {
        let reply = self.transact(draft, None)?;
        let Some((challenge, answer)) = &reply.challenge else { return Ok(reply) };
        let body = draft.text.unwrap_or_default().as_bytes();
        let method = String::from_utf8_lossy(draft.method.as_bytes());
        let protected = Protected { method: &method, uri: &draft.uri, body };
        let credentials =
            digest::answer(challenge, &self.user.name, &self.password, protected, &random()?, 1);
        self.transact(draft, Some((answer, &credentials)))
    }

    /// One transaction: sends, sends again while nothing comes (RFC 3261 §17.1.2), returns the final response.
    fn transact(&mut self, draft: &Draft<'_>, credentials: Option<(&str, &str)>) -> Result<Reply, SendError> {
        self.cseq += 1;
        let branch = format!("z9hG4bK{}", random()?);
        let bytes = self.print(draft, &branch, credentials);
        let started = Instant::now();
        let mut interval = T1;
        self.send(&bytes)?;
        let mut again = started + interval;
        loop {
            let end = started + TIMER_F;
            let until = if self.link.is_reliable() { end } else { again.min(end) };
            if let Some(received) = self.receive(until)? {
                if let Some(reply) = self.take(&received, Some(branch.as_bytes()))? {
                    return Ok(reply);
                }
            } else if Instant::now() >= end {
                return Err(SendError::Timeout { server: self.link.server(), waited: TIMER_F });
            } else if !self.link.is_reliable() {
                self.send(&bytes)?;
                interval = (interval * 2).min(T2);
                again = Instant::now() + interval;
            }
        }
    }

    fn print(&self, draft: &Draft<'_>, branch: &str, credentials: Option<(&str, &str)>) -> Vec<u8> {
        let mut out = Vec::new();
        let method = String::from_utf8_lossy(draft.method.as_bytes());
        let mut request = RequestWriter::new(draft.method, &draft.uri, &mut out);
        request.header("Via", format!("{};branch={branch}", self.via));
        request.header("Max-Forwards", "70");
        request.header("From", format!("<{}>;tag={}", self.user.uri(), self.tag));
        request.header("To", format!("<{}>", draft.to));
        request.header("Call-ID", &draft.call_id);
        request.header("CSeq", format!("{} {method}", self.cseq));
        request.header("User-Agent", concat!("chappe/", env!("CARGO_PKG_VERSION")));
        for (name, value) in draft.headers {
            request.header(name, value);
        }
        if let Some((name, value)) = credentials {
            request.header(name, value);
        }
        match draft.text {
            Some(text) => request.body("text/plain;charset=utf-8", text.as_bytes()),
            None => request.finish(),
        }
        out
    }

    /// Looks at what arrived: the final response to the request with `branch`, or a request, which is answered.
    fn take(&mut self, bytes: &[u8], branch: Option<&[u8]>) -> Result<Option<Reply>, SendError> {
        let Ok(message) = parse(bytes) else { return Ok(None) };
        let Some(code) = message.code() else {
            self.answer(&message)?;
            return Ok(None);
        };
        let ours = branch.is_some() && message.via().is_ok_and(|via| via.branch == branch);
        Ok((ours && code >= 200).then(|| Reply::read(&message, code)))
    }

    fn answer(&mut self, request: &Message<'_>) -> Result<(), SendError> {
        let code = match request.method() {
            Method::Message => {
                self.keep(request);
                200
            }
            Method::Options => 200,
            Method::Ack => return Ok(()),
            _ => 405,
        };
        let mut out = Vec::new();
        let server = self.link.server();
        let mut response = ResponseWriter::to(request, Some(server), code, "", &self.tag, &mut out);
        if code == 405 {
            response.header("Allow", "MESSAGE, OPTIONS");
        }
        response.finish();
        self.send(&out)
    }

    fn keep(&mut self, request: &Message<'_>) {
        let cseq = request.first(HeaderName::CSeq).unwrap_or_default();
        let key = (request.call_id().to_vec(), cseq.to_vec());
        if self.seen.contains(&key) {
            return;
        }
        self.seen.push(key);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let from = request.from().ok().and_then(|from| from.uri.user_unescaped().map(|user| text(&user)));
        let from = from.unwrap_or_else(|| "somebody".to_owned());
        self.inbox.push_back(Received { from, text: text(request.body()) });
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        let server = self.link.server();
        self.link.send(bytes).map_err(|error| SendError::Network { server, error })
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Vec<u8>>, SendError> {
        let server = self.link.server();
        self.link.receive(until).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => SendError::Closed(server),
            _ => SendError::Network { server, error },
        })
    }
}

/// Sixteen hexadecimal digits nobody can guess.
fn random() -> Result<String, SendError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(SendError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
