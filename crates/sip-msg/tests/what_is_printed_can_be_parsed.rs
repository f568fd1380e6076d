//! Properties: what is printed is read back, and no bytes panic.

use chappe_sip_msg::stream::{Frame, FrameLimits, Framer};
use chappe_sip_msg::{
    Contact, HeaderName, Message, Method, NameAddr, RequestWriter, ResponseWriter, Uri, Via, auth_params,
    escape_user, parse, unescape,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Written {
    method: String,
    user: String,
    call_id: String,
    cseq: u32,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

prop_compose! {
    fn written()(
        method in "[A-Z]{1,12}",
        user in "\\PC{1,12}",
        call_id in "[!-~]{1,20}",
        cseq in 0u32..1 << 31,
        headers in prop::collection::vec(("X-[A-Za-z0-9-]{1,10}", "[ -~é€😀]{0,30}"), 0..30),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) -> Written {
        Written { method, user, call_id, cseq, headers, body }
    }
}

fn print(written: &Written) -> Vec<u8> {
    let mut user = String::new();
    escape_user(&written.user, &mut user);
    let mut out = Vec::new();
    let mut request = RequestWriter::new(
        Method::of(written.method.as_bytes()),
        format!("sip:{user}@h.example;lr"),
        &mut out,
    );
    request.header("Via", "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKx");
    request.header("From", format!("\"a, b\" <sip:{user}@h.example>;tag=1"));
    request.header("To", format!("<sip:{user}@h.example>"));
    request
        .header("Call-ID", &written.call_id)
        .header("CSeq", format!("{} {}", written.cseq, written.method));
    for (name, value) in &written.headers {
        request.header(name, value);
    }
    request.body("text/plain;charset=utf-8", &written.body);
    out
}

fn look_at_everything(message: &Message<'_>) {
    for header in message.headers() {
        let _ = header.text();
        let _ = NameAddr::parse(header.name, header.value)
            .map(|addr| (addr.display_name(), addr.q(), addr.expires()));
        let _ = Via::parse(header.value);
        let _ = auth_params(header.value).count();
        assert!(header.raw.starts_with(header.name_text));
    }
    let _ = message.vias().chain(std::iter::once(message.via())).filter(Result::is_ok).count();
    let _ =
        (message.cseq().is_ok(), message.max_forwards(), message.expires(), message.content_type().is_some());
    let _ = message
        .contacts()
        .filter_map(|one| one.ok().and_then(|one| one.address().map(|at| at.uri.aor())))
        .count();
    let mut out = Vec::new();
    ResponseWriter::to(message, "[::1]:5060".parse().ok(), 400, "", "t", &mut out).finish();
}

proptest! {
    #[test]
    fn requests(written in written()) {
        let bytes = print(&written);
        let message = parse(&bytes).unwrap();
        prop_assert_eq!(message.method().as_bytes(), written.method.as_bytes());
        prop_assert_eq!(message.call_id(), written.call_id.as_bytes());
        prop_assert_eq!(message.cseq().unwrap().number, written.cseq);
        prop_assert_eq!(message.body(), &written.body[..]);
        for uri in [message.uri().unwrap(), message.from().unwrap().uri, message.to().unwrap().uri] {
            let user = uri.user_unescaped().unwrap();
            prop_assert_eq!(user.as_ref(), written.user.as_bytes());
            prop_assert!(uri.equivalent(&uri));
        }
        let headers: Vec<_> = message.headers().filter(|header| header.name_text.starts_with(b"X-")).collect();
        prop_assert_eq!(headers.len(), written.headers.len());
        for (header, (name, value)) in headers.iter().zip(&written.headers) {
            prop_assert!(header.is(name));
            prop_assert_eq!(header.value, value.trim_matches(' ').as_bytes());
        }
    }

    #[test]
    fn responses(written in written(), code in 200u16..700, tag in "[a-z0-9]{1,10}") {
        let bytes = print(&written);
        let request = parse(&bytes).unwrap();
        let mut out = Vec::new();
        let mut writer = ResponseWriter::to(&request, "192.0.2.9:99".parse().ok(), code, "", &tag, &mut out);
        for header in request.headers().filter(|header| header.name == HeaderName::Other) {
            writer.copy(&header);
        }
        writer.body("text/plain", &written.body);
        let response = parse(&out).unwrap();
        prop_assert_eq!(response.code(), Some(code));
        prop_assert_eq!(response.method(), request.method());
        prop_assert_eq!(response.to().unwrap().tag(), Some(tag.as_bytes()));
        prop_assert_eq!(response.via().unwrap().rport, Some(Some(99)));
        prop_assert_eq!(response.body(), &written.body[..]);
        prop_assert_eq!(
            response.headers().filter(|header| header.name == HeaderName::Other).count(),
            written.headers.len()
        );
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(message) = parse(&bytes) {
            look_at_everything(&message);
        }
        let _ = Uri::parse(&bytes).map(|uri| (uri.aor(), uri.equivalent(&uri), uri.header_fields().count()));
        let _ = Contact::parse(&bytes).map(|contact| contact.address().map(|addr| addr.expires()));
        let _ = (unescape(&bytes), auth_params(&bytes).count());
        let _ = Via::parse(&bytes);
    }

    /// Bytes changed, put in and taken out of a message reach deeper than random ones.
    #[test]
    fn damaged_messages(written in written(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..8)) {
        let mut bytes = print(&written);
        for (index, byte, how) in damage {
            let at = index.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        match parse(&bytes) {
            Ok(message) => look_at_everything(&message),
            Err(error) => error.message().into_iter().for_each(look_at_everything),
        }
        let mut framer = Framer::new(FrameLimits::default());
        framer.push(&bytes);
        while let Ok(Some(frame)) = framer.next() {
            if let Frame::Message(message) = frame {
                let _ = parse(message);
            }
        }
    }
}
