//! No input panics, and every diagnostic names a place that exists.

use std::path::Path;

use chappe_config::{MemoryFiles, load, parse_fragment};
use proptest::prelude::*;

/// Pieces that the readers look for, so that random texts get somewhere.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&str] = &[
        "<",
        ">",
        "/",
        "</",
        "/>",
        "<a",
        "</a>",
        "<b c=",
        "\"",
        "'",
        "=",
        " ",
        "\n",
        "\r",
        "\t",
        "\0",
        "&",
        ";",
        "&#x41;",
        "&amp;",
        "<!--",
        "--",
        "-->",
        "<!--#",
        "set",
        "\"x=y\"",
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "<!DOCTYPE",
        "[",
        "]",
        "<!ENTITY",
        "<X-PRE-PROCESS ",
        "cmd=\"set\" data=\"",
        "cmd=\"include\" data=\"",
        "*.xml",
        "$${",
        "}",
        "$${x}",
        "<include>",
        "é",
        "\u{feff}",
    ];
    prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn loading_never_panics(root in text(), other in text()) {
        let files = MemoryFiles::new().with("/c/freeswitch.xml", root.clone()).with("/c/x.xml", other);
        let loaded = load(Path::new("/c/freeswitch.xml"), &files, &[]);
        let lines = root.len() as u32 + 1;
        for diagnostic in &loaded.diagnostics {
            if let Some(at) = diagnostic.at.as_ref().filter(|at| &*at.file == "/c/freeswitch.xml") {
                prop_assert!((1..=lines).contains(&at.line), "{diagnostic}");
            }
        }
    }

    #[test]
    fn parsing_never_panics(bytes in text()) {
        let (_, _) = parse_fragment(&String::from_utf8_lossy(&bytes), "f.xml");
    }

    #[test]
    fn attribute_values_survive(value in "\\PC*") {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let (document, d) = parse_fragment(&format!("<a data=\"{escaped}\"/>"), "f.xml");
        prop_assert_eq!(document.root().attr("data"), Some(value.as_str()));
        prop_assert!(d.is_empty());
    }
}
