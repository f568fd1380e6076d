//! The client's side of SIP over WebSocket (RFC 6455, RFC 7118), as little of it as a load needs.

/// What opens it. The key is the example of RFC 6455 §1.3.
pub const UPGRADE: &str = "GET /sip HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
/// What the answer begins with.
pub const UPGRADED: &[u8] = b"HTTP/1.1 101 ";

/// RFC 6455 §5.3 asks for one that nobody guesses; undoing it costs the server the same.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// RFC 6455 §5.2: the last frame of a text message.
const FINAL_TEXT: u8 = 0x81;

/// Appends a message as one masked frame.
pub fn frame(message: &[u8], out: &mut Vec<u8>) {
    out.push(FINAL_TEXT);
    match message.len() {
        short @ 0..126 => out.push(0x80 | short as u8),
        middle @ 126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(message);
    for four in out[start..].chunks_mut(4) {
        four.iter_mut().zip(MASK).for_each(|(octet, mask)| *octet ^= mask);
    }
}

/// Cuts what a server sends into messages.
#[derive(Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// What lies before was given out.
    start: usize,
}

impl Frames {
    /// Adds what was read.
    pub fn push(&mut self, octets: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(octets);
    }

    /// The next message, once it is whole. A server's frames are not masked, and ours does not cut messages into several;
    /// what is no message (a ping) is passed over, which RFC 6455 allows nobody but a load.
    pub fn next(&mut self) -> Option<&[u8]> {
        loop {
            let rest = &self.buffer[self.start..];
            let (head, length) = match (*rest.get(1)? & 0x7f, rest) {
                (126, [_, _, a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
                (127, [_, _, length @ ..]) => {
                    (10, usize::try_from(u64::from_be_bytes(*length.first_chunk()?)).ok()?)
                }
                (126, _) => return None,
                (short, _) => (2, usize::from(short)),
            };
            let (from, to) = (self.start + head, self.start.checked_add(head)?.checked_add(length)?);
            if to > self.buffer.len() {
                return None;
            }
            let is_message = matches!(rest[0] & 0x0f, 1 | 2);
            self.start = to;
            if is_message {
                return Some(&self.buffer[from..to]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 6455 §5.7.
        let mut out = Vec::new();
        frame(b"Hello", &mut out);
        assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn messages_of_any_length_cut_anywhere() {
        let lengths = [0usize, 125, 126, 65_535, 65_536];
        let mut text = vec![0x89, 0x01, b'p'];
        for length in lengths {
            text.push(0x82);
            match length {
                0..126 => text.push(length as u8),
                126..0x1_0000 => text.extend([&[126][..], &(length as u16).to_be_bytes()].concat()),
                _ => text.extend([&[127][..], &(length as u64).to_be_bytes()].concat()),
            }
            text.resize(text.len() + length, b'x');
        }
        for piece in [1, 7, 100_000, text.len()] {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for octets in text.chunks(piece) {
                frames.push(octets);
                while let Some(message) = frames.next() {
                    assert!(message.iter().all(|octet| *octet == b'x'));
                    found.push(message.len());
                }
            }
            assert_eq!(found, lengths, "{piece} at a time");
        }
    }
}
