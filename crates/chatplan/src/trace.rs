//! What a hunt says about itself.

use std::fmt;

use chappe_event::LogLevel;

/// Takes the lines a hunt writes.
pub trait Trace {
    /// Whether somebody reads lines of this level. Nothing is formatted for a level that nobody reads.
    fn wanted(&self, level: LogLevel) -> bool;

    /// One line; a `clean` one stands without time, level and place.
    fn line(&mut self, level: LogLevel, clean: bool, text: fmt::Arguments<'_>);
}

/// Nobody reads.
pub struct Silent;

impl Trace for Silent {
    fn wanted(&self, _level: LogLevel) -> bool {
        false
    }

    fn line(&mut self, _level: LogLevel, _clean: bool, _text: fmt::Arguments<'_>) {}
}

/// Writes a line when its level is wanted.
macro_rules! say {
    ($trace:expr, clean $level:ident, $($text:tt)*) => {
        $crate::trace::say!(@ $trace, true, $level, $($text)*)
    };
    ($trace:expr, $level:ident, $($text:tt)*) => {
        $crate::trace::say!(@ $trace, false, $level, $($text)*)
    };
    (@ $trace:expr, $clean:literal, $level:ident, $($text:tt)*) => {
        if $trace.wanted(chappe_event::LogLevel::$level) {
            $trace.line(chappe_event::LogLevel::$level, $clean, format_args!($($text)*));
        }
    };
}

pub(crate) use say;
