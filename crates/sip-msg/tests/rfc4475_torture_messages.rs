//! The messages of RFC 4475: the well-formed ones are read right, the others refused with the status they deserve.

use std::path::Path;

use chappe_sip_msg::{
    Fault, HeaderName, Message, Method, NameAddr, ResponseWriter, Scheme, Start, Uri, parse,
};

#[expect(clippy::disallowed_methods, reason = "the messages are files")]
fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture").join(name).with_extension("sip");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check(name: &str, expect: impl FnOnce(&Message<'_>)) {
    let bytes = file(name);
    let message = parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    expect(&message);
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// Status, whether it can be answered, and the words of the fault.
fn refused(name: &str) -> (u16, bool, String) {
    let bytes = file(name);
    let error = parse(&bytes).err().unwrap_or_else(|| panic!("{name} is refused"));
    if let Some(request) = error.answerable() {
        let mut out = Vec::new();
        ResponseWriter::to(request, None, error.status(), "", "t", &mut out).finish();
        assert!(out.starts_with(format!("SIP/2.0 {} ", error.status()).as_bytes()), "{name}");
    }
    (error.status(), error.answerable().is_some(), error.to_string())
}

#[test]
fn a_short_tortuous_invite() {
    check("wsinv", |message| {
        assert_eq!(message.method(), Method::Invite);
        assert_eq!(text(message.uri().unwrap().host), "chair-dnrc.example.com");
        let to = message.to().unwrap();
        assert_eq!((text(to.uri.user.unwrap()), text(to.tag().unwrap())), ("vivekg", "1918181833n"));
        let from = message.from().unwrap();
        assert_eq!(text(&from.display_name().unwrap()), r#"J Rosenberg \""#);
        assert_eq!(text(from.tag().unwrap()), "98asjd8");
        assert_eq!(message.max_forwards(), Ok(Some(68)));
        assert_eq!(message.cseq().unwrap().number, 9);
        assert_eq!(message.first(HeaderName::Subject), Some(&b""[..]));
        let vias: Vec<_> = message.vias().map(Result::unwrap).collect();
        let sent: Vec<_> =
            vias.iter().map(|via| (text(via.transport), text(via.host), text(via.branch.unwrap()))).collect();
        assert_eq!(
            sent,
            [
                ("UDP", "192.0.2.2", "390skdjuw"),
                ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
                ("UDP", "192.168.255.111", "z9hG4bK30239"),
            ]
        );
        let contact = message.contacts().next().unwrap().unwrap();
        let contact = contact.address().unwrap();
        assert_eq!(text(&contact.display_name().unwrap()), r#"Quoted string """#);
        assert_eq!(contact.q(), Some(330));
        let route = message.values(HeaderName::Route).next().unwrap();
        assert!(NameAddr::parse(HeaderName::Route, route).unwrap().uri.params.has("lr"));
        assert_eq!(message.named("unknownheaderwithunusualvalue").next(), Some(&b";;,,;;,;"[..]));
        let folded = message.headers().find(|header| header.is("NewFangledHeader")).unwrap();
        assert_eq!(folded.text(), "newfangled value continued newfangled value");
        assert_eq!(message.body().len(), 150);
    });
}

#[test]
fn a_wide_range_of_valid_characters() {
    check("intmeth", |message| {
        assert_eq!(text(message.method().as_bytes()), "!interesting-Method0123456789_*+`.%indeed'~");
        let uri = message.uri().unwrap();
        assert_eq!(text(uri.user.unwrap()), "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
        assert_eq!(text(uri.password.unwrap()), "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
        assert_eq!(text(uri.host), "example.com");
        assert_eq!(text(message.via().unwrap().branch.unwrap()), "z9hG4bK-.!%66*_+`'~");
        assert_eq!(message.to().unwrap().display_name().unwrap().as_ref(), b"BEL:\x07 NUL:\0 DEL:\x7f");
        let from = message.from().unwrap();
        assert_eq!(text(from.param("fromParam''~+*_!.-%").unwrap()), "работающий");
        assert_eq!(text(from.tag().unwrap()), "_token~1'+`*%!-.");
        assert_eq!(text(message.call_id()), r#"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"#);
        assert_eq!(message.max_forwards(), Ok(Some(255)));
    });
}

#[test]
fn escapes_are_escapes_in_uris_alone() {
    check("esc01", |message| {
        let uri = message.uri().unwrap();
        assert_eq!(uri.user_unescaped().unwrap().as_ref(), b"sips:user@example.com");
        assert_eq!(uri.aor(), "sips:user@example.com@example.net");
        assert_eq!(message.to().unwrap().uri.aor(), "user@example.com");
        let contact = message.contacts().next().unwrap().unwrap();
        let plain = Uri::parse(b"sip:caller@host5.example.net;lr;name=value%2541").unwrap();
        assert!(contact.address().unwrap().uri.equivalent(&plain));
    });
    check("escnull", |message| {
        assert_eq!(message.to().unwrap().uri.user_unescaped().unwrap().as_ref(), b"null-\0-null");
        let contacts: Vec<_> = message.contacts().map(Result::unwrap).collect();
        let users: Vec<_> =
            contacts.iter().map(|one| one.address().unwrap().uri.user_unescaped().unwrap().len()).collect();
        assert_eq!(users, [1, 2]);
    });
    check("esc02", |message| {
        assert_eq!(message.method(), Method::Other(b"RE%47IST%45R"));
        assert_eq!(message.contacts().count(), 2);
        assert_eq!(message.from().unwrap().display_name().unwrap().as_ref(), b"%Z%45");
    });
}

#[test]
fn odd_but_well_formed_addresses() {
    check("lwsdisp", |message| {
        let from = message.from().unwrap();
        assert_eq!((from.display, from.uri.text()), (Some(&b"caller"[..]), &b"sip:caller@example.com"[..]));
    });
    check("semiuri", |message| {
        let uri = message.uri().unwrap();
        assert_eq!(uri.user_unescaped().unwrap().as_ref(), b"user;par=u@example.net");
        assert!(uri.params.is_empty());
        assert_eq!(message.values(HeaderName::Accept).count(), 6);
    });
    check("cparam01", |message| {
        let contact = message.contacts().next().unwrap().unwrap();
        assert!(contact.address().unwrap().params.has("unknownparam"));
        assert!(contact.address().unwrap().uri.params.is_empty());
    });
    check("cparam02", |message| {
        let contact = message.contacts().next().unwrap().unwrap();
        assert!(contact.address().unwrap().uri.params.has("unknownparam"));
    });
    check("regescrt", |message| {
        let contact = message.contacts().next().unwrap().unwrap();
        assert_eq!(contact.address().unwrap().uri.headers, b"Route=%3Csip:sip.example.com%3E");
    });
}

#[test]
fn long_values() {
    check("longreq", |message| {
        assert_eq!(message.vias().count(), 34);
        assert_eq!(message.to().unwrap().uri.port, Some(6000));
        assert_eq!(message.vias().last().unwrap().unwrap().received, Some(&b"192.0.2.5"[..]));
        assert_eq!(message.max_forwards(), Ok(Some(70)));
    });
}

#[test]
fn a_datagram_ends_with_its_message() {
    check("dblreq", |message| {
        assert_eq!(message.method(), Method::Register);
        assert!(message.bytes().ends_with(b"Content-Length: 0\r\n\r\n"));
    });
}

#[test]
fn transports_of_other_hops_do_not_matter() {
    check("transports", |message| {
        let transports: Vec<_> = message.vias().map(|via| text(via.unwrap().transport).to_owned()).collect();
        assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    });
}

#[test]
fn a_body_is_octets() {
    check("mpart01", |message| {
        let body = message.body();
        assert_eq!((body.len(), body.iter().filter(|byte| **byte == 0).count()), (553, 2));
        assert!(body.ends_with(b"--7a9cbec02ceef655--\r\n") && std::str::from_utf8(body).is_err());
        let boundary = message.content_type().unwrap().params.get("boundary").unwrap();
        assert_eq!(text(boundary), "7a9cbec02ceef655");
    });
}

#[test]
fn reason_phrases() {
    check("unreason", |message| {
        let reason = "= 2**3 * 5**2 но сто девяносто девять - простое";
        assert_eq!(message.start(), Start::Response { code: 200, reason: reason.as_bytes() });
        assert_eq!(message.method(), Method::Invite);
    });
    check("noreason", |message| assert_eq!(message.start(), Start::Response { code: 100, reason: b"" }));
}

/// What these ask for is not the parser's to decide.
#[test]
fn left_to_the_layers_above() {
    check("baddate", |message| assert!(message.first(HeaderName::Date).is_some()));
    check("badbranch", |message| assert_eq!(message.via().unwrap().branch, Some(&b"z9hG4bK"[..])));
    check("bext01", |message| assert_eq!(message.values(HeaderName::Require).count(), 2));
    check("unkscm", |message| {
        assert_eq!(message.uri().unwrap().scheme, Scheme::Other(b"nobodyKnowsThisScheme"));
    });
    check("novelsc", |message| assert_eq!(message.uri().unwrap().scheme, Scheme::Other(b"soap.beep")));
    check("unksm2", |message| assert_eq!(message.to().unwrap().uri.scheme, Scheme::Other(b"isbn")));
    check("invut", |message| assert!(message.content_type().unwrap().is("application", "unknownformat")));
    check("regaut01", |message| assert!(message.first(HeaderName::Authorization).is_some()));
    check("sdp01", |message| {
        assert_eq!(message.first(HeaderName::Accept), Some(&b"text/nobodyKnowsThis"[..]));
    });
    check("bcast", |message| assert_eq!(message.vias().count(), 2));
    check("zeromf", |message| assert_eq!(message.max_forwards(), Ok(Some(0))));
    check("inv2543", |message| {
        assert_eq!(message.from().unwrap().tag(), None);
        assert_eq!(message.body().len(), 105);
    });
}

#[test]
fn invalid_requests_are_refused_and_answered() {
    for (name, status, fault) in [
        ("badinv01", 400, "malformed Via header: parameters"),
        ("clerr", 400, "Content-Length is 9999, only 154 bytes follow the headers"),
        ("ncl", 400, "malformed Content-Length header: not a number"),
        ("scalar02", 400, "malformed CSeq header: the number is not below 2147483648"),
        ("quotbal", 400, "malformed To header: a quoted string without an end"),
        ("ltgtruri", 400, "malformed request line: the Request-URI"),
        ("lwsruri", 400, "malformed request line: the Request-URI"),
        ("lwsstart", 400, "malformed request line: the Request-URI"),
        ("trws", 400, "malformed request line: white space after the version"),
        ("escruri", 400, "malformed request line: headers in the Request-URI"),
        ("regbadct", 400, "malformed Contact header: a question mark in a URI without angle brackets"),
        ("badaspec", 400, "malformed To header: the URI"),
        ("baddn", 400, "malformed From header: a comma outside quotes"),
        ("badvers", 505, "SIP version is not 2.0"),
        ("mismatch01", 400, "the CSeq method is not the request's"),
        ("mismatch02", 400, "the CSeq method is not the request's"),
        ("insuf", 400, "no Call-ID header"),
        ("multi01", 400, "more than one CSeq header"),
        ("mcl01", 400, "more than one Content-Length header"),
    ] {
        assert_eq!(refused(name), (status, true, fault.to_owned()), "{name}");
    }
}

#[test]
fn invalid_responses_are_dropped() {
    assert!(!refused("scalarlg").1);
    let bytes = file("bigcode");
    assert_eq!(parse(&bytes).unwrap_err().fault(), Fault::StatusCode);
    assert!(!refused("bigcode").1);
}

#[test]
fn every_file_is_used() {
    let this = include_str!("rfc4475_torture_messages.rs");
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture")).unwrap();
    for path in files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some()) {
        let name = path.file_stem().unwrap().to_string_lossy();
        assert!(this.contains(&format!("\"{name}\"")), "{name}");
    }
}
