//! Requests (RFC 3261 §7.1).

use super::lines;
use crate::{Header, Method};

/// Writes a request: the request line, then headers in the order they are given, Content-Length and body at the end.
#[must_use = "the message ends with `body` or `finish`"]
pub struct RequestWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> RequestWriter<'o> {
    /// Appends the request line to `out`.
    pub fn new(method: Method<'_>, uri: impl AsRef<[u8]>, out: &'o mut Vec<u8>) -> Self {
        lines::one_line(out, method.as_bytes());
        out.push(b' ');
        lines::one_line(out, uri.as_ref());
        out.extend_from_slice(b" SIP/2.0\r\n");
        RequestWriter { out }
    }

    /// Appends a header. Line ends in the value become spaces; a name that is not a token, and Content-Length, are
    /// left out.
    pub fn header(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        lines::header(self.out, name, value.as_ref());
        self
    }

    /// Appends a header line of another message, whole. Content-Length is left out.
    pub fn copy(&mut self, line: &Header<'_>) -> &mut Self {
        lines::copy(self.out, line);
        self
    }

    /// Ends the message with a body.
    pub fn body(mut self, content_type: impl AsRef<[u8]>, body: &[u8]) {
        self.header("Content-Type", content_type);
        lines::finish(self.out, body);
    }

    /// Ends the message without a body.
    pub fn finish(self) {
        lines::finish(self.out, b"");
    }
}

#[cfg(test)]
mod tests {
    use super::RequestWriter;
    use crate::{Method, parse};

    #[test]
    fn what_is_written_can_be_read() {
        let mut out = Vec::new();
        let mut request = RequestWriter::new(Method::Message, "sip:bob@example.com", &mut out);
        request.header("Via", "SIP/2.0/UDP h;branch=z9hG4bKa").header("From", "<sip:a@h>;tag=1");
        request.header("To", "<sip:bob@example.com>").header("Call-ID", "c").header("CSeq", "1 MESSAGE");
        request.body("text/plain", "héllo".as_bytes());
        let message = parse(&out).unwrap();
        assert_eq!(message.method(), Method::Message);
        assert_eq!(message.body(), "héllo".as_bytes());
        assert!(message.content_type().unwrap().is("text", "plain"));
        assert!(out.ends_with("Content-Length: 6\r\n\r\nhéllo".as_bytes()));
    }
}
