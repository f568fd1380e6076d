//! The framer finds the same frames wherever the stream is cut into reads.

use chappe_sip_msg::parse;
use chappe_sip_msg::stream::{Frame, FrameError, FrameLimits, Framer};
use chappe_sip_msg::{Fault, HeaderName, Limits};

const HEAD: &str = "MESSAGE sip:b@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
                    To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n";

fn message(more: &str) -> String {
    format!("{HEAD}{more}")
}

fn drain(framer: &mut Framer, into: &mut Vec<String>) -> Result<(), FrameError> {
    while let Some(frame) = framer.next()? {
        into.push(match frame {
            Frame::Ping => "ping".to_owned(),
            Frame::Message(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        });
    }
    Ok(())
}

fn frames(reads: &[&[u8]], limits: FrameLimits) -> (Vec<String>, Result<(), FrameError>) {
    let mut framer = Framer::new(limits);
    let mut found = Vec::new();
    for read in reads {
        framer.push(read);
        if let Err(error) = drain(&mut framer, &mut found) {
            return (found, Err(error));
        }
    }
    (found, Ok(()))
}

/// Whole, byte by byte, and in two reads with every cut.
#[track_caller]
fn check(stream: &str, want: &[&str], end: Result<(), FrameError>) {
    let bytes = stream.as_bytes();
    let want = (want.iter().map(|frame| (*frame).to_owned()).collect::<Vec<_>>(), end);
    assert_eq!(frames(&[bytes], FrameLimits::default()), want);
    assert_eq!(frames(&bytes.chunks(1).collect::<Vec<_>>(), FrameLimits::default()), want);
    for cut in 0..bytes.len() {
        let (first, second) = bytes.split_at(cut);
        assert_eq!(frames(&[first, second], FrameLimits::default()), want, "cut at {cut}");
    }
}

#[test]
fn messages_and_keep_alives() {
    let (empty, body, none) =
        (message("l: 0\r\n\r\n"), message("Content-Length: 5\r\n\r\nhéllo"), message("\r\n"));
    let body = body.replace(": 5", ": 6");
    let stream = format!("\r\n\r\n{empty}\r\n{body}\r\n\r\n\r\n\r\n{body}{none}\r\n\r\n\r\n{empty}\r\n");
    check(&stream, &["ping", &empty, &body, "ping", "ping", &body, &none, "ping", &empty], Ok(()));
}

#[test]
fn space_before_the_colon_and_folding() {
    for length in [
        "Content-Length  : 4",
        "content-length\t:\r\n 4",
        "L:4",
        "l :  \r\n\t4  ",
        "l: 4\r\nContent-Length: 4",
    ] {
        let one = message(&format!("{length}\r\n\r\nA: b"));
        check(&format!("{one}{one}"), &[&one, &one], Ok(()));
    }
}

#[test]
fn line_feeds_alone() {
    let one = message("l: 4\r\n\r\nab\n\n").replace("\r\n", "\n");
    check(&format!("{one}\n\n{one}"), &[&one, &one], Ok(()));
}

#[test]
fn a_body_that_looks_like_a_head() {
    let inner = message("l: 0\r\n\r\n");
    let outer = message(&format!("Content-Length: {}\r\n\r\n{inner}", inner.len()));
    check(&format!("{outer}{inner}"), &[&outer, &inner], Ok(()));
}

#[test]
fn what_parse_refuses_is_still_cut() {
    let other_version = message("l: 2\r\n\r\nab").replacen("SIP/2.0\r\n", "SIP/3.0\r\n", 1);
    let good = message("l: 0\r\n\r\n");
    check(&format!("{other_version}{good}"), &[&other_version, &good], Ok(()));
    assert_eq!(parse(other_version.as_bytes()).unwrap_err().status(), 505);
}

#[test]
fn nothing_can_follow() {
    let good = message("l: 0\r\n\r\n");
    for (bad, fault) in [
        (message("l: 1\r\nl: 2\r\n\r\n"), Fault::Repeated(HeaderName::ContentLength)),
        (message("no colon\r\n\r\n"), Fault::HeaderLine),
        (message("X: a\rb\r\n\r\n"), Fault::BareReturn),
        ("garbage\r\n\r\n".to_owned(), Fault::NotSip),
        ("\rgarbage".to_owned(), Fault::BareReturn),
    ] {
        check(&format!("{good}{bad}{good}"), &[&good], Err(FrameError::Head(fault)));
    }
    let mut framer = Framer::default();
    framer.push(message("l: -1\r\n\r\n").as_bytes());
    assert_eq!(framer.next().unwrap_err().status(), 400);
    assert!(framer.next().is_err());
    assert!(parse(framer.rest()).unwrap_err().answerable().is_some());
}

#[test]
fn limits() {
    let limits = FrameLimits { head: 300, message: 400, lines: Limits::default() };
    let endless = format!("{HEAD}X: {}", "a".repeat(300));
    assert_eq!(frames(&[endless.as_bytes()], limits).1, Err(FrameError::HeadTooLong(300)));
    let one_byte_reads: Vec<_> = endless.as_bytes().chunks(1).collect();
    assert_eq!(frames(&one_byte_reads, limits).1, Err(FrameError::HeadTooLong(300)));
    let large = message("l: 300\r\n\r\n");
    assert!(matches!(frames(&[large.as_bytes()], limits).1, Err(FrameError::MessageTooLong(_))));
    let huge = message(&format!("l: {}\r\n\r\n", u64::MAX));
    assert!(frames(&[huge.as_bytes()], limits).1.is_err());
    let fits = message(&format!("l: 200\r\n\r\n{}", "b".repeat(200)));
    assert_eq!(frames(&[fits.as_bytes()], limits), (vec![fits.clone()], Ok(())));
}
