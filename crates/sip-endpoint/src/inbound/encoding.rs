//! Content-Encoding: bodies arrive in the chatplan, in events and at the recipient as the sender wrote them.
//!
//! liblinphone deflates its notifications and is-composing messages, and doesn't send them again otherwise when they are
//! refused. Who receives them need not know the encoding, so it ends here.

use bytes::Bytes;
use chappe_sip_msg::{HeaderName, Message};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::Refusal;
use super::refuse::{BODY, answer, with, with_reason};

/// What Accept-Encoding says.
const ACCEPTED: &str = "deflate, identity";

enum Encoding {
    Identity,
    Deflate,
}

/// RFC 3261 §8.2.3: 415 with what is understood.
pub fn check(message: &Message<'_>) -> Result<(), Refusal> {
    encoding(message).map(drop)
}

/// The body of a message that has an encoding, without it; one that would be longer than any body may be is refused
/// before it is.
pub fn decoded(message: &Message<'_>) -> Result<Option<Bytes>, Refusal> {
    match encoding(message)? {
        Encoding::Identity => Ok(None),
        // RFC 9110 §8.4.1.2: "deflate" is zlib's format.
        Encoding::Deflate => match decompress_to_vec_zlib_with_limit(message.body(), BODY) {
            Ok(body) => Ok(Some(Bytes::from(body))),
            Err(error) if error.status == TINFLStatus::HasMoreOutput => Err(answer(413).into()),
            Err(_) => Err(with_reason(400, "Body is not deflated").into()),
        },
    }
}

fn encoding(message: &Message<'_>) -> Result<Encoding, Refusal> {
    let mut encodings =
        message.values(HeaderName::ContentEncoding).filter(|name| !name.eq_ignore_ascii_case(b"identity"));
    match (encodings.next(), encodings.next()) {
        (None, _) => Ok(Encoding::Identity),
        (Some(name), None) if name.eq_ignore_ascii_case(b"deflate") => Ok(Encoding::Deflate),
        _ => Err(with(with(answer(415), "Accept", "*/*"), "Accept-Encoding", ACCEPTED).into()),
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::*;

    fn decode(headers: &str, body: &[u8]) -> String {
        let head = format!(
            "MESSAGE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 MESSAGE\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let bytes = [head.as_bytes(), body].concat();
        match decoded(&chappe_sip_msg::parse(&bytes).unwrap()) {
            Ok(None) => "as it is".into(),
            Ok(Some(body)) if body.len() > 100 => format!("{} octets", body.len()),
            Ok(Some(body)) => String::from_utf8_lossy(&body).into_owned(),
            Err(refusal) => refusal.code.to_string(),
        }
    }

    #[test]
    fn a_deflated_body_is_inflated_up_to_the_limit() {
        let hello = compress_to_vec_zlib(b"hello", 6);
        let (long, too_long) = (vec![0; BODY], vec![0; BODY + 1]);
        let cases = [
            ("", &b"hello"[..], "as it is"),
            ("Content-Encoding: identity\r\n", b"hello", "as it is"),
            ("Content-Encoding: deflate\r\n", &hello, "hello"),
            ("e: Deflate\r\n", &hello, "hello"),
            ("Content-Encoding: deflate\r\n", b"hello", "400"),
            ("Content-Encoding: deflate\r\n", &hello[..6], "400"),
            ("Content-Encoding: deflate\r\n", b"", "400"),
            ("Content-Encoding: deflate\r\n", &compress_to_vec_zlib(&long, 6), "131072 octets"),
            ("Content-Encoding: deflate\r\n", &compress_to_vec_zlib(&too_long, 6), "413"),
            ("Content-Encoding: gzip\r\n", &hello, "415"),
            ("Content-Encoding: deflate, deflate\r\n", &hello, "415"),
        ];
        for (headers, body, expected) in cases {
            assert_eq!(decode(headers, body), expected, "{headers} {body:?}");
        }
    }
}
