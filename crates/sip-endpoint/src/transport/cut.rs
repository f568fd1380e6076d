//! Cutting what comes by a connection into messages.

use bytes::Bytes;
use chappe_sip_msg::stream::{Frame, Framer};

/// What a connection's octets come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut<'c> {
    Message(&'c [u8]),
    /// A keep-alive, and what it is answered, as octets.
    Alive(Option<Bytes>),
    /// The peer has ended the conversation; these octets are the last to it.
    Goodbye(Bytes),
}

/// Why nothing more can be cut out of a connection's octets.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    pub why: String,
    /// What the request deserves whose beginning is the cutter's rest.
    pub status: Option<u16>,
    /// Octets that tell the peer.
    pub last: Option<Bytes>,
}

/// Collects octets and gives them out cut. The caller takes everything after each [`push`](Self::push).
pub trait Cutter: Send {
    fn push(&mut self, octets: &[u8]);

    /// `None`: nothing is whole yet.
    fn next(&mut self) -> Result<Option<Cut<'_>>, Broken>;

    /// What was not given out; after an error the message that caused it.
    fn rest(&self) -> &[u8];

    /// Octets of what is not whole yet.
    fn held(&self) -> usize;

    /// Whether a message has begun that is not whole yet.
    fn has_begun(&self) -> bool;
}

/// A plain stream, RFC 3261 §18.3.
#[derive(Default)]
pub struct Stream(Framer);

impl Cutter for Stream {
    fn push(&mut self, octets: &[u8]) {
        self.0.push(octets);
    }

    fn next(&mut self) -> Result<Option<Cut<'_>>, Broken> {
        match self.0.next() {
            Ok(None) => Ok(None),
            // RFC 5626 §3.5.1: a double CRLF is answered with a single one.
            Ok(Some(Frame::Ping)) => Ok(Some(Cut::Alive(Some(Bytes::from_static(b"\r\n"))))),
            Ok(Some(Frame::Message(octets))) => Ok(Some(Cut::Message(octets))),
            Err(error) => Err(Broken { why: error.to_string(), status: Some(error.status()), last: None }),
        }
    }

    fn rest(&self) -> &[u8] {
        self.0.rest()
    }

    fn held(&self) -> usize {
        self.0.rest().len()
    }

    fn has_begun(&self) -> bool {
        self.0.rest().iter().any(|octet| !matches!(octet, b'\r' | b'\n'))
    }
}
