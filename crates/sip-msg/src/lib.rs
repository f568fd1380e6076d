//! SIP messages as RFC 3261 writes them.
//!
//! In goes a datagram, or the bytes of a stream cut into messages by [`stream::Framer`]; out comes a [`Message`] that
//! borrows them: a table of offsets, one entry a header line, nothing copied and, up to 24 header lines, nothing
//! allocated. Header values are understood when they are asked for ([`Via`], [`NameAddr`], [`CSeq`], [`Contact`],
//! [`Credentials`](AuthValue), ...). [`print`] writes requests and responses, copying lines whole where it can.
//!
//! [`parse`] makes the checks that every element owes a message (RFC 3261 §16.3 step 1, §18.3, §20): the start line,
//! the mandatory headers, once where they may stand once, Via, From, To, Contact and CSeq well formed, one
//! Content-Length that fits. Where a request fails them, [`ParseError`] names the status it deserves and carries what
//! could be read, so that an answer can be sent.
//!
//! Invariant: this crate knows no socket, no clock, no transaction and no event; the same bytes always give the same
//! result, and no bytes make it panic.

#![forbid(unsafe_code)]

mod auth;
mod contact;
mod cseq;
mod error;
mod escape;
mod header;
mod header_name;
mod lex;
mod list;
mod media_type;
mod message;
mod method;
mod name_addr;
mod params;
mod parse;
pub mod print;
mod skim;
mod status;
pub mod stream;
pub mod stun;
mod uri;
mod uri_equal;
mod via;

pub use auth::{AuthParams, AuthValue, auth_params};
pub use contact::{Contact, Contacts};
pub use cseq::CSeq;
pub use error::{Fault, HeaderError, ParseError};
pub use escape::{escape_user, unescape};
pub use header::{Header, unfold};
pub use header_name::HeaderName;
pub use list::Values;
pub use media_type::MediaType;
pub use message::{Headers, Message, Start};
pub use method::Method;
pub use name_addr::NameAddr;
pub use params::{Param, Params};
pub use parse::{Limits, parse, parse_within};
pub use print::{Decimal, RequestWriter, ResponseWriter};
pub use skim::{Skim, skim};
pub use status::reason;
pub use uri::{Scheme, Uri, UriError};
pub use via::Via;
