//! FreeSWITCH's mod_xml_curl: sections of the configuration answered over HTTP.
//!
//! In: a question ([`XmlQuery`](chappe_config::XmlQuery)) for the chatplan of a message, a user of the directory or the
//! configuration of a module. Out: the document that a web server answered, or nothing, and the next one who answers
//! for the section is asked, the files last.
//!
//! The way of a question: [`GatewayBinding`] looks whether the `cache` knows, `form` writes FreeSWITCH's fields, `gateway`
//! sends them by the `client` that the settings of its binding ask for, `authorization` answers for the password.
//!
//! Invariant: a request runs on the runtime it was given, whoever asks; no thread waits for it. It ends in time, what it
//! takes in is bounded, and so are the requests under way and the answers kept. What fails is in the log, without the
//! password.
#![forbid(unsafe_code)]

mod authorization;
mod binding;
mod cache;
mod client;
mod error;
mod form;
mod gateway;
mod settings;

pub use binding::GatewayBinding;
pub use error::XmlCurlError;
pub use settings::{GatewaySettings, Login, PARAMS, Scheme, XmlCurlSettings};

/// The module that brings them.
pub const MODULE: &str = "mod_xml_curl";
