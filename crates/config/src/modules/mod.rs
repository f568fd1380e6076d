//! `modules.conf`: which modules are asked for.

use crate::{Diagnostics, Document, Location};

/// What a module of FreeSWITCH is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Provided,
    /// It has no meaning for a message router: why.
    Ignored(&'static str),
    /// It has one, and is not built in yet.
    Later(&'static str),
}

/// A module of FreeSWITCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleRow {
    pub name: &'static str,
    pub standing: Standing,
    /// The configurations that it reads.
    pub configurations: &'static [&'static str],
}

/// A module that the configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Without path and suffix.
    pub name: &'a str,
    pub at: &'a Location,
    /// Nothing when nobody knows it.
    pub row: Option<&'static ModuleRow>,
}

impl Asked<'_> {
    pub fn is_provided(&self) -> bool {
        self.row.is_some_and(|row| row.standing == Standing::Provided)
    }
}

/// Every module that FreeSWITCH's tree has.
pub fn table() -> &'static [ModuleRow] {
    &[]
}

pub fn find(name: &str) -> Option<&'static ModuleRow> {
    table().iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// The modules that `pre_load_modules.conf`, `modules.conf` and `post_load_modules.conf` ask for, in order, each once.
/// One without meaning here is one warning, an unknown one too.
pub fn read<'a>(_document: &'a Document, _d: &mut Diagnostics) -> Vec<Asked<'a>> {
    todo!()
}

/// Warns of configurations that nobody reads: `known` are those that somebody does.
pub fn report_unread(_document: &Document, _known: &[&str], _d: &mut Diagnostics) {
    todo!()
}
