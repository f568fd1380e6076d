//! Bad input that is no message of RFC 4475.

use chappe_sip_msg::{Fault, HeaderError, HeaderName, Limits, ResponseWriter, parse, parse_within};

const REST: &str = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
                    Call-ID: c\r\nCSeq: 1 MESSAGE\r\n";

fn request(more: &str) -> String {
    format!("MESSAGE sip:b@h SIP/2.0\r\n{REST}{more}")
}

#[track_caller]
fn fault(bytes: &[u8]) -> (Fault, bool) {
    let error = parse(bytes).expect_err("refused");
    (error.fault(), error.answerable().is_some())
}

#[test]
fn not_sip() {
    for text in [
        "x",
        "x\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "SIP/2.0\r\n\r\n",
        "SIP/2.0 \r\n\r\n",
        "MESSAGE SIP/2.0\r\n\r\n",
    ] {
        let (fault, answerable) = fault(text.as_bytes());
        assert!(matches!(fault, Fault::NotSip | Fault::StatusCode), "{text:?}: {fault:?}");
        assert!(!answerable);
    }
    assert_eq!(fault(&[0xff; 2000]), (Fault::NotSip, false));
}

#[test]
fn keep_alives_are_no_messages() {
    for text in ["", "\r\n", "\r\n\r\n", "\n"] {
        assert_eq!(fault(text.as_bytes()), (Fault::Empty, false), "{text:?}");
    }
}

#[test]
fn line_ends_before_the_message_and_bare_line_feeds() {
    let crlf = format!("\r\n\r\n{}", request("\r\nhi"));
    assert_eq!(parse(crlf.as_bytes()).unwrap().body(), b"hi");
    let lf = request("X: 1\r\n 2\r\n\r\nhi").replace("\r\n", "\n");
    let message = parse(lf.as_bytes()).unwrap();
    assert_eq!((message.body(), message.headers().last().unwrap().text().as_ref()), (&b"hi"[..], "1 2"));
    let mut out = Vec::new();
    ResponseWriter::to(&message, None, 200, "", "t", &mut out).finish();
    let answer = String::from_utf8(out).unwrap();
    assert_eq!(answer.matches('\n').count(), answer.matches("\r\n").count());
}

#[test]
fn broken_headers() {
    for (more, want) in [
        ("no colon\r\n\r\n", Fault::HeaderLine),
        (": no name\r\n\r\n", Fault::HeaderLine),
        ("na me: x\r\n\r\n", Fault::HeaderLine),
        ("X: a\rb\r\n\r\n", Fault::BareReturn),
        ("X: a\r\n", Fault::NoEnd),
        ("X: a", Fault::NoEnd),
        ("X: a\r", Fault::NoEnd),
        ("", Fault::NoEnd),
        ("Call-ID: d\r\n\r\n", Fault::Repeated(HeaderName::CallId)),
        ("f: <sip:x@h>;tag=2\r\n\r\n", Fault::Repeated(HeaderName::From)),
        ("l: 1\r\nContent-Length: 2\r\n\r\nab", Fault::Repeated(HeaderName::ContentLength)),
        ("l: 3\r\n\r\nab", Fault::Truncated { stated: 3, present: 2 }),
        (
            "l: 99999999999999999999999\r\n\r\n",
            Fault::Header(HeaderError::Malformed { header: HeaderName::ContentLength, what: "not a number" }),
        ),
        (
            "Max-Forwards: 256\r\n\r\n",
            Fault::Header(HeaderError::Malformed {
                header: HeaderName::MaxForwards,
                what: "not a number from 0 to 255",
            }),
        ),
    ] {
        assert_eq!(fault(request(more).as_bytes()), (want, true), "{more:?}");
    }
    assert_eq!(parse(request("l: 2\r\nl : 2\r\n\r\nab").as_bytes()).unwrap().body(), b"ab");
    assert_eq!(parse(request("l: 1\r\n\r\nab").as_bytes()).unwrap().body(), b"a");
}

#[test]
fn mandatory_headers() {
    for (line, name) in REST.split_inclusive("\r\n").zip(["Via", "From", "To", "Call-ID", "CSeq"]) {
        let without = request("\r\n").replace(line, "");
        let want = Fault::Header(HeaderError::Missing(HeaderName::of(name.as_bytes())));
        assert_eq!(fault(without.as_bytes()), (want, name != "Via"), "{name}");
    }
}

#[test]
fn an_ack_is_never_answered() {
    let ack = request("l: 9\r\n\r\n").replace("MESSAGE", "ACK");
    assert_eq!(fault(ack.as_bytes()), (Fault::Truncated { stated: 9, present: 0 }, false));
}

#[test]
fn limits() {
    let commas = request(&format!("Contact: {}\r\n\r\n", ",".repeat(60_000)));
    assert_eq!(fault(commas.as_bytes()), (Fault::LineTooLong(8192), true));
    let folds = request(&format!("Contact: a\r\n{}\r\n", " ,\r\n".repeat(15_000)));
    assert_eq!(fault(folds.as_bytes()), (Fault::LineTooLong(8192), true));
    let headers = request(&format!("{}\r\n", "X:\r\n".repeat(10_000)));
    assert_eq!(fault(headers.as_bytes()), (Fault::TooManyHeaders(128), true));
    assert_eq!(parse(headers.as_bytes()).unwrap_err().status(), 513);
    let wide = Limits { headers: 20_000, line: 65_535 };
    assert_eq!(parse_within(headers.as_bytes(), &wide).unwrap().headers().len(), 10_005);
    let message = parse_within(commas.as_bytes(), &wide).unwrap();
    assert_eq!(message.contacts().count(), 0);
}

#[test]
fn an_answer_copies_what_could_be_read() {
    let request =
        request("l: 50\r\n\r\nshort").replace("From: <sip:a@h>;tag=1\r\n", "f:\r\n <sip:a@h>\r\n ;tag=1\r\n");
    let error = parse(request.as_bytes()).unwrap_err();
    let mut out = Vec::new();
    let source = "192.0.2.7:5099".parse().ok();
    ResponseWriter::to(error.answerable().unwrap(), source, error.status(), "", "mine", &mut out).finish();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "SIP/2.0 400 Bad Request\r\n\
         Via: SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.7\r\n\
         f: <sip:a@h> ;tag=1\r\n\
         To: <sip:b@h>;tag=mine\r\n\
         Call-ID: c\r\n\
         CSeq: 1 MESSAGE\r\n\
         Content-Length: 0\r\n\r\n"
    );
}
