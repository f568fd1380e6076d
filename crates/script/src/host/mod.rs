//! The one table of what a script can call.
//!
//! One object a file. A function's row says what it is called, what it takes and gives, and what it does; the bindings
//! of all languages go through [`Function::call`], which checks the arguments as FreeSWITCH's do.

pub mod api;
pub mod dbh;
pub mod event;
pub mod event_consumer;
pub mod freeswitch;
pub mod session;
pub mod stream;

use crate::{HostError, Object, Run, Value};

/// The name under which a class's constructor is in the table.
pub const NEW: &str = "new";

/// One function.
pub struct Function {
    pub object: Object,
    pub name: &'static str,
    /// Without the object that a method is called on.
    pub arguments: &'static [Argument],
    /// What it gives, in words; empty when nothing.
    pub returns: &'static str,
    /// One line on what it does.
    pub doc: &'static str,
    /// A method's object is the first argument. There is a value for each argument of the row, [`Value::Nil`] for those
    /// that were left out. May block, for as long as the run may take.
    pub run: fn(&mut Run, &[Value]) -> Result<Value, HostError>,
}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    pub name: &'static str,
    pub kind: Kind,
    pub optional: bool,
}

/// What an argument may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A text, a number, or nil.
    Text,
    /// A whole number.
    Integer,
    Event,
    Function,
    Any,
}

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `freeswitch.name(...)`
    Function,
    /// `freeswitch.Class(...)`
    Constructor,
    /// `object:name(...)`
    Method,
}

/// An argument that has to be there.
const fn needed(name: &'static str, kind: Kind) -> Argument {
    Argument { name, kind, optional: false }
}

/// An argument that may be left out.
const fn optional(name: &'static str, kind: Kind) -> Argument {
    Argument { name, kind, optional: true }
}

/// Every function, by object.
pub const TABLES: [&[Function]; 7] = [
    freeswitch::FUNCTIONS,
    event::FUNCTIONS,
    api::FUNCTIONS,
    event_consumer::FUNCTIONS,
    dbh::FUNCTIONS,
    stream::FUNCTIONS,
    session::FUNCTIONS,
];

/// Every function.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    TABLES.iter().copied().flatten()
}

/// Those of one object.
pub fn of(object: Object) -> impl Iterator<Item = &'static Function> {
    functions().filter(move |function| function.object == object)
}

pub fn find(object: Object, name: &str) -> Option<&'static Function> {
    of(object).find(|function| function.name == name)
}

impl Function {
    pub fn form(&self) -> Form {
        match (self.object, self.name) {
            (Object::Freeswitch, _) => Form::Function,
            (_, NEW) => Form::Constructor,
            _ => Form::Method,
        }
    }

    /// How errors name it: `Event::getHeader`.
    pub fn full_name(&self) -> String {
        match self.form() {
            Form::Function => self.name.to_owned(),
            Form::Constructor => format!("{0}::{0}", self.object.as_str()),
            Form::Method => format!("{}::{}", self.object.as_str(), self.name),
        }
    }

    /// How it is written: `event:getHeader(name)`, `freeswitch.Dbh(dsn, [user], [password])`.
    pub fn signature(&self) -> String {
        let arguments: Vec<_> = self.arguments.iter().map(Argument::written).collect();
        let arguments = arguments.join(", ");
        let object = self.object.as_str();
        match self.form() {
            Form::Function => format!("freeswitch.{}({arguments})", self.name),
            Form::Constructor => format!("freeswitch.{object}({arguments})"),
            Form::Method => format!("{}:{}({arguments})", object.to_ascii_lowercase(), self.name),
        }
    }

    /// Checks the arguments and runs it.
    pub fn call(&self, run: &mut Run, mut args: Vec<Value>) -> Result<Value, HostError> {
        run.check()?;
        let own = usize::from(self.form() == Form::Method);
        self.check_count(args.len(), own)?;
        self.check_object(args.first(), run)?;
        for (at, argument) in self.arguments.iter().enumerate() {
            match args.get_mut(own + at) {
                Some(value) => self.check(argument, value, own + at + 1)?,
                None => args.push(Value::Nil),
            }
        }
        (self.run)(run, &args)
    }

    fn check_count(&self, got: usize, own: usize) -> Result<(), HostError> {
        let least = own + self.arguments.iter().filter(|argument| !argument.optional).count();
        let most = own + self.arguments.len();
        if (least..=most).contains(&got) || self.takes_anything() {
            return Ok(());
        }
        Err(HostError::Count { function: self.full_name(), least, most, got })
    }

    /// What is not here takes no note of what it is given.
    fn takes_anything(&self) -> bool {
        matches!(self.arguments, [Argument { kind: Kind::Any, .. }])
    }

    fn check_object(&self, object: Option<&Value>, run: &Run) -> Result<(), HostError> {
        if self.form() != Form::Method {
            return Ok(());
        }
        let object = object.unwrap_or(&Value::Nil);
        match object {
            Value::Object(handle) if handle.object == self.object => {
                if run.has(*handle) || self.object == Object::Api { Ok(()) } else { Err(HostError::Gone) }
            }
            _ => Err(self.wrong(1, self.object.as_str(), object)),
        }
    }

    fn check(&self, argument: &Argument, value: &mut Value, position: usize) -> Result<(), HostError> {
        let expected = match (argument.kind, &*value) {
            (Kind::Any, _)
            | (Kind::Text, Value::Text(_) | Value::Nil)
            | (Kind::Integer, Value::Integer(_)) => {
                return Ok(());
            }
            (Kind::Event, Value::Object(handle)) if handle.object == Object::Event => return Ok(()),
            (Kind::Function, Value::Function) => return Ok(()),
            (_, Value::Nil) if argument.optional => return Ok(()),
            (Kind::Text, Value::Integer(number)) => {
                *value = number.to_string().into();
                return Ok(());
            }
            (Kind::Text, Value::Number(number)) => {
                *value = number.to_string().into();
                return Ok(());
            }
            (Kind::Integer, Value::Bool(yes)) => {
                *value = Value::Integer(i64::from(*yes));
                return Ok(());
            }
            (Kind::Integer, given) => match whole(given) {
                Some(number) => {
                    *value = Value::Integer(number);
                    return Ok(());
                }
                None => "int",
            },
            (Kind::Text, _) => "char const *",
            (Kind::Event, _) => "Event *",
            (Kind::Function, _) => "function",
        };
        Err(self.wrong(position, expected, value))
    }

    fn wrong(&self, position: usize, expected: &'static str, got: &Value) -> HostError {
        HostError::Kind { function: self.full_name(), position, expected, got: got.kind() }
    }
}

impl Argument {
    fn written(&self) -> String {
        if self.optional { format!("[{}]", self.name) } else { self.name.to_owned() }
    }
}

/// A whole number, or one cut to be whole, as C does it.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => Some(*number as i64),
        Value::Text(_) => value.as_str()?.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_function_is_there_once_and_described() {
        let mut seen = BTreeSet::new();
        for function in functions() {
            assert!(seen.insert((function.object, function.name)), "{} is there twice", function.full_name());
            assert!(!function.doc.is_empty(), "{}", function.full_name());
            let optional = function.arguments.iter().map(|argument| argument.optional);
            assert!(optional.is_sorted(), "{}: what may be left out comes last", function.full_name());
        }
    }

    #[test]
    fn signatures() {
        let signature = |object, name| find(object, name).map(Function::signature).unwrap();
        assert_eq!(signature(Object::Freeswitch, "consoleLog"), "freeswitch.consoleLog(level, text)");
        assert_eq!(signature(Object::Event, "new"), "freeswitch.Event(type, [subclass])");
        assert_eq!(signature(Object::Event, "chat_execute"), "event:chat_execute(app, [data])");
    }
}
