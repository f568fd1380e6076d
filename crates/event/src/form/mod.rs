//! The forms in which events are written and read: plain, JSON and XML.

mod json;
mod plain;
mod xml;

pub use json::{JsonError, from_json, json};
pub use plain::{Encode, from_plain, parse_headers, plain, plain_octets};
pub use xml::xml;
