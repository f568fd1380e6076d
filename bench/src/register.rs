//! Registering the users, with digest when the server asks for it.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use chappe_sip_msg::{HeaderName, Message, Method, RequestWriter, parse};
use chappe_sip_proto::digest::{Algorithm, Challenge, Protected, answer, strongest};

use crate::error::BenchError;
use crate::folder::{DOMAIN, PASSWORD};
use crate::streams::Connection;
use crate::transport::{Here, contact_param};
use crate::udp::{self, Port};

/// How long an answer is waited for before the request is sent again.
const PATIENCE: Duration = Duration::from_millis(500);
const TRIES: u32 = 8;

/// Binds `user` to the port's address.
pub fn register(port: &mut Port, server: SocketAddrV4, user: &str) -> Result<(), BenchError> {
    register_by(port.address.into(), user, |request, cseq| exchange(port, server, request, cseq))
}

/// Binds `user` to a connection.
pub fn register_over(connection: &mut Connection, user: &str) -> Result<(), BenchError> {
    register_by(connection.here, user, |request, cseq| {
        connection.ask(request, |answer| is_final_answer(answer, request, cseq))
    })
}

/// `exchange` sends a REGISTER, and waits for the final answer to the one with this CSeq.
fn register_by(
    here: Here,
    user: &str,
    mut exchange: impl FnMut(&[u8], u32) -> Result<Option<Vec<u8>>, BenchError>,
) -> Result<(), BenchError> {
    let refused = |why: String| BenchError::Register { user: user.to_owned(), why };
    let mut credentials = None;
    for cseq in 1..=2 {
        let request = request(here, user, cseq, credentials.as_ref());
        let answer = exchange(&request, cseq)?.ok_or_else(|| refused("no answer".to_owned()))?;
        let message = parse(&answer).map_err(|error| refused(error.to_string()))?;
        match message.code() {
            Some(200..300) => return Ok(()),
            Some(401 | 407) if credentials.is_none() => {
                credentials =
                    Some(authorize(&message, user).ok_or_else(|| refused("no known challenge".to_owned()))?);
            }
            code => return Err(refused(format!("answered {}", code.unwrap_or(0)))),
        }
    }
    Err(refused("challenged twice".to_owned()))
}

/// Name and value of a credentials header.
type Credentials = (&'static str, String);

fn authorize(challenged: &Message<'_>, user: &str) -> Option<Credentials> {
    let (asks, gives) = match challenged.code() {
        Some(407) => (HeaderName::ProxyAuthenticate, "Proxy-Authorization"),
        _ => (HeaderName::WwwAuthenticate, "Authorization"),
    };
    let challenge = strongest(challenged.all(asks).filter_map(|value| Challenge::parse(value).ok()))?;
    let uri = format!("sip:{DOMAIN}");
    let protected = Protected { method: "REGISTER", uri: &uri, body: b"" };
    Some((gives, answer(&challenge, user, PASSWORD, protected, "bench", 1)))
}

fn request(here: Here, user: &str, cseq: u32, credentials: Option<&Credentials>) -> Vec<u8> {
    let (contact, transport) = (here.address, contact_param(here.transport));
    let mut out = Vec::new();
    let mut request = RequestWriter::new(Method::Register, format!("sip:{DOMAIN}"), &mut out);
    request
        .header("Via", format!("SIP/2.0/{here};rport;branch=z9hG4bK-register-{user}-{cseq}"))
        .header("Max-Forwards", "70")
        .header("From", format!("<sip:{user}@{DOMAIN}>;tag=r{user}"))
        .header("To", format!("<sip:{user}@{DOMAIN}>"))
        .header("Call-ID", format!("register-{user}@{}", contact.ip()))
        .header("CSeq", format!("{cseq} REGISTER"))
        .header("Contact", format!("<sip:{user}@{contact}{transport}>"))
        .header("Expires", "3600");
    if let Some((name, value)) = credentials {
        request.header(name, value);
    }
    request.finish();
    out
}

/// The final answer to a request.
pub fn exchange(
    port: &mut Port,
    server: SocketAddrV4,
    request: &[u8],
    cseq: u32,
) -> Result<Option<Vec<u8>>, BenchError> {
    for _ in 0..TRIES {
        port.outbox.push(server, |out| out.extend_from_slice(request));
        port.flush()?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            udp::wait(std::slice::from_ref(port), end.saturating_duration_since(Instant::now()))?;
            for index in 0..port.receive()? {
                let (bytes, _) = port.inbox.datagram(index);
                if is_final_answer(bytes, request, cseq) {
                    return Ok(Some(bytes.to_vec()));
                }
            }
        }
    }
    Ok(None)
}

fn is_final_answer(bytes: &[u8], request: &[u8], cseq: u32) -> bool {
    let (Ok(message), Ok(request)) = (parse(bytes), parse(request)) else { return false };
    message.code().is_some_and(|code| code >= 200)
        && message.call_id() == request.call_id()
        && message.cseq().is_ok_and(|found| found.number == cseq)
}

/// Asks for a challenge by a MESSAGE without credentials, which is `request`.
pub fn challenge(
    port: &mut Port,
    server: SocketAddrV4,
    user: &str,
    request: &[u8],
) -> Result<Challenge, BenchError> {
    let refused = |why: &str| BenchError::Register { user: user.to_owned(), why: why.to_owned() };
    let answer = exchange(port, server, request, 1)?.ok_or_else(|| refused("no answer"))?;
    let message = parse(&answer).map_err(|error| refused(&error.to_string()))?;
    let offered = message.all(HeaderName::ProxyAuthenticate).filter_map(|value| Challenge::parse(value).ok());
    // As most phones do: MD5.
    offered
        .into_iter()
        .find(|challenge| challenge.algorithm == Algorithm::Md5)
        .ok_or_else(|| refused("not challenged"))
}
