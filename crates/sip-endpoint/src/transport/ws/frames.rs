//! Frames, RFC 6455 §5, and what SIP makes of them, RFC 7118 §5: one SIP message a WebSocket message.

use bytes::Bytes;

use crate::transport::cut::{Broken, Cut, Cutter};

/// Most octets of a message; the same as on a plain stream.
const MESSAGE: usize = 256 * 1024;
/// Most octets of a control frame, RFC 6455 §5.5.
const CONTROL: usize = 125;
/// An empty buffer larger than this is given back.
const KEPT: usize = 4096;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;
const MASK: u8 = 0x80;

/// Status codes of a close frame, RFC 6455 §7.4.1.
const NORMAL: u16 = 1000;
const PROTOCOL: u16 = 1002;
const NOT_TEXT: u16 = 1007;
const TOO_BIG: u16 = 1009;

/// Collects a client's octets and gives out the messages in them.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// What lies before was given out.
    start: usize,
    /// The opcode of a message that comes in fragments, and those that have come.
    fragments: Option<u8>,
    message: Vec<u8>,
    /// The message was given out.
    given: bool,
}

/// A frame's head.
#[derive(Clone, Copy)]
struct Head {
    opcode: u8,
    fin: bool,
    mask: [u8; 4],
    /// Of the head itself.
    size: usize,
    payload: usize,
}

/// A message in a frame of its own: text where it is UTF-8, RFC 7118 §5.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let opcode = if std::str::from_utf8(message).is_ok() { TEXT } else { BINARY };
    framed(opcode, message)
}

fn framed(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 10);
    out.push(FIN | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(length as u8),
        length @ 126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
    out
}

fn close(code: u16) -> Bytes {
    framed(CLOSE, &code.to_be_bytes()).into()
}

fn broken(code: u16, why: &str) -> Broken {
    Broken { why: why.to_owned(), status: None, last: Some(close(code)) }
}

impl Head {
    /// `None`: it is not all there.
    fn read(octets: &[u8]) -> Result<Option<Self>, Broken> {
        let [first, second, rest @ ..] = octets else { return Ok(None) };
        let opcode = first & 0x0f;
        // No extension was agreed on, permessage-deflate among them.
        if first & 0x70 != 0 {
            return Err(broken(PROTOCOL, "reserved bits are set"));
        }
        if second & MASK == 0 {
            return Err(broken(PROTOCOL, "a frame is not masked"));
        }
        let (long, payload) = match (second & !MASK, rest) {
            (126, [a, b, ..]) => (2, usize::from(u16::from_be_bytes([*a, *b]))),
            (127, [a, b, c, d, e, f, g, h, ..]) => {
                let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
                (8, usize::try_from(length).unwrap_or(usize::MAX))
            }
            (126 | 127, _) => return Ok(None),
            (short, _) => (0, usize::from(short)),
        };
        let head = Self { opcode, fin: first & FIN != 0, mask: [0; 4], size: 6 + long, payload };
        head.check()?;
        let mask = rest.get(long..long + 4).and_then(|mask| mask.try_into().ok());
        Ok(mask.map(|mask| Self { mask, ..head }))
    }

    fn check(&self) -> Result<(), Broken> {
        let is_control = self.opcode >= CLOSE;
        match self.opcode {
            CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG => {}
            _ => return Err(broken(PROTOCOL, "an unknown opcode")),
        }
        if is_control && (!self.fin || self.payload > CONTROL) {
            return Err(broken(PROTOCOL, "a control frame in fragments, or too long"));
        }
        if self.payload > MESSAGE {
            return Err(broken(TOO_BIG, "a frame is too long"));
        }
        Ok(())
    }
}

impl Frames {
    /// A whole frame out of the buffer, its payload unmasked into `message` or returned.
    fn frame(&mut self) -> Result<Option<(Head, std::ops::Range<usize>)>, Broken> {
        let Some(head) = Head::read(&self.buffer[self.start..])? else { return Ok(None) };
        let payload = self.start + head.size;
        let end = payload + head.payload;
        if self.buffer.len() < end {
            return Ok(None);
        }
        for (octet, mask) in self.buffer[payload..end].iter_mut().zip(head.mask.iter().cycle()) {
            *octet ^= mask;
        }
        self.start = end;
        Ok(Some((head, payload..end)))
    }

    /// Adds a data frame to the message; whether that is whole now.
    fn add(&mut self, head: Head, payload: std::ops::Range<usize>) -> Result<bool, Broken> {
        match (self.fragments, head.opcode) {
            (None, CONTINUATION) => return Err(broken(PROTOCOL, "a continuation of nothing")),
            (Some(_), TEXT | BINARY) => return Err(broken(PROTOCOL, "a message within a message")),
            (None, opcode) => self.fragments = Some(opcode),
            (Some(_), _) => {}
        }
        if self.message.len() + payload.len() > MESSAGE {
            return Err(broken(TOO_BIG, "a message is too long"));
        }
        self.message.extend_from_slice(&self.buffer[payload]);
        if !head.fin {
            return Ok(false);
        }
        if self.fragments.take() == Some(TEXT) && std::str::from_utf8(&self.message).is_err() {
            return Err(broken(NOT_TEXT, "a text that is not UTF-8"));
        }
        Ok(true)
    }

    /// Forgets the message that was given out, and the room that it took.
    fn tidy(&mut self) {
        if std::mem::take(&mut self.given) {
            self.message.clear();
            if self.message.capacity() > KEPT {
                self.message = Vec::new();
            }
        }
        if self.start > 0 && self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            if self.buffer.capacity() > KEPT {
                self.buffer = Vec::new();
            }
        }
    }
}

impl Cutter for Frames {
    fn push(&mut self, octets: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(octets);
    }

    fn next(&mut self) -> Result<Option<Cut<'_>>, Broken> {
        loop {
            self.tidy();
            let Some((head, payload)) = self.frame()? else { return Ok(None) };
            match head.opcode {
                CLOSE => return Ok(Some(Cut::Goodbye(farewell(&self.buffer[payload])))),
                PING => {
                    return Ok(Some(Cut::Alive(Some(framed(PONG, &self.buffer[payload]).into()))));
                }
                PONG => return Ok(Some(Cut::Alive(None))),
                _ => {}
            }
            if !self.add(head, payload)? {
                continue;
            }
            self.given = true;
            return Ok(Some(match &self.message[..] {
                // RFC 5626 §3.5.1, as clients of plain streams do it.
                b"\r\n\r\n" => Cut::Alive(Some(frame(b"\r\n").into())),
                b"" | b"\r\n" => Cut::Alive(None),
                message => Cut::Message(message),
            }));
        }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn held(&self) -> usize {
        self.rest().len() + if self.given { 0 } else { self.message.len() }
    }

    fn has_begun(&self) -> bool {
        !self.rest().is_empty() || self.fragments.is_some()
    }
}

/// The answer to a close frame: its own code, RFC 6455 §5.5.1.
fn farewell(payload: &[u8]) -> Bytes {
    match payload {
        [] => close(NORMAL),
        [a, b, text @ ..] if std::str::from_utf8(text).is_ok() => match u16::from_be_bytes([*a, *b]) {
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => close(code),
            _ => close(PROTOCOL),
        },
        _ => close(PROTOCOL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let mut out = framed(0, payload);
        let head = out.len() - payload.len();
        out[0] = first;
        out[1] |= MASK;
        let hidden: Vec<u8> =
            payload.iter().zip(mask.iter().cycle()).map(|(octet, mask)| octet ^ mask).collect();
        out.truncate(head);
        out.extend_from_slice(&mask);
        out.extend_from_slice(&hidden);
        out
    }

    /// What comes of octets, a line each, in pieces of this size.
    fn told(octets: &[u8], piece: usize) -> Vec<String> {
        let (mut frames, mut told) = (Frames::default(), Vec::new());
        for piece in octets.chunks(piece) {
            frames.push(piece);
            loop {
                match frames.next() {
                    Ok(None) => break,
                    Ok(Some(Cut::Message(message))) => {
                        told.push(format!("message {}", message.escape_ascii()))
                    }
                    Ok(Some(Cut::Alive(answer))) => {
                        let answer = answer.map(|answer| answer.escape_ascii().to_string());
                        told.push(format!("alive {}", answer.unwrap_or_default()));
                    }
                    Ok(Some(Cut::Goodbye(last))) => told.push(format!("goodbye {}", last.escape_ascii())),
                    Err(broken) => {
                        let code = broken.last.map(|last| u16::from_be_bytes([last[2], last[3]]));
                        told.push(format!("broken {}", code.unwrap_or_default()));
                        return told;
                    }
                }
            }
        }
        told
    }

    fn check(octets: &[u8], expected: &[&str]) {
        for piece in [1, 2, 7, 4096] {
            assert_eq!(told(octets, piece), expected, "{} in {piece}", octets.escape_ascii());
        }
    }

    #[test]
    fn messages_and_keep_alives() {
        check(&masked(FIN | TEXT, b"hello"), &["message hello"]);
        check(&masked(FIN | BINARY, b"\xff"), &["message \\xff"]);
        let fragments =
            [masked(TEXT, b"hel"), masked(FIN | PING, b"p"), masked(CONTINUATION, b"l"), masked(FIN, b"o")];
        check(&fragments.concat(), &["alive \\x8a\\x01p", "message hello"]);
        let two = [masked(FIN | TEXT, b"one"), masked(FIN | TEXT, b"two")];
        check(&two.concat(), &["message one", "message two"]);
        check(&masked(FIN | TEXT, b"\r\n\r\n"), &["alive \\x81\\x02\\r\\n"]);
        check(&masked(FIN | PONG, b""), &["alive "]);
        check(&masked(FIN | TEXT, &[b'x'; 300]), &[&format!("message {}", "x".repeat(300))]);
        check(&masked(FIN | CLOSE, b"\x03\xe9bye"), &["goodbye \\x88\\x02\\x03\\xe9"]);
        check(&masked(FIN | CLOSE, b""), &["goodbye \\x88\\x02\\x03\\xe8"]);
        check(&masked(FIN | CLOSE, b"\x03\xed"), &["goodbye \\x88\\x02\\x03\\xea"]);
    }

    #[test]
    fn what_breaks_the_rules_ends_the_connection() {
        check(&framed(TEXT, b"not masked"), &["broken 1002"]);
        check(&masked(FIN | TEXT | 0x40, b"deflated"), &["broken 1002"]);
        check(&masked(FIN | 3, b""), &["broken 1002"]);
        check(&masked(PING, b""), &["broken 1002"]);
        check(&masked(FIN | PING, &[0; 126]), &["broken 1002"]);
        check(&masked(FIN, b"of nothing"), &["broken 1002"]);
        check(&[masked(TEXT, b"a"), masked(FIN | TEXT, b"b")].concat(), &["broken 1002"]);
        check(&masked(FIN | TEXT, b"\xff\xfe"), &["broken 1007"]);
        check(&[FIN | TEXT, MASK | 127, 0, 0, 0, 0, 0, 4, 0, 1], &["broken 1009"]);
        check(&[FIN | TEXT, MASK | 127, 255, 255, 255, 255, 255, 255, 255, 255], &["broken 1009"]);
        let mut large = masked(TEXT, &vec![b'x'; MESSAGE]);
        large.extend(masked(FIN, b"x"));
        assert_eq!(told(&large, 8192), ["broken 1009"]);
    }

    #[test]
    fn octets_of_any_kind_come_to_the_same_in_any_pieces() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for _ in 0..2000 {
            let mut octets = Vec::new();
            for _ in 0..random(6) {
                let first = [0x81, 0x01, 0x80, 0x00, 0x89, 0x8a, 0x88, 0x82, 0x83, 0xc1][random(10) as usize];
                let payload: Vec<u8> = (0..random(140)).map(|_| (random(128)) as u8).collect();
                octets.extend(masked(first, &payload));
            }
            if random(3) == 0 && !octets.is_empty() {
                let at = random(octets.len() as u64) as usize;
                octets[at] ^= 1 << random(8);
            }
            let whole = told(&octets, 1 << 20);
            for piece in [1, 3, 100] {
                assert_eq!(told(&octets, piece), whole, "{}", octets.escape_ascii());
            }
        }
    }

    #[test]
    fn an_idle_connection_holds_nothing() {
        let mut frames = Frames::default();
        frames.push(&masked(FIN | TEXT, &vec![b'x'; MESSAGE]));
        assert!(matches!(frames.next(), Ok(Some(Cut::Message(_)))));
        assert!(matches!(frames.next(), Ok(None)));
        assert_eq!((frames.held(), frames.has_begun()), (0, false));
        assert!(frames.buffer.capacity() + frames.message.capacity() <= KEPT);
    }
}
