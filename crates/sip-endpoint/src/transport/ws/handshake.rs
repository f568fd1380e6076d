//! The opening handshake, RFC 6455 §4.2: a request in, an answer out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// Web sites whose pages may connect; empty: all.
pub struct Origins(pub Vec<String>);

/// Why the client gets no WebSocket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("no HTTP request")]
    NoHttp,
    #[error("a request head that is too long")]
    TooLong,
    #[error("no request for a WebSocket")]
    NoUpgrade,
    #[error("another version of WebSocket than 13")]
    Version,
    #[error("no Sec-WebSocket-Key")]
    Key,
    #[error("the subprotocol sip is not among those offered")]
    Subprotocol,
    #[error("its Origin is not among ws-allowed-origins")]
    Origin,
}

/// RFC 6455 §1.3.
const SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const SUBPROTOCOL: &str = "sip";

impl Refusal {
    /// The HTTP response.
    pub fn response(self) -> String {
        let (status, more) = match self {
            Self::NoHttp | Self::Key | Self::Subprotocol => ("400 Bad Request", ""),
            Self::TooLong => ("431 Request Header Fields Too Large", ""),
            Self::Origin => ("403 Forbidden", ""),
            // RFC 9110 §15.5.22, RFC 6455 §4.4.
            Self::NoUpgrade => {
                ("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n")
            }
            Self::Version => ("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
        };
        let body = format!("{self}\n");
        let connection = if more.is_empty() { "close" } else { "Upgrade, close" };
        format!(
            "HTTP/1.1 {status}\r\n{more}Connection: {connection}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// The response to a request's head, `GET ...` to the empty line.
pub fn answer(head: &[u8], origins: &Origins) -> Result<String, Refusal> {
    let head = std::str::from_utf8(head).map_err(|_| Refusal::NoHttp)?;
    let (line, headers) = head.split_once("\r\n").ok_or(Refusal::NoHttp)?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let is_http = version.is_some_and(|version| version.starts_with("HTTP/1.")) && words.next().is_none();
    if !is_http || target.is_none_or(str::is_empty) || method.is_none_or(str::is_empty) {
        return Err(Refusal::NoHttp);
    }
    let headers = Headers(headers);
    let asks = headers.has_word("Upgrade", "websocket") && headers.has_word("Connection", "Upgrade");
    if method != Some("GET") || version == Some("HTTP/1.0") || !asks {
        return Err(Refusal::NoUpgrade);
    }
    if headers.values("Sec-WebSocket-Version").ne(["13"]) {
        return Err(Refusal::Version);
    }
    let key = headers.values("Sec-WebSocket-Key").next().filter(|key| is_key(key)).ok_or(Refusal::Key)?;
    if !origins.allow(&headers) {
        return Err(Refusal::Origin);
    }
    // RFC 7118 §4: names of subprotocols are compared as they are written.
    if !headers.words("Sec-WebSocket-Protocol").any(|word| word == SUBPROTOCOL) {
        return Err(Refusal::Subprotocol);
    }
    let accept = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{SUFFIX}").as_bytes()));
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    ))
}

fn is_key(key: &str) -> bool {
    STANDARD.decode(key).is_ok_and(|octets| octets.len() == 16)
}

impl Origins {
    /// RFC 6455 §10.2: browsers always send one. Who sends none is no web page, and could send any.
    fn allow(&self, headers: &Headers<'_>) -> bool {
        let mut sent = headers.values("Origin");
        self.0.is_empty() || sent.all(|origin| self.0.iter().any(|known| known.eq_ignore_ascii_case(origin)))
    }
}

struct Headers<'h>(&'h str);

impl<'h> Headers<'h> {
    fn values(&self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.0.split("\r\n").filter_map(move |line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim_matches([' ', '\t']))
        })
    }

    fn words(&self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.values(name).flat_map(|value| value.split(',')).map(|word| word.trim_matches([' ', '\t']))
    }

    fn has_word(&self, name: &'h str, word: &str) -> bool {
        self.words(name).any(|known| known.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 §1.3 with RFC 7118 §4.
    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: sip-ws.example.com\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: http://www.example.com\r\nSec-WebSocket-Protocol: chat, sip\r\nSec-WebSocket-Version: 13\r\n\r\n";

    fn answered(request: &str, origins: &[&str]) -> Result<String, Refusal> {
        answer(request.as_bytes(), &Origins(origins.iter().map(|origin| (*origin).to_owned()).collect()))
    }

    #[test]
    fn the_example_of_the_rfc() {
        let response = answered(REQUEST, &[]).unwrap();
        assert!(
            response.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            "{response}"
        );
        assert!(response.contains("\r\nSec-WebSocket-Protocol: sip\r\n"), "{response}");
    }

    #[test]
    fn origins_are_those_allowed() {
        assert!(answered(REQUEST, &["https://a.test", "http://www.example.com"]).is_ok());
        assert_eq!(answered(REQUEST, &["https://www.example.com"]), Err(Refusal::Origin));
        let none = REQUEST.replace("Origin: http://www.example.com\r\n", "");
        assert!(answered(&none, &["https://www.example.com"]).is_ok());
    }

    #[test]
    fn what_is_no_request_for_a_sip_websocket_is_refused() {
        let cases = [
            ("GET / HTTP/1.1", "GET / HTTP/1.0", Refusal::NoUpgrade, 426),
            ("GET / HTTP/1.1", "POST / HTTP/1.1", Refusal::NoUpgrade, 426),
            ("GET / HTTP/1.1", "OPTIONS sip:a SIP/2.0", Refusal::NoHttp, 400),
            ("GET / HTTP/1.1", "\u{1}\u{2}", Refusal::NoHttp, 400),
            ("Upgrade: websocket", "Upgrade: h2c", Refusal::NoUpgrade, 426),
            ("keep-alive, Upgrade", "keep-alive", Refusal::NoUpgrade, 426),
            ("Version: 13", "Version: 8", Refusal::Version, 426),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhl", Refusal::Key, 400),
            ("chat, sip", "chat, SIP", Refusal::Subprotocol, 400),
            ("Sec-WebSocket-Protocol: chat, sip\r\n", "", Refusal::Subprotocol, 400),
        ];
        for (from, to, expected, status) in cases {
            let refusal = answered(&REQUEST.replacen(from, to, 1), &[]).unwrap_err();
            assert_eq!(refusal, expected, "{to}");
            assert!(refusal.response().starts_with(&format!("HTTP/1.1 {status} ")), "{to}");
        }
    }
}
