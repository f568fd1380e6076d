//! Lua's values and the host table's.

use bytes::Bytes;
use mlua::{IntoLua, Lua, MultiValue, Result};

use super::binding::{Freed, Held};
use crate::{Handle, Object, Value};

/// A value that a script gives.
pub(super) fn from_lua(value: &mlua::Value) -> Value {
    match value {
        mlua::Value::Nil => Value::Nil,
        mlua::Value::Boolean(yes) => Value::Bool(*yes),
        mlua::Value::Integer(number) => Value::Integer(*number),
        mlua::Value::Number(number) => Value::Number(*number),
        mlua::Value::String(text) => Value::Text(Bytes::copy_from_slice(&text.as_bytes())),
        mlua::Value::UserData(object) => handle_of(object).map_or(Value::List(Vec::new()), Value::Object),
        mlua::Value::Function(_) => Value::Function,
        _ => Value::List(Vec::new()),
    }
}

fn handle_of(object: &mlua::AnyUserData) -> Option<Handle> {
    fn held<const OBJECT: usize>(object: &mlua::AnyUserData) -> Option<Handle> {
        object.borrow::<Held<OBJECT>>().ok().map(|held| held.handle)
    }
    held::<{ Object::Event as usize }>(object)
        .or_else(|| held::<{ Object::Api as usize }>(object))
        .or_else(|| held::<{ Object::EventConsumer as usize }>(object))
        .or_else(|| held::<{ Object::Dbh as usize }>(object))
        .or_else(|| held::<{ Object::Stream as usize }>(object))
}

/// What a script gets.
pub(super) fn into_lua(lua: &Lua, value: Value, freed: &Freed) -> Result<mlua::Value> {
    match value {
        Value::Nil | Value::Function => Ok(mlua::Value::Nil),
        Value::Bool(yes) => Ok(mlua::Value::Boolean(yes)),
        Value::Integer(number) => Ok(mlua::Value::Integer(number)),
        Value::Number(number) => Ok(mlua::Value::Number(number)),
        Value::Text(text) => Ok(mlua::Value::String(lua.create_string(&text)?)),
        Value::Object(handle) => object_into_lua(lua, handle, freed),
        Value::List(values) | Value::Several(values) => {
            let table = lua.create_table_with_capacity(values.len(), 0)?;
            for value in values {
                table.raw_push(into_lua(lua, value, freed)?)?;
            }
            Ok(mlua::Value::Table(table))
        }
        Value::Record(columns) => {
            let table = lua.create_table_with_capacity(0, columns.len())?;
            for (name, value) in columns {
                table.raw_set(name, into_lua(lua, value, freed)?)?;
            }
            Ok(mlua::Value::Table(table))
        }
    }
}

/// What a script gets as a function's results.
pub(super) fn into_results(lua: &Lua, value: Value, freed: &Freed) -> Result<MultiValue> {
    match value {
        Value::Several(values) => values.into_iter().map(|value| into_lua(lua, value, freed)).collect(),
        value => Ok(MultiValue::from_iter([into_lua(lua, value, freed)?])),
    }
}

fn object_into_lua(lua: &Lua, handle: Handle, freed: &Freed) -> Result<mlua::Value> {
    macro_rules! held {
        ($object:ident) => {
            Held::<{ Object::$object as usize }>::new(handle, freed.clone()).into_lua(lua)
        };
    }
    match handle.object {
        Object::Event => held!(Event),
        Object::Api => held!(Api),
        Object::EventConsumer => held!(EventConsumer),
        Object::Dbh => held!(Dbh),
        Object::Stream => held!(Stream),
        Object::Freeswitch | Object::Session | Object::IvrMenu | Object::Dtmf => Ok(mlua::Value::Nil),
    }
}
