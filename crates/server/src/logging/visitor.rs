//! What a tracing event says: its text, and the fields that mean something to the log bus.

use std::fmt::{self, Write};

use chappe_event::LogLevel;
use tracing::field::{Field, Visit};

/// Collects an event's fields. Those without a meaning of their own follow the message as ` name=value`.
#[derive(Default)]
pub struct Fields {
    message: String,
    rest: String,
    pub clean: bool,
    pub level: Option<LogLevel>,
    pub file: Option<String>,
    pub func: Option<String>,
    pub line: Option<u32>,
    pub user_data: Option<String>,
}

impl Fields {
    /// The line's text.
    pub fn text(mut self) -> String {
        self.message.push_str(&self.rest);
        self.message
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "clean" => self.clean = value,
            _ => self.record_debug(field, &value),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "line" => self.line = u32::try_from(value).ok(),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            "line" => self.line = u32::try_from(value).ok(),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            "fs_level" => self.level = LogLevel::parse(value),
            "file" => self.file = Some(value.to_owned()),
            "func" => self.func = Some(value.to_owned()),
            "user_data" => self.user_data = Some(value.to_owned()),
            name => append(&mut self.rest, name, format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => append_message(&mut self.message, value),
            name => append(&mut self.rest, name, format_args!("{value:?}")),
        }
    }
}

fn append_message(message: &mut String, value: &dyn fmt::Debug) {
    // Writing to a String does not fail.
    let _ = write!(message, "{value:?}");
}

fn append(rest: &mut String, name: &str, value: fmt::Arguments<'_>) {
    let _ = write!(rest, " {name}={value}");
}
