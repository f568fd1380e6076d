//! FreeSWITCH's configuration folder, read as leniently as FreeSWITCH does.
//!
//! In: the path of `freeswitch.xml`, the [`Files`] it may read, and the variables that FreeSWITCH itself presets
//! (`base_dir`, `local_ip_v4`, ...). Out: a [`Document`] whose every element knows the file and line it was written
//! on, the global variables that were set on the way, and [`Diagnostics`]: everything wrong at once, each with its
//! place and what to write instead.
//!
//! The way of a file: `preprocess` expands `$${name}` and obeys `X-PRE-PROCESS` line by line and joins all files to
//! one text with a map back to the files; `xml` reads that text; the crates that own a part of the configuration read
//! their params by [`read_params`] from a table of [`ParamRow`]s. [`acl`] and [`modules`] read `acl.conf` and
//! `modules.conf`, which belong to everybody. Where the files are not who answers, [`Bindings`] are.
//!
//! Invariant: this crate opens no file, socket or process and reads no clock; all it knows of the machine came through
//! [`Files`] and the presets. No input makes it panic, recurse without bound or grow beyond [`limits`].

#![forbid(unsafe_code)]

pub mod acl;
mod bindings;
mod diagnostic;
mod document;
mod files;
pub mod limits;
mod load;
pub mod modules;
mod nearest;
mod params;
mod preprocess;
mod print;
mod xml;

pub use bindings::{
    Bindings, CachedUser, Fetching, Section, Sections, XmlBinding, XmlQuery, answer_document,
};
pub use diagnostic::{Diagnostic, Diagnostics, Location, Severity};
pub use document::{Attribute, Document, Element};
pub use files::{Files, MemoryFiles, tidy};
pub use load::{Loaded, load, load_with, parse_fragment};
pub use nearest::nearest;
pub use params::{Param, ParamRow, ParamStatus, Params, read_params};
