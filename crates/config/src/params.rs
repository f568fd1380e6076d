//! `<param name="..." value="..."/>`, read by a table of the known ones.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::{Diagnostics, Element, Location, nearest};

/// A param that its owner knows. Help, completion and the reference pages are made from these rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamRow {
    /// In its wire spelling.
    pub name: &'static str,
    /// What may be written: `true|false`, `1..65535`, `auto|IP`.
    pub syntax: &'static str,
    pub default: &'static str,
    pub doc: &'static str,
    pub status: ParamStatus,
}

impl ParamRow {
    /// A param that is heeded.
    pub const fn used(
        name: &'static str,
        syntax: &'static str,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, syntax, default, doc, status: ParamStatus::Used }
    }

    /// A param of FreeSWITCH's that has no meaning here.
    pub const fn ignored(name: &'static str, why: &'static str) -> Self {
        Self { name, syntax: "", default: "", doc: "", status: ParamStatus::Ignored(why) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamStatus {
    Used,
    /// FreeSWITCH knows it, and it has no meaning here: why.
    Ignored(&'static str),
}

/// A param as written.
#[derive(Clone, Copy, Debug)]
pub struct Param<'a> {
    pub name: &'a str,
    pub value: &'a str,
    pub at: &'a Location,
}

/// The params of an element that the table knows, in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Params<'a> {
    params: Vec<Param<'a>>,
}

/// Reads the `param` children. One that the table does not know, or that has no meaning here, is a warning.
pub fn read_params<'a>(parent: &'a Element, table: &[ParamRow], d: &mut Diagnostics) -> Params<'a> {
    let mut params = Vec::new();
    for child in &parent.children {
        if child.name != "param" {
            if nearest(&child.name, std::iter::once("param")).is_some() {
                d.warning(&child.at, format!("<{}> is not read", child.name)).instead("<param>");
            }
            continue;
        }
        let Some(name) = child.attr("name").filter(|name| !name.is_empty()) else {
            d.warning(&child.at, "a param without a name is not read");
            continue;
        };
        let Some(row) = table.iter().find(|row| row.name.eq_ignore_ascii_case(name)) else {
            unknown(name, child, table, d);
            continue;
        };
        if let ParamStatus::Ignored(why) = row.status {
            d.warning(&child.at, format!("param {name} has no meaning here: {why}"));
        }
        params.push(Param { name, value: child.attr_or("value", ""), at: &child.at });
    }
    Params { params }
}

fn unknown(name: &str, param: &Element, table: &[ParamRow], d: &mut Diagnostics) {
    let warning = d.warning(&param.at, format!("unknown param {name}"));
    if let Some(near) = nearest(name, table.iter().map(|row| row.name)) {
        warning.instead(near);
    }
}

impl<'a> Params<'a> {
    /// The value, as FreeSWITCH takes it: the last one written counts.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.find(name).map(|param| param.value)
    }

    pub fn get_or(&self, name: &str, default: &'a str) -> &'a str {
        self.get(name).unwrap_or(default)
    }

    pub fn at(&self, name: &str) -> Option<&'a Location> {
        self.find(name).map(|param| param.at)
    }

    /// Every value of a param that may be repeated.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.params.iter().filter(move |param| param.name.eq_ignore_ascii_case(name)).map(|param| param.value)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Param<'a>> {
        self.params.iter()
    }

    fn find(&self, name: &str) -> Option<&Param<'a>> {
        self.params.iter().rev().find(|param| param.name.eq_ignore_ascii_case(name))
    }

    /// The param when it has a value; an empty one, as an unset `$${name}` leaves behind, is as good as none.
    fn filled(&self, name: &str) -> Option<&Param<'a>> {
        self.find(name).filter(|param| !param.value.trim().is_empty())
    }

    /// True or false in FreeSWITCH's words; anything else is false, as there, with a warning.
    pub fn bool(&self, name: &str, default: bool, d: &mut Diagnostics) -> bool {
        let Some(param) = self.filled(name) else { return default };
        match truth(param.value) {
            Some(value) => value,
            None => {
                let text =
                    format!("{name}: `{}` is neither true nor false, and counts as false", param.value);
                d.warning(param.at, text).instead("true or false");
                false
            }
        }
    }

    /// A whole number in a range; another value is an error, and the default is taken.
    pub fn number<T>(&self, name: &str, default: T, range: RangeInclusive<T>, d: &mut Diagnostics) -> T
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(param) = self.filled(name) else { return default };
        match param.value.trim().parse::<T>() {
            Ok(value) if range.contains(&value) => value,
            _ => {
                d.error(param.at, format!("{name}: `{}` is not a number in range", param.value))
                    .instead(format!("a number from {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    pub fn u16_in(&self, name: &str, default: u16, range: RangeInclusive<u16>, d: &mut Diagnostics) -> u16 {
        self.number(name, default, range, d)
    }

    pub fn u32_in(&self, name: &str, default: u32, range: RangeInclusive<u32>, d: &mut Diagnostics) -> u32 {
        self.number(name, default, range, d)
    }

    pub fn u64_in(&self, name: &str, default: u64, range: RangeInclusive<u64>, d: &mut Diagnostics) -> u64 {
        self.number(name, default, range, d)
    }

    /// An IP address, with or without brackets; another value is an error.
    pub fn ip(&self, name: &str, d: &mut Diagnostics) -> Option<IpAddr> {
        let param = self.filled(name)?;
        let value = param.value.trim();
        match value.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(ip) => Some(ip),
            Err(_) => {
                d.error(param.at, format!("{name}: `{value}` is not an IP address"))
                    .instead("an address such as 192.0.2.1 or 2001:db8::1");
                None
            }
        }
    }

    /// One of some words, in the table's spelling; another value is an error, and the default is taken.
    pub fn one_of<'w>(
        &self,
        name: &str,
        default: &'w str,
        words: &[&'w str],
        d: &mut Diagnostics,
    ) -> &'w str {
        let Some(param) = self.filled(name) else { return default };
        match words.iter().find(|word| word.eq_ignore_ascii_case(param.value.trim())) {
            Some(word) => word,
            None => {
                d.error(param.at, format!("{name}: `{}` is not known", param.value))
                    .instead(words.join(" or "));
                default
            }
        }
    }
}

/// FreeSWITCH's words for true and false (switch_true, switch_false); a number is true unless it is 0.
pub(crate) fn truth(text: &str) -> Option<bool> {
    const TRUE: [&str; 7] = ["yes", "on", "true", "t", "enabled", "active", "allow"];
    const FALSE: [&str; 8] = ["no", "off", "false", "f", "disabled", "inactive", "disallow", "deny"];
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    if is_one_of(&TRUE) {
        return Some(true);
    }
    if is_one_of(&FALSE) {
        return Some(false);
    }
    text.trim().parse::<f64>().ok().map(|number| number as i64 != 0)
}
