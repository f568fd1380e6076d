//! What Lua's errors say, without the wrapping.

use mlua::Error;

/// The error's own words, with Lua's traceback where there is one.
pub(super) fn text(error: &Error) -> String {
    match error {
        Error::CallbackError { traceback, cause } => format!("{}\n{traceback}", words(cause)),
        other => words(other),
    }
}

/// The error's own words.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::CallbackError { cause, .. } => words(cause),
        Error::WithContext { context, cause } => format!("{context}: {}", words(cause)),
        Error::RuntimeError(text) | Error::MemoryError(text) => text.clone(),
        Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// Whether memory was short.
pub(super) fn is_memory(error: &Error) -> bool {
    match error {
        Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } => is_memory(cause),
        Error::MemoryError(_) => true,
        // What a script caught and raised again.
        Error::RuntimeError(text) => text.starts_with("not enough memory"),
        _ => false,
    }
}
