//! Whatever a server sends, nothing of it drives the terminal, and nothing falls over it.

use chappe_console::completion::Completion;
use chappe_console::printable::{printable, word};
use chappe_console::profile::ProfileFile;
use proptest::prelude::*;

/// Text with more of what does harm than chance brings.
fn text() -> impl Strategy<Value = String> {
    let harmful = prop_oneof![
        Just("\x1b[2J".to_owned()),
        Just("\u{9b}31m".to_owned()),
        Just("\r".to_owned()),
        Just("\n\nwrite=".to_owned()),
        Just("[word]\t".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("[section]\n".to_owned()),
        Just(" => ".to_owned()),
        "[0-9]{1,20}:".prop_map(|number| number),
        ".{0,8}",
    ];
    prop::collection::vec(harmful, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn nothing_printed_holds_a_control_character(text in text()) {
        let shown = printable(&text);
        prop_assert!(!shown.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t'));
        prop_assert_eq!(printable(&shown), shown.clone());
        prop_assert!(!word(&text, 10).contains(char::is_control));
    }

    #[test]
    fn a_completion_fits_the_line(answer in text(), before in text()) {
        let Completion { start, words } = Completion::parse(&answer, &before);
        prop_assert!(before.is_char_boundary(start));
        prop_assert!(words.iter().all(|word| !word.contains(char::is_control)));
    }

    #[test]
    fn a_file_is_read_or_refused(file in text()) {
        let _ = ProfileFile::parse("file", &file).choose(None);
    }
}
