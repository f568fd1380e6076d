//! FreeSWITCH's mod_curl: HTTP requests, as the app `curl` and as the API command `curl`.
//!
//! In: a line `URL [headers|json|content-type TYPE|...] [get|head|post|patch|put|delete [DATA]]`. Out: the body, the
//! headers and the body, or both as JSON; the command answers with it, the app leaves it in the message's
//! `curl_response_data` beside `curl_response_code` and `curl_method`.
//!
//! The way of a request: `request` reads the line, `client` has a connection for it, `perform` sends it and takes the
//! response in, `response` writes the response in the form that was asked for. [`Curl`] joins them, with the limits of
//! [`CurlSettings`].
//!
//! Invariant: a request runs on the runtime it was given, whoever asks for it; no thread waits for it. It ends in
//! time, what it takes in is bounded, and so is the number of requests under way.
#![forbid(unsafe_code)]

mod app;
mod client;
mod command;
mod curl;
mod error;
mod perform;
mod request;
mod response;
mod settings;
mod words;

pub use app::{APP, CurlApp};
pub use command::{COMMAND, CurlCommand};
pub use curl::{Curl, install_provider};
pub use error::CurlError;
pub use perform::read_body;
pub use request::{Form, LineError, Request};
pub use response::{Answer, Head};
pub use settings::{CurlSettings, PARAMS};

/// The module that brings them.
pub const MODULE: &str = "mod_curl";

/// What both take.
const SYNTAX: &str = "url [headers|json|content-type <mime-type>|connect-timeout <seconds>|timeout <seconds>\
|append_headers <name:value>|insecure|secure|proxy <http://proxy:port>] [get|head|post|patch|put|delete [data]]";
