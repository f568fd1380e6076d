//! Responses to a request (RFC 3261 §8.2.6).

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::lines;
use crate::{Header, HeaderName, Message, Skim, Via, unfold};

/// Writes a response: status line and what is copied from the request, then headers in the order they are given,
/// Content-Length and body at the end.
#[must_use = "the message ends with `body` or `finish`"]
pub struct ResponseWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> ResponseWriter<'o> {
    /// Appends the status line, and Via, From, To, Call-ID and CSeq of `request` (RFC 3261 §8.2.6.2), to `out`.
    ///
    /// With `source`, where the request came from, the topmost Via gets `received` and `rport` (RFC 3261 §18.2.1,
    /// RFC 3581 §4). `to_tag` is added to a To without a tag, unless it is empty, as for a 100. An empty `reason` is
    /// replaced by the one of the RFCs.
    pub fn to(
        request: &Message<'_>,
        source: Option<SocketAddr>,
        code: u16,
        reason: &str,
        to_tag: &str,
        out: &'o mut Vec<u8>,
    ) -> Self {
        status_line(code, reason, out);
        Self::copied(request, source, to_tag, out);
        ResponseWriter { out }
    }

    /// Appends what [`ResponseWriter::to`] copies of `request`, for a status line that is not known yet.
    pub fn copied(request: &Message<'_>, source: Option<SocketAddr>, to_tag: &str, out: &mut Vec<u8>) {
        let mut top = true;
        for line in request.headers() {
            match line.name {
                HeaderName::Via if std::mem::take(&mut top) => top_via(request, &line, source, out),
                HeaderName::Via | HeaderName::From | HeaderName::CallId | HeaderName::CSeq => {
                    lines::copy(out, &line)
                }
                HeaderName::To => {
                    let has_tag = request.to().is_ok_and(|to| to.params.has("tag"));
                    to(&line, has_tag, to_tag, out);
                }
                _ => {}
            }
        }
    }

    /// The same for a request of which no more is known than is copied.
    pub fn skimmed(
        request: &Skim<'_>,
        source: Option<SocketAddr>,
        code: u16,
        reason: &str,
        to_tag: &str,
        out: &'o mut Vec<u8>,
    ) -> Self {
        status_line(code, reason, out);
        let mut top = true;
        for line in &request.lines {
            match line.name {
                HeaderName::Via if std::mem::take(&mut top) => match source {
                    Some(source) => marked_via(line, &request.via, source, out),
                    None => lines::copy(out, line),
                },
                HeaderName::To => to(line, request.has_to_tag, to_tag, out),
                _ => lines::copy(out, line),
            }
        }
        ResponseWriter { out }
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

fn status_line(code: u16, reason: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"SIP/2.0 ");
    lines::number(out, usize::from(code));
    out.push(b' ');
    lines::one_line(out, if reason.is_empty() { crate::reason(code) } else { reason }.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn to(line: &Header<'_>, has_tag: bool, tag: &str, out: &mut Vec<u8>) {
    lines::copy(out, line);
    if !has_tag && !tag.is_empty() {
        let end = out.len() - 2;
        out.truncate(end);
        out.extend_from_slice(b";tag=");
        lines::one_line(out, tag.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

fn top_via(request: &Message<'_>, line: &Header<'_>, source: Option<SocketAddr>, out: &mut Vec<u8>) {
    match (source, request.via()) {
        (Some(source), Ok(via)) => marked_via(line, &via, source, out),
        _ => lines::copy(out, line),
    }
}

/// `via` is the first value of the line.
fn marked_via(line: &Header<'_>, via: &Via<'_>, source: SocketAddr, out: &mut Vec<u8>) {
    let source = SocketAddr::new(source.ip().to_canonical(), source.port());
    if via.rport.is_none() && via.received.is_none() && via.ip() == Some(source.ip()) {
        return lines::copy(out, line);
    }
    out.extend_from_slice(b"Via: ");
    mark_source(via, source, out);
    let rest = &line.value[offset_within(line.value, via.text()) + via.text().len()..];
    out.extend_from_slice(&unfold(rest));
    out.extend_from_slice(b"\r\n");
}

/// RFC 3581 §4: `rport` gets the port the request came from, `received` the address, even if sent-by says the same.
/// A `received` that the sender wrote is replaced.
fn mark_source(via: &Via<'_>, source: SocketAddr, out: &mut Vec<u8>) {
    let sent_by = via.text().len() - via.params.text().len();
    out.extend_from_slice(&unfold(via.text()[..sent_by].trim_ascii_end()));
    for param in via.params.iter() {
        if param.name.eq_ignore_ascii_case(b"received") {
            continue;
        }
        out.push(b';');
        out.extend_from_slice(param.name);
        if param.name.eq_ignore_ascii_case(b"rport") {
            out.push(b'=');
            lines::number(out, usize::from(source.port()));
        } else if let Some(value) = param.value {
            out.push(b'=');
            out.extend_from_slice(&unfold(value));
        }
    }
    out.extend_from_slice(b";received=");
    address(source.ip(), out);
}

fn address(ip: IpAddr, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(ip) => {
            for (place, octet) in ip.octets().into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                lines::number(out, usize::from(octet));
            }
        }
        IpAddr::V6(ip) => write!(out, "{ip}").expect("writing to a Vec cannot fail"),
    }
}

/// Where `part` starts in `whole`, which it is a part of.
fn offset_within(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}
