//! What goes in and out of a function of the host table.

use bytes::Bytes;

/// A value of a script's, whatever its language.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    #[default]
    Nil,
    Bool(bool),
    Integer(i64),
    Number(f64),
    /// Octets; most often UTF-8.
    Text(Bytes),
    Object(Handle),
    /// The script gave a function: each item of the [`List`](Self::List) that the call answers goes to it, until it
    /// returns something other than 0, and the script is told whether all of them did.
    Function,
    List(Vec<Value>),
    /// A row of a database: its columns in order.
    Record(Vec<(String, Value)>),
    /// More than one result, where a language has that; a tuple elsewhere.
    Several(Vec<Value>),
}

impl Value {
    /// The text, if it is one that is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// The text as one that is UTF-8, with U+FFFD for what is not; empty for what is no text.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Text(text) => String::from_utf8_lossy(text),
            _ => "".into(),
        }
    }

    /// The text, unless it is empty or none: FreeSWITCH's `zstr`.
    pub fn given(&self) -> Option<std::borrow::Cow<'_, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(String::from_utf8_lossy(text)),
            _ => None,
        }
    }

    pub fn integer(&self) -> i64 {
        match self {
            Self::Integer(number) => *number,
            Self::Bool(yes) => i64::from(*yes),
            _ => 0,
        }
    }

    /// How an error message calls what it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "boolean",
            Self::Integer(_) | Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Object(handle) => handle.object.as_str(),
            Self::Function => "function",
            Self::List(_) | Self::Record(_) | Self::Several(_) => "table",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Bytes::from(text))
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nil, Into::into)
    }
}

/// A class of what scripts work with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Object {
    /// The module itself: its functions have no object.
    Freeswitch,
    Event,
    Api,
    EventConsumer,
    Dbh,
    Stream,
    Session,
    IvrMenu,
    Dtmf,
}

impl Object {
    pub const LIST: [Self; 9] = [
        Self::Freeswitch,
        Self::Event,
        Self::Api,
        Self::EventConsumer,
        Self::Dbh,
        Self::Stream,
        Self::Session,
        Self::IvrMenu,
        Self::Dtmf,
    ];

    /// FreeSWITCH's name of the class.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Freeswitch => "freeswitch",
            Self::Event => "Event",
            Self::Api => "API",
            Self::EventConsumer => "EventConsumer",
            Self::Dbh => "Dbh",
            Self::Stream => "Stream",
            Self::Session => "Session",
            Self::IvrMenu => "IVRMenu",
            Self::Dtmf => "DTMF",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::LIST.into_iter().find(|object| object.as_str() == name)
    }
}

/// Names one object of a [`Run`](crate::Run). It means nothing in any other run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle {
    pub object: Object,
    pub id: u32,
}

impl Handle {
    /// The message that the app was run on.
    pub const MESSAGE: Self = Self { object: Object::Event, id: 0 };
    /// What an API command is told about the call.
    pub const ENV: Self = Self { object: Object::Event, id: 1 };
    /// The event that a hook was run for.
    pub const EVENT: Self = Self { object: Object::Event, id: 2 };
    /// Where an API command's answer is written.
    pub const STREAM: Self = Self { object: Object::Stream, id: 0 };
    /// The first number that a script's own objects have.
    pub(crate) const FIRST: u32 = 3;
}

impl From<Handle> for Value {
    fn from(handle: Handle) -> Self {
        Self::Object(handle)
    }
}
