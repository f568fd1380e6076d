//! What can be wrong with a message.

use crate::{HeaderName, Message};

/// A header that is missing or not what its grammar asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The message has no such header.
    #[error("no {0} header")]
    Missing(HeaderName),
    /// The header's value does not follow its grammar.
    #[error("malformed {header} header: {what}")]
    Malformed {
        /// Which one.
        header: HeaderName,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Why a message was refused. All of them are the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing but line ends: a keep-alive (RFC 5626 §4.4.1), not a message.
    #[error("nothing but line ends")]
    Empty,
    /// The first line is neither a request line nor a status line.
    #[error("not a SIP message")]
    NotSip,
    /// A request or response of another version of SIP.
    #[error("SIP version is not 2.0")]
    Version,
    /// A request line that names SIP but does not follow its grammar.
    #[error("malformed request line: {0}")]
    RequestLine(&'static str),
    /// A status code outside 100 to 699.
    #[error("status code is not between 100 and 699")]
    StatusCode,
    /// A header line without a colon or with an impossible name.
    #[error("malformed header line")]
    HeaderLine,
    /// A CR that no LF follows, among the header lines.
    #[error("a carriage return inside a header line")]
    BareReturn,
    /// The header lines end without an empty line.
    #[error("no empty line after the headers")]
    NoEnd,
    /// More header lines than [`Limits::headers`](crate::Limits::headers).
    #[error("more than {0} header lines")]
    TooManyHeaders(usize),
    /// A line longer than [`Limits::line`](crate::Limits::line).
    #[error("a header line of more than {0} bytes")]
    LineTooLong(usize),
    /// A header that may stand once stands twice, or its second Content-Length differs.
    #[error("more than one {0} header")]
    Repeated(HeaderName),
    /// Content-Length is larger than what came (RFC 3261 §18.3).
    #[error("Content-Length is {stated}, only {present} bytes follow the headers")]
    Truncated {
        /// What Content-Length says.
        stated: usize,
        /// How many bytes there are.
        present: usize,
    },
    /// The CSeq method is not the method of the request (RFC 3261 §8.1.1.5).
    #[error("the CSeq method is not the request's")]
    MethodMismatch,
    /// A mandatory header is missing, or one that had to be understood is malformed.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

impl Fault {
    /// The status that a request with this fault deserves.
    pub fn status(&self) -> u16 {
        match self {
            Fault::Version => 505,
            Fault::TooManyHeaders(_) | Fault::LineTooLong(_) => 513,
            _ => 400,
        }
    }
}

/// A message that was refused, and what could be read of it.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct ParseError<'a> {
    fault: Fault,
    message: Option<Box<Message<'a>>>,
}

impl<'a> ParseError<'a> {
    pub(crate) fn new(fault: Fault, message: Option<Message<'a>>) -> Self {
        ParseError { fault, message: message.map(Box::new) }
    }

    /// What is wrong.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The status that a request with this fault deserves.
    pub fn status(&self) -> u16 {
        self.fault.status()
    }

    /// What could be read, when the first line could: header lines up to the fault, or all of them.
    pub fn message(&self) -> Option<&Message<'a>> {
        self.message.as_deref()
    }

    /// The request to answer with [`ParseError::status`]: one that is not an ACK and has a Via. A response copies what
    /// it has of the other headers. `None` means that there is nothing to answer.
    pub fn answerable(&self) -> Option<&Message<'a>> {
        self.message().filter(|message| message.can_be_answered())
    }
}
