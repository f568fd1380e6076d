//! From bytes to a [`Message`]: the first line, the table of header lines, and the checks every element owes.

use smallvec::SmallVec;

use crate::lex::{TOKEN, find, find_below, is_lws, is_token, number, span, split_at_byte, trim_end};
use crate::message::{Field, Typed};
use crate::{Contact, Fault, HeaderError, HeaderName, Message, Method, ParseError, Start, Uri};

/// Bounds on what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most header lines of a message; 128 unless told.
    pub headers: usize,
    /// Most bytes of one header line with its continuations; 8192 unless told, never more than 65535.
    pub line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { headers: 128, line: 8192 }
    }
}

/// Whether a header may stand once only (RFC 3261 §7.3.1: those that are not lists).
fn stands_once(name: HeaderName) -> bool {
    use HeaderName::{CSeq, CallId, From, MaxForwards, To};
    matches!(name, From | To | CallId | CSeq | MaxForwards)
}

/// Reads the message in a datagram, within [`Limits::default`].
///
/// Octets after the body are cut off (RFC 3261 §18.3). A line may end with LF alone.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, ParseError<'_>> {
    parse_within(bytes, &Limits::default())
}

/// Reads the message in a datagram, within limits of the caller's.
pub fn parse_within<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Message<'a>, ParseError<'a>> {
    let Head { mut message, length, fault } = read_head(bytes, limits)?;
    message.typed = Typed::of(&message);
    let fault = fault.or_else(|| cut_body(&mut message, length).err()).or_else(|| check(&message).err());
    match fault {
        None => Ok(message),
        Some(fault) => Err(ParseError::new(fault, Some(message))),
    }
}

/// First line and header lines.
pub(crate) struct Head<'a> {
    pub(crate) message: Message<'a>,
    /// What Content-Length says.
    pub(crate) length: Option<usize>,
    /// A fault. Reading goes on after it where it can, so that the request can be answered. One that leaves the
    /// message's length unknown stands before others.
    pub(crate) fault: Option<Fault>,
}

/// Reads up to the empty line. Everything after it is in the message as its body.
pub(crate) fn read_head<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Head<'a>, ParseError<'a>> {
    let bytes = skip_line_ends(bytes);
    if bytes.is_empty() {
        return Err(ParseError::new(Fault::Empty, None));
    }
    let refuse = |fault| ParseError::new(fault, None);
    if u32::try_from(bytes.len()).is_err() {
        return Err(refuse(Fault::LineTooLong(limits.line)));
    }
    let line = next_line(bytes, 0).map_err(|_| refuse(Fault::NotSip))?;
    let (start, fault) = start_line(&bytes[..line.end]).map_err(refuse)?;
    let message = Message {
        bytes,
        start,
        fields: SmallVec::new(),
        first: [0; HeaderName::COUNT],
        typed: Typed::UNREAD,
        head_end: line.next,
        body_start: bytes.len(),
    };
    let mut head = Head { message, length: None, fault };
    if let Err(fault) = head.read_fields(line.next, limits) {
        head.fault = Some(fault);
    }
    Ok(head)
}

/// RFC 3261 §7.5: line ends before the first line are ignored.
fn skip_line_ends(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    &bytes[start..]
}

/// Where a line ends and where the next one starts.
struct Line {
    end: usize,
    next: usize,
}

fn next_line(bytes: &[u8], start: usize) -> Result<Line, Fault> {
    let end = line_end(bytes, start).ok_or(Fault::NoEnd)?;
    match bytes[end..] {
        [b'\n', ..] => Ok(Line { end, next: end + 1 }),
        [_, b'\n', ..] => Ok(Line { end, next: end + 2 }),
        [_] => Err(Fault::NoEnd),
        _ => Err(Fault::BareReturn),
    }
}

fn line_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += find_below(b'\r' + 1, &bytes[at..])?;
        if matches!(bytes[at], b'\r' | b'\n') {
            return Some(at);
        }
        at += 1;
    }
}

/// A first line that is not SIP's is an error; one that is, but has a fault, comes with it.
fn start_line(line: &[u8]) -> Result<(Start<'_>, Option<Fault>), Fault> {
    if let Some((version, rest)) = line.split_at_checked(8)
        && version[..4].eq_ignore_ascii_case(b"SIP/")
    {
        return status_line(version, rest).map(|start| (start, None));
    }
    request_line(line)
}

/// RFC 3261 §7.2. `version` has the space that follows it.
fn status_line<'a>(version: &[u8], rest: &'a [u8]) -> Result<Start<'a>, Fault> {
    let Some(version) = version.strip_suffix(b" ").filter(|version| is_version(version)) else {
        return Err(Fault::NotSip);
    };
    if &version[4..] != b"2.0" {
        return Err(Fault::Version);
    }
    // Deviation: the space before an empty reason phrase may be missing.
    let end = find(b' ', rest).unwrap_or(rest.len());
    let code = number(&rest[..end]).filter(|code| (100..700).contains(code)).ok_or(Fault::StatusCode)?;
    Ok(Start::Response { code, reason: rest.get(end + 1..).unwrap_or_default() })
}

/// RFC 3261 §7.1: method, Request-URI and version with one space between them.
fn request_line(line: &[u8]) -> Result<(Start<'_>, Option<Fault>), Fault> {
    let trimmed = trim_end(line);
    let method_end = find(b' ', trimmed).ok_or(Fault::NotSip)?;
    let version_start = trimmed.iter().rposition(|&byte| byte == b' ').map_or(trimmed.len(), |at| at + 1);
    let version = &trimmed[version_start..];
    if !is_version(version) || version_start <= method_end + 1 {
        return Err(Fault::NotSip);
    }
    let method = &trimmed[..method_end];
    let uri = &trimmed[method_end + 1..version_start - 1];
    let fault = if &version[4..] != b"2.0" {
        Some(Fault::Version)
    } else if !is_token(method) {
        Some(Fault::RequestLine("the method is not a token"))
    } else if trimmed.len() != line.len() {
        Some(Fault::RequestLine("white space after the version"))
    } else {
        request_uri_fault(uri)
    };
    Ok((Start::Request { method: Method::of(method), uri }, fault))
}

/// RFC 3261 §19.1.1, Table 1: a Request-URI has no headers.
fn request_uri_fault(uri: &[u8]) -> Option<Fault> {
    match Uri::parse(uri) {
        Err(_) => Some(Fault::RequestLine("the Request-URI")),
        Ok(uri) if !uri.headers.is_empty() => Some(Fault::RequestLine("headers in the Request-URI")),
        Ok(_) => None,
    }
}

/// `SIP/digits.digits`
fn is_version(text: &[u8]) -> bool {
    let Some((name, digits)) = split_at_byte(text, b'/') else { return false };
    let Some((major, minor)) = split_at_byte(digits, b'.') else { return false };
    name.eq_ignore_ascii_case(b"SIP")
        && [major, minor].iter().all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
}

impl Head<'_> {
    fn read_fields(&mut self, mut at: usize, limits: &Limits) -> Result<(), Fault> {
        let bytes = self.message.bytes;
        loop {
            self.message.head_end = at;
            let line = next_line(bytes, at)?;
            if line.end == at {
                self.message.body_start = line.next;
                return Ok(());
            }
            if is_white(bytes[at]) {
                self.continue_field(at, &line)?;
            } else {
                self.start_field(at, &line, limits)?;
            }
            self.check_length(&line, limits)?;
            at = line.next;
            if !bytes.get(at).copied().is_some_and(is_white) {
                self.note_field();
            }
        }
    }

    /// A field that is too long is none.
    fn check_length(&mut self, line: &Line, limits: &Limits) -> Result<(), Fault> {
        let start = self.message.fields.last().map_or(line.next, |field| field.start as usize);
        if line.next - start > limits.line.min(usize::from(u16::MAX)) {
            self.message.fields.pop();
            self.message.head_end = start;
            return Err(Fault::LineTooLong(limits.line));
        }
        Ok(())
    }

    fn start_field(&mut self, at: usize, line: &Line, limits: &Limits) -> Result<(), Fault> {
        let message = &mut self.message;
        if message.fields.len() >= limits.headers.min(usize::from(u16::MAX)) {
            return Err(Fault::TooManyHeaders(limits.headers));
        }
        let text = &message.bytes[at..line.end];
        let (name, colon) = name(text).ok_or(Fault::HeaderLine)?;
        let (value_start, value_end) = trimmed(text, colon + 1, text.len());
        message.fields.push(Field {
            start: u32::try_from(at).expect("the message's length was checked to fit"),
            value_start: offset(value_start),
            value_end: offset(value_end),
            name_length: offset(name.len()),
            name: HeaderName::of(name),
            whole: message.bytes[line.end] == b'\r',
        });
        Ok(())
    }

    /// RFC 3261 §7.3.1: a line that starts with white space continues the one before.
    fn continue_field(&mut self, at: usize, line: &Line) -> Result<(), Fault> {
        let field = self.message.fields.last_mut().ok_or(Fault::HeaderLine)?;
        field.whole = false;
        let text = &self.message.bytes[field.start as usize..line.end];
        let (start, end) = trimmed(text, at - field.start as usize, text.len());
        if start < end {
            if field.value_start == field.value_end {
                field.value_start = offset(start);
            }
            field.value_end = offset(end);
        }
        Ok(())
    }

    /// The last field is whole: what it is, and whether it may be there.
    fn note_field(&mut self) {
        let Some(field) = self.message.fields.last() else { return };
        let name = field.name;
        let first = &mut self.message.first[name as usize];
        if *first == 0 {
            *first = self.message.fields.len() as u16;
        } else if stands_once(name) {
            self.fault.get_or_insert(Fault::Repeated(name));
        }
        if name == HeaderName::ContentLength {
            self.note_length(number(self.message.value_of(field)));
        }
    }

    /// Two that differ would let two readers of a stream see different messages.
    fn note_length(&mut self, length: Option<usize>) {
        let header = HeaderName::ContentLength;
        let fault = match (length, self.length) {
            (None, _) => Fault::Header(HeaderError::Malformed { header, what: "not a number" }),
            (Some(length), Some(other)) if length != other => Fault::Repeated(header),
            _ => {
                self.length = length;
                return;
            }
        };
        self.fault = Some(fault);
    }
}

/// The name that a line starts with, and where its colon is.
fn name(line: &[u8]) -> Option<(&[u8], usize)> {
    let end = span::<TOKEN>(line);
    if end > 0 && line.get(end) == Some(&b':') {
        return Some((&line[..end], end));
    }
    // RFC 3261 §25.1 HCOLON: white space may stand before the colon.
    let colon = find(b':', line)?;
    let name = trim_end(&line[..colon]);
    is_token(name).then_some((name, colon))
}

fn trimmed(bytes: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    while start < end && is_white(bytes[start]) {
        start += 1;
    }
    while start < end && is_white(bytes[end - 1]) {
        end -= 1;
    }
    (start, end)
}

/// White space within a line.
fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// An offset within a header line. A line that is too long for it is refused as soon as it is read.
fn offset(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// RFC 3261 §18.3.
fn cut_body(message: &mut Message<'_>, length: Option<usize>) -> Result<(), Fault> {
    let present = message.bytes.len() - message.body_start;
    let Some(stated) = length else { return Ok(()) };
    if stated > present {
        return Err(Fault::Truncated { stated, present });
    }
    message.bytes = &message.bytes[..message.body_start + stated];
    Ok(())
}

/// RFC 3261 §8.1.1: what every message has, and a UAS must understand. A response is looked at less closely: what is
/// odd in it must not keep the transaction from ending.
fn check(message: &Message<'_>) -> Result<(), Fault> {
    message.via()?;
    let cseq = message.cseq()?;
    check_call_id(message.call_id())?;
    message.from()?;
    message.to()?;
    let Start::Request { method, .. } = message.start else { return Ok(()) };
    if cseq.method != method {
        return Err(Fault::MethodMismatch);
    }
    message.max_forwards()?;
    message.all(HeaderName::Contact).try_for_each(Contact::check_line)?;
    Ok(())
}

/// RFC 3261 §25.1: a word, or two with `@` between them. Only what would make two elements see two Call-IDs is refused.
fn check_call_id(call_id: &[u8]) -> Result<(), HeaderError> {
    match call_id {
        [] => Err(HeaderError::Missing(HeaderName::CallId)),
        id if find_below(b' ' + 1, id).is_some() && id.iter().copied().any(is_lws) => {
            Err(HeaderError::Malformed { header: HeaderName::CallId, what: "white space" })
        }
        _ => Ok(()),
    }
}
