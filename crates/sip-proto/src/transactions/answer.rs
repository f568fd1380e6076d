//! Printing answers, and where they go.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use chappe_sip_msg::{Decimal, Message, ResponseWriter, Via};

use super::exchange::Response;
use crate::{Peer, Transport};

/// As much room is asked for at once as a good many answers take.
const BLOCK: usize = 16 * 1024;

/// The To tag of an answer.
pub(super) type Tag = [u8; 16];

/// A tag in hexadecimal.
pub(super) fn tag(number: u64) -> Tag {
    let mut text = [0; 16];
    for (place, digit) in text.iter_mut().zip((0..16).rev()) {
        *place = b"0123456789abcdef"[(number >> (4 * digit) & 15) as usize];
    }
    text
}

/// Prints answers one behind the other into blocks, which are used again once everything in them was sent.
#[derive(Debug)]
pub(super) struct Printer {
    block: BytesMut,
    scratch: Vec<u8>,
}

impl Printer {
    pub(super) fn new() -> Self {
        Self { block: BytesMut::new(), scratch: Vec::new() }
    }

    /// An answer from what [`keep`] kept of its request.
    pub(super) fn answer_kept(&mut self, kept: &[u8], response: &Response) -> Bytes {
        let body = response.body.as_ref().map_or(0, |(_, body)| body.len());
        let headers: usize = response.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        self.make_room(kept.len() + body + headers + response.reason.len() + 128);
        let out = &mut self.block;
        status_line(response.code, &response.reason, out);
        out.put_slice(kept);
        for (name, value) in &response.headers {
            header(name, value, out);
        }
        if let Some((content_type, _)) = &response.body {
            header("Content-Type", content_type, out);
        }
        content_length(body, out);
        if let Some((_, body)) = &response.body {
            out.put_slice(body);
        }
        self.block.split().freeze()
    }

    /// An answer straight from its request.
    pub(super) fn answer_request(
        &mut self,
        request: &Message<'_>,
        peer: Peer,
        response: &Response,
        tag: Tag,
    ) -> Bytes {
        let mut kept = std::mem::take(&mut self.scratch);
        keep(request, peer, tag, &mut kept);
        let bytes = self.answer_kept(&kept, response);
        self.scratch = kept;
        bytes
    }

    fn make_room(&mut self, length: usize) {
        if self.block.capacity() < length {
            self.block.reserve(length.max(BLOCK));
        }
    }
}

/// Keeps what every answer copies from its request, RFC 3261 §8.2.6.2: Via, From, To with a tag, Call-ID, CSeq.
pub(super) fn keep(request: &Message<'_>, peer: Peer, tag: Tag, out: &mut Vec<u8>) {
    out.clear();
    let tag = std::str::from_utf8(&tag).unwrap_or_default();
    ResponseWriter::copied(request, Some(peer.addr), tag, out);
}

/// Where the answer to a request goes, RFC 3261 §18.2.2 and RFC 3581 §4.
///
/// Deviation: `maddr` is not followed; whoever names one could have us send to any address.
pub(super) fn destination(via: &Via<'_>, source: Peer) -> Peer {
    if source.transport != Transport::Udp || via.rport.is_some() {
        return source;
    }
    let port = via.port.unwrap_or_else(|| source.transport.default_port());
    Peer { addr: SocketAddr::new(source.addr.ip(), port), ..source }
}

fn status_line(code: u16, reason: &str, out: &mut BytesMut) {
    out.put_slice(b"SIP/2.0 ");
    out.put_slice(Decimal::of(code.clamp(100, 699).into()).as_bytes());
    out.put_u8(b' ');
    one_line(reason, out);
    out.put_slice(b"\r\n");
}

fn header(name: &str, value: &str, out: &mut BytesMut) {
    one_line(name, out);
    out.put_slice(b": ");
    one_line(value, out);
    out.put_slice(b"\r\n");
}

/// Ends the headers.
fn content_length(length: usize, out: &mut BytesMut) {
    out.put_slice(b"Content-Length: ");
    out.put_slice(Decimal::of(length).as_bytes());
    out.put_slice(b"\r\n\r\n");
}

/// Without line ends, so that no value starts a header of its own.
fn one_line(text: &str, out: &mut BytesMut) {
    for piece in text.as_bytes().split(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        out.put_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"MESSAGE sip:b@h SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bKa\r\n\
        f: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n\
        Max-Forwards: 70\r\nContent-Length: 2\r\n\r\nhi";

    fn peer() -> Peer {
        Peer::udp(SocketAddr::from(([198, 51, 100, 7], 4321)))
    }

    fn printed(response: &Response) -> String {
        let request = chappe_sip_msg::parse(REQUEST).unwrap();
        let bytes = Printer::new().answer_request(&request, peer(), response, tag(0xbeef));
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn an_answer_copies_what_it_must_and_adds_its_own() {
        let response = Response::new(423).header("Min-Expires", "60").body("text/plain", "late");
        let text = printed(&response);
        assert!(
            text.starts_with("SIP/2.0 423 Interval Too Brief\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;"),
            "{text}"
        );
        for line in [
            "rport=4321",
            "received=198.51.100.7",
            "\r\nTo: <sip:b@h>;tag=000000000000beef\r\n",
            "\r\nf: <sip:a@h>;tag=f\r\n",
            "\r\nMin-Expires: 60\r\n",
            "\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nlate",
        ] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
        assert!(!text.contains("Max-Forwards"));
        chappe_sip_msg::parse(text.as_bytes()).unwrap();
    }

    #[test]
    fn no_value_starts_a_header() {
        let text =
            printed(&Response::new(200).reason("fine\r\nA: b").header("X\r\nY", "1\r\nRoute: c\r\n\r\n"));
        assert!(text.starts_with("SIP/2.0 200 fineA: b\r\n"), "{text}");
        assert!(text.contains("\r\nXY: 1Route: c\r\nContent-Length: 0\r\n\r\n"), "{text}");
    }

    #[test]
    fn answers_share_blocks() {
        let request = chappe_sip_msg::parse(REQUEST).unwrap();
        let mut printer = Printer::new();
        let mut places = std::collections::HashSet::new();
        for _ in 0..1000 {
            let bytes = printer.answer_request(&request, peer(), &Response::new(200), tag(1));
            places.insert(bytes.as_ptr() as usize / BLOCK);
        }
        assert!(places.len() <= 8, "{} blocks for answers that were dropped at once", places.len());
    }

    #[test]
    fn datagrams_go_where_rport_or_sent_by_says() {
        let via = |text: &'static str| Via::parse(text.as_bytes()).unwrap();
        let port = |text, peer| destination(&via(text), peer).addr.port();
        assert_eq!(port("SIP/2.0/UDP 192.0.2.1:5070;rport", peer()), 4321);
        assert_eq!(port("SIP/2.0/UDP 192.0.2.1:5070", peer()), 5070);
        assert_eq!(port("SIP/2.0/UDP 192.0.2.1;maddr=203.0.113.1", peer()), 5060);
        let address = destination(&via("SIP/2.0/UDP 192.0.2.1;maddr=203.0.113.1"), peer()).addr.ip();
        assert_eq!(address, peer().addr.ip());
        let stream = Peer { transport: Transport::Tcp, ..peer() };
        assert_eq!(port("SIP/2.0/TCP 192.0.2.1:5070", stream), 4321);
    }
}
