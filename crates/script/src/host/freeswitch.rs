//! `freeswitch`: the functions that belong to no object. FreeSWITCH switch_cpp.cpp.

use std::time::Duration;

use chappe_event::LogLevel;

use super::Kind::{Any, Integer, Text};
use super::{Function, needed, optional};
use crate::{HostError, Object, Run, Value};

const OBJECT: Object = Object::Freeswitch;

pub const FUNCTIONS: &[Function] = &[
    Function {
        object: OBJECT,
        name: "consoleLog",
        arguments: &[needed("level", Text), needed("text", Text)],
        returns: "",
        doc: "Write a line to the log; an unknown level is debug.",
        run: console_log,
    },
    Function {
        object: OBJECT,
        name: "consoleLog2",
        arguments: &[
            needed("level", Text),
            needed("file", Text),
            needed("function", Text),
            needed("line", Integer),
            needed("text", Text),
        ],
        returns: "",
        doc: "Write a line to the log that says where it comes from.",
        run: console_log_from,
    },
    Function {
        object: OBJECT,
        name: "consoleCleanLog",
        arguments: &[needed("text", Text)],
        returns: "",
        doc: "Write a text to the log without time, level and place.",
        run: console_clean_log,
    },
    Function {
        object: OBJECT,
        name: "getGlobalVariable",
        arguments: &[needed("name", Text)],
        returns: "text, or nil when there is none of that name",
        doc: "A global variable.",
        run: get_global_variable,
    },
    Function {
        object: OBJECT,
        name: "setGlobalVariable",
        arguments: &[needed("name", Text), needed("value", Text)],
        returns: "",
        doc: "Set a global variable; an empty value removes it.",
        run: set_global_variable,
    },
    Function {
        object: OBJECT,
        name: "globalSetVariable",
        arguments: &[needed("name", Text), needed("value", Text), optional("expected", Text)],
        returns: "0, or 1 when it was not what was expected",
        doc: "Set a global variable, if it is what is expected.",
        run: global_set_variable,
    },
    Function {
        object: OBJECT,
        name: "running",
        arguments: &[],
        returns: "true or false",
        doc: "Whether the server goes on: a script that never ends looks here.",
        run: running,
    },
    Function {
        object: OBJECT,
        name: "msleep",
        arguments: &[needed("milliseconds", Integer)],
        returns: "",
        doc: "Wait. Other messages go on meanwhile.",
        run: msleep,
    },
    Function {
        object: OBJECT,
        name: "email",
        arguments: &[optional("...", Any)],
        returns: "",
        doc: "Not built in: raises an error.",
        run: |_, _| Err(HostError::NotBuiltIn("freeswitch.email")),
    },
    Function {
        object: OBJECT,
        name: "bridge",
        arguments: &[optional("...", Any)],
        returns: "",
        doc: "Belongs to calls: raises an error.",
        run: |_, _| Err(HostError::Calls("freeswitch.bridge")),
    },
];

/// FreeSWITCH's place of a script's log lines.
const FILE: &str = "switch_cpp.cpp";
const LINE: u64 = 1465;

fn console_log(_: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    log(level(&args[0]), FILE, "console_log", LINE, &args[1]);
    Ok(Value::Nil)
}

fn console_log_from(_: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let line = u64::try_from(args[3].integer()).unwrap_or_default();
    log(level(&args[0]), &args[1].text(), &args[2].text(), line, &args[4]);
    Ok(Value::Nil)
}

fn level(name: &Value) -> LogLevel {
    LogLevel::parse(&name.text()).unwrap_or(LogLevel::Debug)
}

fn log(level: LogLevel, file: &str, func: &str, line: u64, text: &Value) {
    let fs_level = level.as_str();
    macro_rules! at {
        ($macro:ident) => {
            tracing::$macro!(fs_level, file, func, line, "{}", text.text().trim_end_matches('\n'))
        };
    }
    match level {
        LogLevel::Console | LogLevel::Alert | LogLevel::Crit | LogLevel::Err => at!(error),
        LogLevel::Warning => at!(warn),
        LogLevel::Notice | LogLevel::Info => at!(info),
        LogLevel::Debug => at!(debug),
    }
}

fn console_clean_log(_: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    tracing::debug!(clean = true, "{}", args[0].text().trim_end_matches('\n'));
    Ok(Value::Nil)
}

fn get_global_variable(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    Ok(run.world().globals().get(&args[0].text()).map(|value| Value::from(&*value)).into())
}

fn set_global_variable(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    run.world().globals().set(&args[0].text(), &args[1].text());
    Ok(Value::Nil)
}

fn global_set_variable(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let globals = run.world().globals();
    let name = args[0].text();
    if let Some(expected) = args[2].given()
        && globals.get(&name).as_deref().unwrap_or_default() != expected
    {
        return Ok(Value::Integer(1));
    }
    globals.set(&name, &args[1].text());
    Ok(Value::Integer(0))
}

fn running(run: &mut Run, _: &[Value]) -> Result<Value, HostError> {
    Ok((!run.world().is_stopping()).into())
}

fn msleep(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let time = Duration::from_millis(u64::try_from(args[0].integer()).unwrap_or_default());
    run.wait(async { tokio::time::sleep(time).await })?;
    Ok(Value::Nil)
}
