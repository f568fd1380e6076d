//! The host table in Lua: `freeswitch`, and the classes of what a script holds.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Error, Lua, MultiValue, Result, Table, UserData, UserDataMethods};

use super::convert;
use crate::host::{self, Form, Function};
use crate::{Handle, HostError, Object, Run, Value};

/// Objects that a script dropped; the run releases them before it makes new ones.
pub(super) type Freed = Rc<RefCell<Vec<Handle>>>;

/// The run that a state is busy with.
pub(super) struct Current {
    pub(super) run: Run,
    pub(super) freed: Freed,
}

impl Current {
    pub(super) fn new(run: Run) -> Self {
        Self { run, freed: Freed::default() }
    }
}

/// An object of a run's in a script's hands. `OBJECT` is its class in [`Object::LIST`].
pub(super) struct Held<const OBJECT: usize> {
    pub(super) handle: Handle,
    freed: Freed,
}

impl<const OBJECT: usize> Held<OBJECT> {
    pub(super) fn new(handle: Handle, freed: Freed) -> Self {
        Self { handle, freed }
    }
}

impl<const OBJECT: usize> Drop for Held<OBJECT> {
    fn drop(&mut self) {
        self.freed.borrow_mut().push(self.handle);
    }
}

impl<const OBJECT: usize> UserData for Held<OBJECT> {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        for function in host::of(Object::LIST[OBJECT]).filter(|function| function.form() == Form::Method) {
            methods.add_method(function.name, move |lua, this, args: MultiValue| {
                call(lua, function, Some(this.handle), args)
            });
        }
    }
}

/// The table `freeswitch`: its functions, and the classes to make objects of.
pub(super) fn freeswitch(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    for function in host::functions().filter(|function| function.form() != Form::Method) {
        let name = match function.form() {
            Form::Constructor => function.object.as_str(),
            _ => function.name,
        };
        let run = lua.create_function(move |lua, args: MultiValue| call(lua, function, None, args))?;
        table.set(name, run)?;
    }
    Ok(table)
}

fn call(
    lua: &Lua,
    function: &'static Function,
    this: Option<Handle>,
    given: MultiValue,
) -> Result<MultiValue> {
    let mut args = Vec::with_capacity(given.len() + 2);
    args.extend(this.map(Value::Object));
    args.extend(given.iter().map(convert::from_lua));
    let (answer, freed) = {
        let mut current = lua.app_data_mut::<Current>().ok_or_else(|| told(&HostError::Gone))?;
        let Current { run, freed } = &mut *current;
        if !freed.borrow().is_empty() {
            freed.borrow_mut().drain(..).for_each(|handle| run.release(handle));
        }
        (function.call(run, args), freed.clone())
    };
    let answer = answer.map_err(|error| told(&error))?;
    match (given.back(), answer) {
        (Some(mlua::Value::Function(callback)), Value::List(rows)) => {
            let done = for_each(lua, callback, rows, &freed)?;
            convert::into_results(lua, Value::Bool(done), &freed)
        }
        (_, answer) => convert::into_results(lua, answer, &freed),
    }
}

/// FreeSWITCH freeswitch_lua.cpp `Dbh::query_callback`: a number that is not 0 ends it.
fn for_each(lua: &Lua, callback: &mlua::Function, rows: Vec<Value>, freed: &Freed) -> Result<bool> {
    for row in rows {
        let answer: mlua::Value = callback.call(convert::into_lua(lua, row, freed)?)?;
        if lua.coerce_number(answer)?.is_some_and(|number| number != 0.0) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn told(error: &HostError) -> Error {
    Error::runtime(error)
}
