//! A parsed message: the datagram and a table of where its header lines stand.

use std::fmt;

use smallvec::SmallVec;

use crate::lex::{number, seconds};
use crate::{
    CSeq, Contacts, Header, HeaderError, HeaderName, MediaType, Method, NameAddr, Uri, UriError, Values, Via,
};

/// Where one header line stands, which is less than 65536 bytes long. It ends where the next one starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) start: u32,
    /// From `start`, as `value_end` is.
    pub(crate) value_start: u16,
    pub(crate) value_end: u16,
    pub(crate) name_length: u16,
    pub(crate) name: HeaderName,
    /// Whether it is on one line, which ends with CRLF.
    pub(crate) whole: bool,
}

/// The first line of each name, counted from one; zero is none.
pub(crate) type FirstLines = [u16; HeaderName::COUNT];

/// What every reader of a message asks for, read once.
#[derive(Clone, Debug)]
pub(crate) struct Typed<'a> {
    via: Result<Via<'a>, HeaderError>,
    from: Result<NameAddr<'a>, HeaderError>,
    to: Result<NameAddr<'a>, HeaderError>,
    cseq: Result<CSeq<'a>, HeaderError>,
}

impl<'a> Typed<'a> {
    /// Of a message whose header lines are not read yet.
    pub(crate) const UNREAD: Self = Typed {
        via: Err(HeaderError::Missing(HeaderName::Via)),
        from: Err(HeaderError::Missing(HeaderName::From)),
        to: Err(HeaderError::Missing(HeaderName::To)),
        cseq: Err(HeaderError::Missing(HeaderName::CSeq)),
    };

    pub(crate) fn of(message: &Message<'a>) -> Self {
        let need = |name| message.first(name).ok_or(HeaderError::Missing(name));
        Typed {
            via: need(HeaderName::Via).and_then(Via::top),
            from: need(HeaderName::From).and_then(|value| NameAddr::parse(HeaderName::From, value)),
            to: need(HeaderName::To).and_then(|value| NameAddr::parse(HeaderName::To, value)),
            cseq: need(HeaderName::CSeq).and_then(CSeq::parse),
        }
    }
}

/// The first line of a message (RFC 3261 §7.1, §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request line.
    Request {
        /// What is asked for.
        method: Method<'a>,
        /// The Request-URI, as it was written.
        uri: &'a [u8],
    },
    /// A status line.
    Response {
        /// 100 to 699.
        code: u16,
        /// The reason phrase, possibly empty.
        reason: &'a [u8],
    },
}

/// A SIP message that borrows the bytes it came in.
#[derive(Clone)]
pub struct Message<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) start: Start<'a>,
    pub(crate) fields: SmallVec<[Field; 24]>,
    pub(crate) first: FirstLines,
    pub(crate) typed: Typed<'a>,
    /// Where the header lines end: at the empty line.
    pub(crate) head_end: usize,
    pub(crate) body_start: usize,
}

impl<'a> Message<'a> {
    /// The message from its first line to the end of its body.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The first line.
    pub fn start(&self) -> Start<'a> {
        self.start
    }

    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The request's method; of a response the one in its CSeq, or an empty one if that is malformed.
    pub fn method(&self) -> Method<'a> {
        match self.start {
            Start::Request { method, .. } => method,
            Start::Response { .. } => self.cseq().map_or(Method::Other(b""), |cseq| cseq.method),
        }
    }

    /// The status code of a response.
    pub fn code(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { code, .. } => Some(code),
        }
    }

    /// The Request-URI as it was written; empty for a response.
    pub fn uri_text(&self) -> &'a [u8] {
        match self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => b"",
        }
    }

    /// The Request-URI.
    pub fn uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.uri_text())
    }

    /// The header lines in the order they came.
    pub fn headers(&self) -> Headers<'_, 'a> {
        Headers { message: self, next: 0 }
    }

    /// The header lines from the first of that name on.
    pub(crate) fn headers_from(&self, name: HeaderName) -> Headers<'_, 'a> {
        Headers { message: self, next: self.first_at(name).unwrap_or(self.fields.len()) }
    }

    /// The first line of that name.
    #[inline]
    pub fn header(&self, name: HeaderName) -> Option<Header<'a>> {
        self.first_at(name).map(|at| self.header_at(at))
    }

    /// The value of the first line of that name.
    #[inline]
    pub fn first(&self, name: HeaderName) -> Option<&'a [u8]> {
        self.first_at(name).map(|at| self.value_of(&self.fields[at]))
    }

    /// The values of all lines of that name, a line's value whole.
    pub fn all(&self, name: HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'_, 'a> {
        self.fields_of(name).map(|field| self.value_of(field))
    }

    /// The values of all lines of that name, split at commas. Not for credentials and challenges, whose commas
    /// separate parameters.
    pub fn values(&self, name: HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'_, 'a> {
        self.all(name).flat_map(Values::of)
    }

    /// The values of all lines whose name is written like this, in any case.
    pub fn named<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'_, 'a, 'n> {
        let written_so = |field: &&Field| self.name_of(field).eq_ignore_ascii_case(name.as_bytes());
        self.fields_of(HeaderName::of(name.as_bytes())).filter(written_so).map(|field| self.value_of(field))
    }

    pub(crate) fn fields_of(&self, name: HeaderName) -> impl Iterator<Item = &Field> + use<'_, 'a> {
        let lines = self.first_at(name).map_or(&[][..], |at| &self.fields[at..]);
        lines.iter().filter(move |field| field.name == name)
    }

    /// The body: as many bytes as Content-Length says; without one, what follows the headers.
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[self.body_start..]
    }

    /// How long the body is, in bytes.
    pub fn content_length(&self) -> usize {
        self.body().len()
    }

    /// Call-ID, empty if there is none.
    pub fn call_id(&self) -> &'a [u8] {
        self.first(HeaderName::CallId).unwrap_or_default()
    }

    /// CSeq.
    #[inline]
    pub fn cseq(&self) -> Result<CSeq<'a>, HeaderError> {
        self.typed.cseq
    }

    /// The topmost Via.
    #[inline]
    pub fn via(&self) -> Result<Via<'a>, HeaderError> {
        self.typed.via
    }

    /// Every Via, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'a>, HeaderError>> + use<'_, 'a> {
        self.values(HeaderName::Via).map(Via::parse)
    }

    /// From.
    #[inline]
    pub fn from(&self) -> Result<NameAddr<'a>, HeaderError> {
        self.typed.from
    }

    /// To.
    #[inline]
    pub fn to(&self) -> Result<NameAddr<'a>, HeaderError> {
        self.typed.to
    }

    /// The Contact values.
    pub fn contacts(&self) -> Contacts<'_, 'a> {
        Contacts::of(self)
    }

    /// Max-Forwards, 0 to 255 (RFC 3261 §20.22). A request without one is taken as RFC 2543's.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let header = HeaderName::MaxForwards;
        let malformed = HeaderError::Malformed { header, what: "not a number from 0 to 255" };
        self.first(header).map(|value| number(value).ok_or(malformed)).transpose()
    }

    /// Expires in seconds; more than 2^32-1 counts as that (RFC 3261 §20.19).
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        let header = HeaderName::Expires;
        let malformed = HeaderError::Malformed { header, what: "not a number of seconds" };
        self.first(header).map(|value| seconds(value).ok_or(malformed)).transpose()
    }

    /// Content-Type, if there is one and it is a media type.
    pub fn content_type(&self) -> Option<MediaType<'a>> {
        self.first(HeaderName::ContentType).and_then(MediaType::parse)
    }

    /// RFC 3261 §17.1.1.3: an ACK is never answered. Without Via nobody would know the response.
    pub(crate) fn can_be_answered(&self) -> bool {
        let Start::Request { method, .. } = self.start else { return false };
        self.first_at(HeaderName::Via).is_some() && method != Method::Ack
    }

    fn first_at(&self, name: HeaderName) -> Option<usize> {
        usize::from(self.first[name as usize]).checked_sub(1)
    }

    fn header_at(&self, at: usize) -> Header<'a> {
        let field = &self.fields[at];
        let end = self.fields.get(at + 1).map_or(self.head_end, |next| next.start as usize);
        Header {
            name: field.name,
            name_text: self.name_of(field),
            value: self.value_of(field),
            raw: &self.bytes[field.start as usize..end],
            whole: field.whole,
        }
    }

    fn name_of(&self, field: &Field) -> &'a [u8] {
        &self.bytes[field.start as usize..][..usize::from(field.name_length)]
    }

    pub(crate) fn value_of(&self, field: &Field) -> &'a [u8] {
        let line = &self.bytes[field.start as usize..];
        &line[usize::from(field.value_start)..usize::from(field.value_end)]
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Message").field(&String::from_utf8_lossy(self.bytes)).finish()
    }
}

/// The header lines of a message, in the order they came.
#[derive(Clone)]
pub struct Headers<'m, 'a> {
    message: &'m Message<'a>,
    next: usize,
}

impl<'a> Iterator for Headers<'_, 'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        if self.next == self.message.fields.len() {
            return None;
        }
        self.next += 1;
        Some(self.message.header_at(self.next - 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.message.fields.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Headers<'_, '_> {}
