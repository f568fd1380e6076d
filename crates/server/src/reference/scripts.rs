//! Everything a script can call.

use std::fmt::Write;

use chappe_script::host::{self, Form, Function};

use super::{MADE, cell, code};

pub fn page() -> String {
    let mut text = format!(
        "{MADE}# Scripts\n\nWhat a script can call, written as in Lua: other languages write a method with a dot, or as \
         theirs do. What may be left out is in brackets.\n\nA script run by an app has the message as `message`; one \
         run by an API command has the command's answer as `stream` and what is known of the call as `env`; one run \
         for an event has it as `event`. `argv` holds the arguments.\n"
    );
    for functions in host::TABLES {
        // Writing to a String does not fail.
        let _ = write!(text, "\n## {}\n\n| | gives | |\n|---|---|---|\n", title(functions));
        for function in functions {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                code(&function.signature()),
                cell(function.returns),
                cell(function.doc)
            );
        }
    }
    text
}

/// The class's name, or `freeswitch` for what has none.
fn title(functions: &[Function]) -> &'static str {
    let first = functions.first();
    match first.map(Function::form) {
        Some(Form::Function) | None => "freeswitch",
        Some(_) => first.map_or("", |function| function.object.as_str()),
    }
}
