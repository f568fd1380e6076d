//! `string.find`, `string.match` and `string.gmatch`.

use std::cell::Cell;

use memchr::memmem;
use mlua::{FromLuaMulti, Function, IntoLua, IntoLuaMulti, Lua, LuaString, MultiValue, Result, Value};

use super::matcher::{Capture, Extent, Matcher, malformed};
use crate::lua::guard::Guard;

/// What is to be found, and from where.
pub(super) struct Search {
    text: LuaString,
    pattern: LuaString,
    /// From 1; below 0 from the end.
    start: Option<i64>,
    plain: bool,
}

impl FromLuaMulti for Search {
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> Result<Self> {
        let (text, pattern, start, plain) = FromLuaMulti::from_lua_multi(values, lua)?;
        let plain: Value = plain;
        let plain = !matches!(plain, Value::Nil | Value::Boolean(false));
        Ok(Self { text, pattern, start, plain })
    }
}

pub(super) fn find(lua: &Lua, guard: &Guard, search: Search) -> Result<MultiValue> {
    let (text, pattern) = (search.text.as_bytes(), search.pattern.as_bytes());
    let Some(start) = begin(search.start, text.len()) else { return nothing() };
    if search.plain || !pattern.iter().any(|octet| b"^$*+?.([%-".contains(octet)) {
        let Some(at) = memmem::find(&text[start..], &pattern) else { return nothing() };
        return (start + at + 1, start + at + pattern.len()).into_lua_multi(lua);
    }
    let Some((at, end, matcher)) = first(&text, &pattern, start, guard)? else { return nothing() };
    let mut results = MultiValue::from_iter([(at + 1).into_lua(lua)?, end.into_lua(lua)?]);
    for index in 0..matcher.captures().len() {
        results.push_back(capture(lua, &matcher, index, at, end)?);
    }
    Ok(results)
}

pub(super) fn first_match(lua: &Lua, guard: &Guard, search: Search) -> Result<MultiValue> {
    let (text, pattern) = (search.text.as_bytes(), search.pattern.as_bytes());
    let Some(start) = begin(search.start, text.len()) else { return nothing() };
    match first(&text, &pattern, start, guard)? {
        Some((at, end, matcher)) => captures(lua, &matcher, at, end),
        None => nothing(),
    }
}

pub(super) fn each_match(lua: &Lua, guard: &Guard, search: Search) -> Result<Function> {
    let start = begin(search.start, search.text.as_bytes().len());
    let (next, last) = (Cell::new(start), Cell::new(None));
    let guard = guard.clone();
    lua.create_function(move |lua, ()| {
        let (text, pattern) = (search.text.as_bytes(), search.pattern.as_bytes());
        let Some(start) = next.get() else { return nothing() };
        let mut matcher = Matcher::new(&text, &pattern, &guard);
        for at in start..=text.len() {
            if let Some(end) = matcher.match_at(at)?.filter(|end| last.get() != Some(*end)) {
                next.set(Some(end));
                last.set(Some(end));
                return captures(lua, &matcher, at, end);
            }
        }
        next.set(None);
        nothing()
    })
}

/// The first match at `start` or behind it; at `start` alone when the pattern is anchored.
fn first<'m>(
    text: &'m [u8],
    pattern: &'m [u8],
    start: usize,
    guard: &'m Guard,
) -> Result<Option<(usize, usize, Matcher<'m>)>> {
    let (pattern, last) = match pattern.strip_prefix(b"^") {
        Some(pattern) => (pattern, start),
        None => (pattern, text.len()),
    };
    let mut matcher = Matcher::new(text, pattern, guard);
    for at in start..=last {
        if let Some(end) = matcher.match_at(at)? {
            return Ok(Some((at, end, matcher)));
        }
    }
    Ok(None)
}

/// Where to begin, from 0; `None` behind the end.
fn begin(start: Option<i64>, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let start = match start.unwrap_or(1) {
        start if start > 0 => start - 1,
        start if start < 0 => (length + start).max(0),
        _ => 0,
    };
    usize::try_from(start).ok().filter(|_| start <= length)
}

/// All captures, or the whole match where the pattern has none.
pub(super) fn captures(lua: &Lua, matcher: &Matcher<'_>, start: usize, end: usize) -> Result<MultiValue> {
    let count = matcher.captures().len().max(1);
    (0..count).map(|index| capture(lua, matcher, index, start, end)).collect()
}

/// One capture; number 0 is the whole match where the pattern has none.
pub(super) fn capture(
    lua: &Lua,
    matcher: &Matcher<'_>,
    index: usize,
    start: usize,
    end: usize,
) -> Result<Value> {
    let octets = match matcher.captures().get(index) {
        Some(&Capture { start, extent: Extent::Position }) => return (start + 1).into_lua(lua),
        Some(&Capture { start, extent: Extent::Octets(length) }) => &matcher.text[start..start + length],
        Some(Capture { extent: Extent::Unfinished, .. }) => return Err(malformed("unfinished capture")),
        None if index == 0 => &matcher.text[start..end],
        None => return Err(malformed(&format!("invalid capture index %{}", index + 1))),
    };
    Ok(Value::String(lua.create_string(octets)?))
}

fn nothing() -> Result<MultiValue> {
    Ok(MultiValue::from_iter([Value::Nil]))
}
