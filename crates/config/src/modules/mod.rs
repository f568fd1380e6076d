//! `modules.conf`: which modules are asked for.

mod table;

use crate::{Diagnostics, Document, Element, Location, nearest};

pub use table::table;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The lists of modules, in the order in which they are loaded.
const LISTS: [&str; 3] = ["pre_load_modules.conf", "modules.conf", "post_load_modules.conf"];

/// Configurations of FreeSWITCH's core that have no meaning here, and those that other modules share.
const CORE: [&str; 7] = [
    "switch.conf",
    "post_load_switch.conf",
    "acl.conf",
    "timezones.conf",
    "presence_map.conf",
    "ivr.conf",
    "msrp.conf",
];

pub fn find(name: &str) -> Option<&'static ModuleRow> {
    table().iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// The modules that `pre_load_modules.conf`, `modules.conf` and `post_load_modules.conf` ask for, in order, each once.
/// One without meaning here is one warning, an unknown one too.
pub fn read<'a>(document: &'a Document, d: &mut Diagnostics) -> Vec<Asked<'a>> {
    let mut asked: Vec<Asked<'a>> = Vec::new();
    if document.configuration("modules.conf").is_none() {
        d.warning(None, "there is no modules.conf: no module is loaded");
    }
    for configuration in LISTS.iter().filter_map(|list| document.configuration(list)) {
        for load in configuration.listed("modules", "load") {
            let Some(module) = module(load, d) else { continue };
            match asked.iter().find(|known| known.name.eq_ignore_ascii_case(module.name)) {
                Some(first) => {
                    d.hint(module.at, format!("{} is loaded already at {}", module.name, first.at));
                }
                None => {
                    report(&module, d);
                    asked.push(module);
                }
            }
        }
    }
    asked
}

fn module<'a>(load: &'a Element, d: &mut Diagnostics) -> Option<Asked<'a>> {
    let written = load.attr("module").unwrap_or_default();
    let file = written.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = file.strip_suffix(".so").or_else(|| file.strip_suffix(".dylib")).unwrap_or(file);
    if name.is_empty() {
        d.warning(&load.at, "<load> names no module").instead("<load module=\"mod_sms\"/>");
        return None;
    }
    Some(Asked { name, at: &load.at, row: find(name) })
}

fn report(module: &Asked<'_>, d: &mut Diagnostics) {
    let name = module.name;
    match module.row.map(|row| row.standing) {
        Some(Standing::Provided) => {}
        Some(Standing::Ignored(why)) => {
            d.warning(module.at, format!("{name} has no meaning here: {why}"));
        }
        Some(Standing::Later(why)) => {
            d.warning(module.at, format!("{name} is not built in yet: {why}"));
        }
        None => {
            let warning = d.warning(module.at, format!("unknown module {name}"));
            if let Some(near) = nearest(name, table().iter().map(|row| row.name)) {
                warning.instead(near);
            }
        }
    }
}

/// Reports the configurations that nobody reads: `known` are those that somebody does. As in FreeSWITCH, those of a
/// module that is not asked for may be there; a name that no module has is a warning.
pub fn report_unread(document: &Document, known: &[&str], d: &mut Diagnostics) {
    let of_modules = || table().iter().flat_map(|row| row.configurations).copied();
    let all = || known.iter().copied().chain(LISTS).chain(CORE).chain(of_modules());
    for configuration in document.unread_configurations(known) {
        let name = configuration.attr_or("name", "");
        if all().any(|known| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        let warning = d.warning(&configuration.at, format!("{name} has no meaning here: no module reads it"));
        if let Some(near) = nearest(name, all()) {
            warning.instead(near);
        }
    }
}
