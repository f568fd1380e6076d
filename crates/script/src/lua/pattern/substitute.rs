//! `string.gsub`.

use mlua::{Error, Lua, LuaString, MultiValue, Result, Value};

use super::find::{capture, captures};
use super::matcher::{Matcher, malformed};
use crate::lua::guard::Guard;

/// `gsub(text, pattern, replacement, [count])`
pub(super) type Args = (LuaString, LuaString, Value, Option<i64>);

pub(super) fn gsub(lua: &Lua, guard: &Guard, most: usize, args: Args) -> Result<(LuaString, i64)> {
    let (text, pattern, replacement, count) = args;
    let replacement = Replacement::of(lua, replacement)?;
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (pattern, anchored) = match pattern.strip_prefix(b"^") {
        Some(pattern) => (pattern, true),
        None => (&*pattern, false),
    };
    let count = count.unwrap_or(i64::MAX);
    let mut matcher = Matcher::new(&text, pattern, guard);
    let mut out = Vec::with_capacity(text.len());
    let (mut at, mut last, mut done) = (0, None, 0);
    while done < count {
        match matcher.match_at(at)?.filter(|end| last != Some(*end)) {
            Some(end) => {
                done += 1;
                replacement.add(lua, &matcher, at, end, &mut out)?;
                at = end;
                last = Some(end);
            }
            None if at < text.len() => {
                out.push(text[at]);
                at += 1;
            }
            None => break,
        }
        if out.len() > most {
            return Err(Error::MemoryError("not enough memory".to_owned()));
        }
        if anchored {
            break;
        }
    }
    out.extend_from_slice(&text[at..]);
    Ok((lua.create_string(out)?, done))
}

enum Replacement {
    Text(LuaString),
    Table(mlua::Table),
    Function(mlua::Function),
}

impl Replacement {
    fn of(lua: &Lua, value: Value) -> Result<Self> {
        match value {
            Value::Table(table) => Ok(Self::Table(table)),
            Value::Function(function) => Ok(Self::Function(function)),
            value => {
                let kind = value.type_name();
                let wrong = || {
                    malformed(&format!(
                        "bad argument #3 to 'gsub' (string/function/table expected, got {kind})"
                    ))
                };
                lua.coerce_string(value)?.map(Self::Text).ok_or_else(wrong)
            }
        }
    }

    fn add(&self, lua: &Lua, matcher: &Matcher<'_>, at: usize, end: usize, out: &mut Vec<u8>) -> Result<()> {
        let value = match self {
            Self::Text(template) => return fill(lua, &template.as_bytes(), matcher, at, end, out),
            Self::Table(table) => table.get::<Value>(capture(lua, matcher, 0, at, end)?)?,
            Self::Function(function) => {
                let mut results: MultiValue = function.call(captures(lua, matcher, at, end)?)?;
                results.pop_front().unwrap_or(Value::Nil)
            }
        };
        match value {
            Value::Nil | Value::Boolean(false) => out.extend_from_slice(&matcher.text[at..end]),
            value => {
                let kind = value.type_name();
                let wrong = || malformed(&format!("invalid replacement value (a {kind})"));
                out.extend_from_slice(&lua.coerce_string(value)?.ok_or_else(wrong)?.as_bytes());
            }
        }
        Ok(())
    }
}

/// A template: `%1` is a capture, `%0` the match, `%%` a percent sign.
fn fill(
    lua: &Lua,
    template: &[u8],
    matcher: &Matcher<'_>,
    at: usize,
    end: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut octets = template.iter();
    while let Some(&octet) = octets.next() {
        match (octet, octet == b'%') {
            (_, false) => out.push(octet),
            _ => match octets.next() {
                Some(b'%') => out.push(b'%'),
                Some(b'0') => out.extend_from_slice(&matcher.text[at..end]),
                Some(digit) if digit.is_ascii_digit() => {
                    let value = capture(lua, matcher, usize::from(digit - b'1'), at, end)?;
                    if let Some(text) = lua.coerce_string(value)? {
                        out.extend_from_slice(&text.as_bytes());
                    }
                }
                _ => return Err(malformed("invalid use of '%' in replacement string")),
            },
        }
    }
    Ok(())
}
