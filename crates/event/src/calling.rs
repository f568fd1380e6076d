//! Where in the source an event was made.

use std::panic::Location;

/// What `Event-Calling-File`, `-Function` and `-Line-Number` say.
///
/// Listeners filter on them, so an event that FreeSWITCH has too names FreeSWITCH's file and function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calling {
    /// The source file, without its folders.
    pub file: &'static str,
    /// The function; its header is left out when this is empty.
    pub function: &'static str,
    /// The line, from 1.
    pub line: u32,
}

impl Calling {
    /// The place of the caller, in the named function.
    #[track_caller]
    pub fn here(function: &'static str) -> Self {
        let caller = Location::caller();
        let path = caller.file();
        let file = path.rfind(['/', '\\']).map_or(path, |slash| &path[slash + 1..]);
        Self { file, function, line: caller.line() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_no_folders() {
        let calling = Calling::here("the_file_has_no_folders");
        assert_eq!((calling.file, calling.function), ("calling.rs", "the_file_has_no_folders"));
        assert_eq!(calling.line, line!() - 2);
    }
}
