//! Lua's patterns, bounded: `string.find`, `match`, `gmatch` and `gsub`.
//!
//! Lua's own can take for ever and can't be interrupted. These do the same, step by step as lstrlib.c of Lua 5.4 does,
//! and look at the clock meanwhile.

mod find;
mod matcher;
mod substitute;

use mlua::{Lua, Result, Table};

use super::guard::Guard;

/// Adds the functions to the table. `most`: the octets that `gsub` may make.
pub(super) fn add(lua: &Lua, table: &Table, guard: &Guard, most: usize) -> Result<()> {
    let of = |find: fn(&Lua, &Guard, find::Search) -> Result<mlua::MultiValue>| {
        let guard = guard.clone();
        lua.create_function(move |lua, search: find::Search| find(lua, &guard, search))
    };
    table.set("find", of(find::find)?)?;
    table.set("match", of(find::first_match)?)?;
    let of_each = guard.clone();
    table.set("gmatch", lua.create_function(move |lua, search| find::each_match(lua, &of_each, search))?)?;
    let of_gsub = guard.clone();
    table.set("gsub", lua.create_function(move |lua, args| substitute::gsub(lua, &of_gsub, most, args))?)
}
