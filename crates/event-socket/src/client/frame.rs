//! Frames as a client reads them.

use memchr::memmem;
use thiserror::Error;

/// A server that sends more than this in one frame is not believed.
const MAX_HEAD: usize = 64 * 1024;
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What the server sent is no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum FrameError {
    #[error("the server sent {MAX_HEAD} octets without an end")]
    HeadTooLong,
    #[error("the server announced more than {MAX_BODY} octets, or a length that is no number")]
    BadLength,
}

/// A reply, an event, a log line or a notice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Frame {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// What kind of frame it is, `api/response` for instance.
    pub fn content_type(&self) -> &str {
        self.header("Content-Type").unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The headers of a `text/event-plain` frame's event, decoded, and its body.
    pub fn plain_event(&self) -> (Vec<(String, String)>, String) {
        let text = self.text();
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let decoded = |(name, value): (String, String)| (name, chappe_event::url_decode(&value).into_owned());
        (parse_headers(head).into_iter().map(decoded).collect(), body.to_owned())
    }
}

/// Takes octets as they arrive and gives whole frames.
#[derive(Default)]
pub(super) struct FrameReader {
    pending: Vec<u8>,
    /// A frame whose body is still arriving, and that body's length.
    waiting: Option<(Frame, usize)>,
}

impl FrameReader {
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.pending.extend_from_slice(octets);
    }

    pub(super) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.waiting.is_none() {
            self.waiting = self.head()?;
        }
        match self.waiting.take() {
            Some((mut frame, length)) if self.pending.len() >= length => {
                frame.body = self.pending.drain(..length).collect();
                Ok(Some(frame))
            }
            waiting => {
                self.waiting = waiting;
                Ok(None)
            }
        }
    }

    fn head(&mut self) -> Result<Option<(Frame, usize)>, FrameError> {
        let blank = self.pending.iter().take_while(|&&octet| octet == b'\n').count();
        self.pending.drain(..blank);
        let Some(end) = memmem::find(&self.pending, b"\n\n") else {
            return if self.pending.len() > MAX_HEAD { Err(FrameError::HeadTooLong) } else { Ok(None) };
        };
        let headers = parse_headers(&String::from_utf8_lossy(&self.pending[..end]));
        self.pending.drain(..end + 2);
        let frame = Frame { headers, body: Vec::new() };
        let length = match frame.header("Content-Length") {
            Some(length) => length.parse().ok().filter(|&length| length <= MAX_BODY),
            None => Some(0),
        };
        Ok(Some((frame, length.ok_or(FrameError::BadLength)?)))
    }
}

fn parse_headers(text: &str) -> Vec<(String, String)> {
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim_start_matches(' ').to_owned()))
    };
    text.lines().filter_map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_cut_anywhere() {
        let text = "Content-Type: auth/request\n\nContent-Type: api/response\nContent-Length: 5\n\na\n\nb\n\
                    Content-Length: 7\nContent-Type: text/event-plain\n\na: %20\n";
        let mut reader = FrameReader::default();
        let mut frames = Vec::new();
        for octet in text.bytes() {
            reader.push(&[octet]);
            frames.extend(reader.next().expect("frames"));
        }
        let kinds: Vec<_> = frames.iter().map(Frame::content_type).collect();
        assert_eq!(kinds, ["auth/request", "api/response", "text/event-plain"]);
        assert_eq!(frames[1].body, b"a\n\nb\n");
        assert_eq!(frames[2].plain_event(), (vec![("a".to_owned(), " ".to_owned())], String::new()));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for text in ["Content-Length: x\n\n", "Content-Length: -1\n\n", "Content-Length: 99999999999\n\n"] {
            let mut reader = FrameReader::default();
            reader.push(text.as_bytes());
            assert_eq!(reader.next(), Err(FrameError::BadLength), "{text}");
        }
        let mut reader = FrameReader::default();
        reader.push(&vec![b'a'; MAX_HEAD + 1]);
        assert_eq!(reader.next(), Err(FrameError::HeadTooLong));
    }
}
