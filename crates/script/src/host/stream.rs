//! `Stream`: the answer of an API command. FreeSWITCH switch_cpp.cpp `Stream`.

use bytes::Bytes;

use super::Kind::{Integer, Text};
use super::{Function, needed, optional};
use crate::{HostError, Object, Run, Value};

const OBJECT: Object = Object::Stream;

pub const FUNCTIONS: &[Function] = &[
    Function {
        object: OBJECT,
        name: "write",
        arguments: &[needed("text", Text)],
        returns: "",
        doc: "Add to the command's answer.",
        run: write,
    },
    Function {
        object: OBJECT,
        name: "raw_write",
        arguments: &[needed("octets", Text), optional("length", Integer)],
        returns: "",
        doc: "Add octets to the command's answer, the first so many of them.",
        run: raw_write,
    },
    Function {
        object: OBJECT,
        name: "read",
        arguments: &[],
        returns: "nil",
        doc: "What the command's caller sends along: nothing here.",
        run: |_, _| Ok(Value::Nil),
    },
    Function {
        object: OBJECT,
        name: "get_data",
        arguments: &[],
        returns: "text",
        doc: "What was written so far.",
        run: |run, _| Ok(Value::Text(Bytes::copy_from_slice(run.written()))),
    },
];

fn write(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    if let Value::Text(text) = &args[1] {
        run.write(text)?;
    }
    Ok(Value::Nil)
}

fn raw_write(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    if let Value::Text(octets) = &args[1] {
        let length = match &args[2] {
            Value::Integer(length) => usize::try_from(*length).unwrap_or(0),
            _ => octets.len(),
        };
        run.write(&octets[..length.min(octets.len())])?;
    }
    Ok(Value::Nil)
}
