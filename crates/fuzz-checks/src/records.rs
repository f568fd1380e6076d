//! An input that is several messages.

/// Stands between two messages.
const SEPARATOR: u8 = 0x1e;

/// The messages of an input.
pub fn records(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == SEPARATOR)
}
