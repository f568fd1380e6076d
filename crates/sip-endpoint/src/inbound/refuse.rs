//! Refusals that need to know nothing but the request.

use std::borrow::Cow;

use chappe_sip_msg::{Fault, HeaderName, Message, Method, Scheme};
use chappe_sip_proto::Response;

use super::Refusal;

/// What Allow says.
pub const ALLOW: &str = "REGISTER, MESSAGE, OPTIONS";
/// Extensions that Require may name: binding paths, RFC 3327, and flows, RFC 5626.
pub const SUPPORTED: &str = "path, outbound";
/// Most octets of a MESSAGE's body.
pub const BODY: usize = 128 * 1024;

/// A response without headers.
pub fn answer(code: u16) -> Response {
    Response::new(code)
}

/// The same in other words.
pub fn with_reason(code: u16, reason: impl Into<Cow<'static, str>>) -> Response {
    Response::new(code).reason(reason)
}

/// The answer to what is no proper request. RFC 3261 §21.4.1: the phrase says what is wrong with it.
pub fn malformed(fault: Fault, unread: Method<'_>) -> Response {
    match fault.status() {
        // RFC 4475 §3.1.2.18: better than 400, since what the method means might explain it.
        _ if fault == Fault::MethodMismatch && matches!(unread, Method::Other(_)) => method(unread),
        400 => with_reason(400, format!("Bad Request, {fault}")),
        code => answer(code),
    }
}

/// One header more.
pub fn with(response: Response, name: &'static str, value: impl Into<String>) -> Response {
    response.header(name, value)
}

/// RFC 3261 §21.5.4: too much is under way.
pub fn overloaded(retry_after_secs: u32) -> Response {
    with(answer(503), "Retry-After", retry_after_secs.to_string())
}

/// RFC 3261 §8.2.1: 405 for methods that are known, 501 for others.
pub fn method(method: Method<'_>) -> Response {
    match method {
        // RFC 3261 §9.2: there is nothing that a CANCEL could match.
        Method::Cancel => answer(481),
        Method::Other(_) => with(answer(501), "Allow", ALLOW),
        _ => with(answer(405), "Allow", ALLOW),
    }
}

/// RFC 3261 §8.2.2 and §16.3, in their order: the scheme, the hops, the extensions.
pub fn check(message: &Message<'_>) -> Result<(), Refusal> {
    match message.uri() {
        Ok(uri) if matches!(uri.scheme, Scheme::Sip | Scheme::Sips) => {}
        Ok(_) => return Err(answer(416).into()),
        Err(_) => return Err(with_reason(400, "Bad Request-URI").into()),
    }
    let last_hop = message.max_forwards().ok().flatten() == Some(0);
    if last_hop && matches!(message.method(), Method::Message) {
        return Err(answer(483).into());
    }
    extensions(message)
}

/// RFC 3261 §8.2.2.3: 420 with what is not understood.
fn extensions(message: &Message<'_>) -> Result<(), Refusal> {
    let required = message.values(HeaderName::Require).chain(message.values(HeaderName::ProxyRequire));
    let is_known = |tag: &[u8]| SUPPORTED.split(", ").any(|known| tag.eq_ignore_ascii_case(known.as_bytes()));
    let unknown: Vec<_> = required.filter(|tag| !is_known(tag)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown = String::from_utf8_lossy(&unknown.join(&b", "[..])).into_owned();
    Err(with(answer(420), "Unsupported", unknown).into())
}

/// RFC 3261 §8.2.3: bodies that can't be passed on as they are.
pub fn content(message: &Message<'_>) -> Result<(), Refusal> {
    if message.body().len() > BODY {
        return Err(answer(413).into());
    }
    super::encoding::check(message)?;
    let typed = message.first(HeaderName::ContentType).is_none_or(|_| message.content_type().is_some());
    if typed { Ok(()) } else { Err(with(answer(415), "Accept", "*/*").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str, headers: &str) -> String {
        let name = line.split(' ').next().unwrap();
        let text = format!(
            "{line} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 {name}\r\n{headers}\r\n"
        );
        let message = chappe_sip_msg::parse(text.as_bytes()).unwrap();
        let result = check(&message).and_then(|()| content(&message)).and_then(|()| match message.method() {
            Method::Message | Method::Register | Method::Options => Ok(()),
            other => Err(method(other).into()),
        });
        let Err(response) = result else { return "taken".to_owned() };
        let headers = response.headers.iter().map(|(name, value)| format!(" {name}: {value}"));
        format!("{}{}", response.code, headers.collect::<String>())
    }

    #[test]
    fn each_fault_has_its_status() {
        let cases = [
            ("MESSAGE sip:c@d", "", "taken"),
            ("MESSAGE sips:c@d", "", "taken"),
            ("MESSAGE tel:+123", "", "416"),
            ("MESSAGE sip:c@d", "Max-Forwards: 0\r\n", "483"),
            ("OPTIONS sip:c@d", "Max-Forwards: 0\r\n", "taken"),
            ("MESSAGE sip:c@d", "Require: path\r\n", "taken"),
            (
                "MESSAGE sip:c@d",
                "Require: path, 100rel\r\nProxy-Require: foo\r\n",
                "420 Unsupported: 100rel, foo",
            ),
            (
                "MESSAGE sip:c@d",
                "Content-Encoding: gzip\r\n",
                "415 Accept: */* Accept-Encoding: deflate, identity",
            ),
            ("MESSAGE sip:c@d", "Content-Type: nonsense\r\n", "415 Accept: */*"),
            ("MESSAGE sip:c@d", "Content-Type: text/plain;charset=utf-8\r\n", "taken"),
            ("INVITE sip:c@d", "", "405 Allow: REGISTER, MESSAGE, OPTIONS"),
            ("CANCEL sip:c@d", "", "481"),
            ("NEWMETHOD sip:c@d", "", "501 Allow: REGISTER, MESSAGE, OPTIONS"),
        ];
        for (line, headers, expected) in cases {
            assert_eq!(refusal(line, headers), expected, "{line} {headers}");
        }
    }
}
