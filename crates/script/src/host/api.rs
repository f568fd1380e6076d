//! `API`: the server's commands. FreeSWITCH switch_cpp.cpp `API`.

use super::Kind::{Any, Text};
use super::{Function, NEW, needed, optional};
use crate::{Handle, HostError, Object, Run, Value};

const OBJECT: Object = Object::Api;

pub const FUNCTIONS: &[Function] = &[
    Function {
        object: OBJECT,
        name: NEW,
        arguments: &[optional("session", Any)],
        returns: "an object that runs API commands",
        doc: "The way to the API commands.",
        run: |_, _| Ok(Value::Object(Handle { object: OBJECT, id: 0 })),
    },
    Function {
        object: OBJECT,
        name: "execute",
        arguments: &[needed("command", Text), optional("arguments", Text)],
        returns: "the command's answer",
        doc: "Run an API command.",
        run: execute,
    },
    Function {
        object: OBJECT,
        name: "executeString",
        arguments: &[needed("line", Text)],
        returns: "the command's answer",
        doc: "Run an API command and its arguments in one text.",
        run: execute_string,
    },
    Function {
        object: OBJECT,
        name: "getTime",
        arguments: &[],
        returns: "text",
        doc: "The time in milliseconds since 1970.",
        run: get_time,
    },
];

fn execute(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let Some(command) = args[1].given() else { return Ok(nothing()) };
    let line = match args[2].given() {
        Some(arguments) => format!("{command} {arguments}"),
        None => command.into_owned(),
    };
    ask(run, &line)
}

fn execute_string(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    match args[1].given() {
        Some(line) => ask(run, &line),
        None => Ok(nothing()),
    }
}

fn ask(run: &Run, line: &str) -> Result<Value, HostError> {
    let registry = run.world().registry();
    let answer = run.wait(async { registry.execute(line, None).text().await })?;
    Ok(answer.into())
}

fn nothing() -> Value {
    tracing::error!("No application specified");
    "-ERR No application specified".into()
}

fn get_time(run: &mut Run, _: &[Value]) -> Result<Value, HostError> {
    Ok((run.world().bus().clock().unix_micros() / 1000).to_string().into())
}
