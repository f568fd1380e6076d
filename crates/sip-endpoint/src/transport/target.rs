//! Who a request is for.

use chappe_sip_msg::{HeaderName, NameAddr, Uri};

/// The host that a request is sent to: of its first Route, or of its URI. The name that the peer's certificate has to
/// have, RFC 5922 §4.
pub fn host(request: &[u8]) -> Option<String> {
    let message = chappe_sip_msg::parse(request).ok()?;
    let route = message.values(HeaderName::Route).next();
    let host = match route.map(|route| NameAddr::parse(HeaderName::Route, route)) {
        Some(route) => text(&route.ok()?.uri),
        None => text(&message.uri().ok()?),
    };
    Some(host)
}

fn text(uri: &Uri<'_>) -> String {
    String::from_utf8_lossy(uri.host).trim_matches(['[', ']']).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_next_hop() {
        let check = |uri: &str, route: &str, expected: &str| {
            let request = format!(
                "MESSAGE {uri} SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
                 To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n{route}\r\n"
            );
            assert_eq!(host(request.as_bytes()).as_deref(), Some(expected), "{uri} {route}");
        };
        check("sips:b@Chat.test", "", "chat.test");
        check("sip:b@[2001:db8::1]:5061;transport=tls", "", "2001:db8::1");
        check("sip:b@chat.test", "Route: <sip:edge.test;lr>, <sip:other.test;lr>\r\n", "edge.test");
        assert_eq!(host(b"\r\n"), None);
    }
}
