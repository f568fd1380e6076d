//! Cutting a stream into messages (RFC 3261 §18.3) and keep-alives (RFC 5626 §3.5.1).

use crate::parse::Head;
use crate::{Fault, HeaderError, HeaderName, Limits};

/// Bounds on what a [`Framer`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// Most bytes from the first line to the empty line; 65536 unless told.
    pub head: usize,
    /// Most bytes of a message; 262144 unless told.
    pub message: usize,
    /// Bounds on the header lines.
    pub lines: Limits,
}

impl Default for FrameLimits {
    fn default() -> Self {
        FrameLimits { head: 64 * 1024, message: 256 * 1024, lines: Limits::default() }
    }
}

/// What a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'f> {
    /// A message, for [`parse`](crate::parse).
    Message(&'f [u8]),
    /// A double CRLF, to be answered with a single one (RFC 5626 §3.5.1).
    Ping,
}

/// Why no further message can be found in a stream; it has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The header lines have no end within [`FrameLimits::head`].
    #[error("no end of the headers within {0} bytes")]
    HeadTooLong(usize),
    /// The message is longer than [`FrameLimits::message`].
    #[error("a message of {0} bytes")]
    MessageTooLong(usize),
    /// The header lines don't tell where the message ends.
    #[error(transparent)]
    Head(Fault),
}

impl FrameError {
    /// The status that the request deserves, if [`Framer::rest`] holds one.
    pub fn status(&self) -> u16 {
        match self {
            FrameError::HeadTooLong(_) | FrameError::MessageTooLong(_) => 513,
            FrameError::Head(fault) => fault.status(),
        }
    }
}

/// Collects the bytes of a stream and gives them out a frame at a time.
///
/// The caller takes all frames after each [`Framer::push`]; the buffer then never holds more than a message of
/// [`FrameLimits::message`] bytes and what was pushed last.
#[derive(Debug, Default)]
pub struct Framer {
    limits: FrameLimits,
    buffer: Vec<u8>,
    /// What lies before was given out.
    start: usize,
    /// The empty line is not before here.
    searched: usize,
    /// Where the message at `start` ends, once its head was read.
    end: Option<usize>,
}

/// An empty buffer larger than this is given back.
const KEPT: usize = 4096;

impl Framer {
    /// A framer with these limits.
    pub fn new(limits: FrameLimits) -> Self {
        Framer { limits, ..Framer::default() }
    }

    /// Adds what was read from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched = self.searched.saturating_sub(self.start);
            self.end = self.end.map(|end| end - self.start);
            self.start = 0;
        }
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT && bytes.len() <= KEPT {
            self.buffer = Vec::with_capacity(KEPT);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// What was pushed and not given out: after an error, the start of the message that caused it.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// The next frame; `None` when it is not all there yet. After an error every further call gives the same one.
    #[expect(clippy::should_implement_trait, reason = "the frames borrow the framer")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        if self.end.is_none() {
            if self.skip_line_ends() {
                return Ok(Some(Frame::Ping));
            }
            self.end = self.find_end()?;
        }
        let Some(end) = self.end.filter(|&end| end <= self.buffer.len()) else {
            self.give_back();
            return Ok(None);
        };
        let message = &self.buffer[self.start..end];
        (self.start, self.searched, self.end) = (end, end, None);
        Ok(Some(Frame::Message(message)))
    }

    /// A stream that is idle after a large message holds no room for another one.
    fn give_back(&mut self) {
        if self.start == self.buffer.len() && self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
            (self.start, self.searched) = (0, 0);
        }
    }

    /// RFC 3261 §7.5: line ends before a message are ignored, but for a double CRLF. Whether that was one. What may
    /// become one stays until it is decided.
    fn skip_line_ends(&mut self) -> bool {
        loop {
            match self.rest() {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.start += 4;
                    return true;
                }
                [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return false,
                [b'\r', b'\n', ..] => self.start += 2,
                [b'\n', ..] => self.start += 1,
                _ => return false,
            }
        }
    }

    fn find_end(&mut self) -> Result<Option<usize>, FrameError> {
        if self.rest().first().is_none_or(|&byte| byte == b'\r') {
            return self.lone_return();
        }
        let Some(head_end) = self.find_empty_line() else {
            let held = self.rest().len();
            return if held > self.limits.head {
                Err(FrameError::HeadTooLong(self.limits.head))
            } else {
                Ok(None)
            };
        };
        let head = head_end - self.start;
        if head > self.limits.head {
            return Err(FrameError::HeadTooLong(self.limits.head));
        }
        let length = head.saturating_add(self.content_length(head_end)?);
        if length > self.limits.message {
            return Err(FrameError::MessageTooLong(length));
        }
        Ok(Some(self.start + length))
    }

    /// What starts with CR here is the start of a line end or nothing that SIP knows.
    fn lone_return(&self) -> Result<Option<usize>, FrameError> {
        match self.rest() {
            [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => Ok(None),
            _ => Err(FrameError::Head(Fault::BareReturn)),
        }
    }

    /// Where the body starts, by the rule of the parser: after a line end that another follows.
    fn find_empty_line(&mut self) -> Option<usize> {
        let mut from = self.searched.max(self.start);
        while let Some(found) = memchr::memchr(b'\n', &self.buffer[from..]) {
            let next = from + found + 1;
            self.searched = next - 1;
            match self.buffer[next..] {
                [b'\n', ..] => return Some(next + 1),
                [b'\r', b'\n', ..] => return Some(next + 2),
                [] | [b'\r'] => return None,
                _ => from = next,
            }
        }
        self.searched = self.buffer.len();
        None
    }

    /// The parser reads the head, so that framer and parser agree on every message. A fault that leaves the length
    /// known is for [`parse`](crate::parse) to find again.
    fn content_length(&self, head_end: usize) -> Result<usize, FrameError> {
        let head =
            Head::of(&self.buffer[self.start..head_end], &self.limits.lines).map_err(FrameError::Head)?;
        match head.fault {
            Some(fault) if hides_length(&fault) => Err(FrameError::Head(fault)),
            _ => Ok(head.length.unwrap_or(0)),
        }
    }
}

fn hides_length(fault: &Fault) -> bool {
    match fault {
        Fault::Repeated(name) => *name == HeaderName::ContentLength,
        Fault::Header(HeaderError::Malformed { header, .. }) => *header == HeaderName::ContentLength,
        Fault::Version | Fault::RequestLine(_) => false,
        _ => true,
    }
}
