//! `X-PRE-PROCESS`, its old form, and `$${name}`.

use std::path::Path;

use chappe_config::{Loaded, MemoryFiles, load, load_with};
use expect_test::{Expect, expect};

fn presets() -> Vec<(String, String)> {
    vec![("local_ip_v4".into(), "192.0.2.7".into())]
}

fn loaded(files: &MemoryFiles) -> Loaded {
    load(Path::new("/conf/freeswitch.xml"), files, &presets())
}

/// The text of the root element of a configuration in one file.
fn text_of(content: &str, files: MemoryFiles) -> (String, Loaded) {
    let files = files.with("/conf/freeswitch.xml", format!("<document>{content}</document>"));
    let loaded = loaded(&files);
    (loaded.document.root().text.clone(), loaded)
}

#[test]
fn variables_are_set_and_expanded() {
    let cases = [
        ("<X-PRE-PROCESS cmd=\"set\" data=\"a=1\"/>\n[$${a}]", "[1]"),
        ("<x-pre-process cmd=\"SET\" data=\"a = 1 2\"/>\n[$${A}]", "[1 2]"),
        ("<!--#set \"a=1\"-->\n[$${a}]", "\n[1]"),
        ("<!--#set \"a=1\"-->[kept]\n[$${a}]", "[kept]\n[1]"),
        ("<!-- <X-PRE-PROCESS cmd=\"set\" data=\"a=1\"/> -->\n[$${a}]", "[1]"),
        (
            "<X-PRE-PROCESS cmd=\"set\" data=\"a=1\"/>\n<X-PRE-PROCESS cmd=\"set\" data=\"b=$${a}2\"/>\n$${b}",
            "12",
        ),
        ("<X-PRE-PROCESS cmd=\"env-set\" data=\"a=$NOT_THERE\"/>\n[$${a}]", "[]"),
        ("<X-PRE-PROCESS cmd=\"env-set\" data=\"a=$HOME\"/>\n[$${a}]", "[/root]"),
        ("<X-PRE-PROCESS cmd=\"exec-set\" data=\"a=hostname\"/>\n[$${a}]", "[tower]"),
        ("<X-PRE-PROCESS cmd=\"exec\" data=\"hostname\"/>\n|", "tower \n\n|"),
        ("<X-PRE-PROCESS cmd=\"stun-set\" data=\"a=stun:example.com\"/>\n[$${a}]", "[192.0.2.7]"),
        ("<XX-PRE-PROCESS cmd=\"set\" data=\"local_ip_v4=1\"/>\n$${local_ip_v4}", "192.0.2.7"),
        (
            "<!--#comment\n<X-PRE-PROCESS cmd=\"set\" data=\"local_ip_v4=1\"/>\n-->$${local_ip_v4}",
            "$${local_ip_v4}",
        ),
        ("<X-PRE-PROCESS cmd=\"set\" data=\"a=${b}\"/>\n$${a}", "%{b}"),
    ];
    for (content, expected) in cases {
        let files = MemoryFiles::new().with_env("HOME", "/root").with_command("hostname", "tower \n\n");
        let files = files.with("/conf/freeswitch.xml", format!("<document>\n{content}</document>"));
        let loaded = loaded(&files);
        let text = loaded.document.root().text.strip_prefix('\n').unwrap_or_default().to_owned();
        assert_eq!(text, expected, "{content}");
        assert!(!loaded.diagnostics.has_errors(), "{content}: {}", loaded.diagnostics);
    }
}

#[test]
fn globals_are_those_that_were_set_last_in_order() {
    let content = "\n<X-PRE-PROCESS cmd=\"set\" data=\"a=1\"/>\n<X-PRE-PROCESS cmd=\"set\" data=\"b=2\"/>\n\
                   <X-PRE-PROCESS cmd=\"set\" data=\"a=3\"/>\n";
    let (_, loaded) = text_of(content, MemoryFiles::new());
    let globals: Vec<String> = loaded.globals.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(globals, ["local_ip_v4=192.0.2.7", "b=2", "a=3"]);
}

#[test]
fn overrides_win() {
    let content = "<document>\n<X-PRE-PROCESS cmd=\"set\" data=\"sip_port=5060\"/>\n$${sip_port}</document>";
    let files = MemoryFiles::new().with("/freeswitch.xml", content);
    let overrides = [("sip_port".to_owned(), "0".to_owned())];
    let loaded = load_with(Path::new("/freeswitch.xml"), &files, &[], &overrides);
    assert_eq!(loaded.document.root().text, "\n0");
    assert_eq!(loaded.globals, overrides);
}

#[test]
fn includes_are_relative_to_their_file_and_keep_its_places() {
    let files = MemoryFiles::new()
        .with(
            "/conf/freeswitch.xml",
            "<document>\n<X-PRE-PROCESS cmd=\"include\" data=\"sub/*.xml\"/>\n<last/>\n</document>\n",
        )
        .with("/conf/sub/b.xml", "<b/>")
        .with(
            "/conf/sub/a.xml",
            "<?xml version=\"1.0\"?>\n<include>\n  <!--#include \"deep/x.xml\"-->\n  <a/>\n</include>\n",
        )
        .with("/conf/sub/deep/x.xml", "\u{feff}<x/>\r\n<y data=\"$${local_ip_v4}\"/><z/>\r\n");
    let loaded = loaded(&files);
    let places: Vec<String> = loaded
        .document
        .root()
        .children
        .iter()
        .map(|child| format!("{} {:?}", child.name, child.at))
        .collect();
    assert_eq!(
        places,
        [
            "x /conf/sub/deep/x.xml:1:1",
            "y /conf/sub/deep/x.xml:2:1",
            "z /conf/sub/deep/x.xml:2:28",
            "a /conf/sub/a.xml:4:3",
            "b /conf/sub/b.xml:1:1",
            "last /conf/freeswitch.xml:3:1",
        ]
    );
    assert!(!loaded.diagnostics.has_errors(), "{}", loaded.diagnostics);
}

#[test]
fn a_file_that_includes_itself_is_an_error() {
    let files = MemoryFiles::new()
        .with(
            "/conf/freeswitch.xml",
            "<document>\n<X-PRE-PROCESS cmd=\"include\" data=\"*.xml\"/>\n</document>\n",
        )
        .with("/conf/other.xml", "<X-PRE-PROCESS cmd=\"include\" data=\"other.xml\"/>\n");
    let loaded = loaded(&files);
    let found: Vec<String> = loaded.diagnostics.errors().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "/conf/freeswitch.xml:2: error: /conf/freeswitch.xml includes itself",
            "/conf/other.xml:1: error: /conf/other.xml includes itself",
        ]
    );
}

#[test]
fn includes_that_fan_out_are_bounded() {
    let mut files = MemoryFiles::new().with("/conf/freeswitch.xml", "<!--#include 0.xml-->\n");
    for level in 0..60 {
        let next = level + 1;
        let twice = format!("<!--#include {next}.xml-->\n").repeat(2);
        files.insert(format!("/conf/{level}.xml"), twice);
    }
    let loaded = loaded(&files);
    assert!(loaded.diagnostics.errors().any(|error| error.text.contains("files are included")));
}

#[test]
fn variables_that_double_are_bounded() {
    let mut content = String::from("<document>\n<X-PRE-PROCESS cmd=\"set\" data=\"a=0123456789abcdef\"/>\n");
    for _ in 0..40 {
        content.push_str("<X-PRE-PROCESS cmd=\"set\" data=\"a=$${a}$${a}\"/>\n");
    }
    let (files, path) = (MemoryFiles::new().with("/conf/freeswitch.xml", content), "/conf/freeswitch.xml");
    let loaded = load(Path::new(path), &files, &[]);
    assert!(loaded.diagnostics.errors().any(|error| error.text.contains("the line with its variables")));
}

#[test]
fn what_is_lost_or_not_obeyed_is_said() {
    let check = |content: &str, expected: Expect| {
        let files = MemoryFiles::new().with("/conf/freeswitch.xml", content);
        expected.assert_eq(&loaded(&files).diagnostics.to_string());
    };
    check(
        "<include><document>\n\
         <context><X-PRE-PROCESS cmd=\"set\" data=\"a=1\"/>\n\
         <X-PRE-PROCESS cmd='set' data='a=1'/>\n\
         <X-PRE-PROCESS cmd=\"sett\" data=\"a=1\"/>\n\
         <!-- <X-PRE-PROCESS cmd=\"set\" data=\"a=1\"/> -->\n\
         <X-PRE-PROCESS cmd=\"set\" data=\"a\"/>\n\
         <X-PRE-PROCESS cmd=\"include\" data=\"missing.xml\"/>\n\
         <X-PRE-PROCESS cmd=\"include\" data=\"missing/*.xml\"/>\n\
         <X-PRE-PROCESS cmd=\"exec\" data=\"false\"/>\n\
         [$${nobody}] [$${nobody}]\n\
         [$${open]\n\
         <action data=\"on X-PRE-PROCESS\"/>\n\
         <XX-PRE-PROCESS cmd=\"set\" data=\"a=1\"/>\n",
        expect![[r#"
            /conf/freeswitch.xml:1: warning: what stands on the line of <include> or <?xml?> is lost; write it on a line of its own instead
            /conf/freeswitch.xml:2: warning: what else stands on the line of X-PRE-PROCESS is lost; write X-PRE-PROCESS on a line of its own instead
            /conf/freeswitch.xml:3: warning: X-PRE-PROCESS is not obeyed: cmd="..." is missing; write <X-PRE-PROCESS cmd="set" data="name=value"/> on one line instead
            /conf/freeswitch.xml:4: warning: X-PRE-PROCESS has no command `sett`; write set instead
            /conf/freeswitch.xml:5: warning: a comment does not switch X-PRE-PROCESS off: it is obeyed; write <Z-PRE-PROCESS .../>, or nothing, instead
            /conf/freeswitch.xml:6: warning: set: `a` sets nothing; write name=value instead
            /conf/freeswitch.xml:7: hint: /conf/missing.xml is not there to be included
            /conf/freeswitch.xml:9: warning: exec: failed to run `false`: no such command
            /conf/freeswitch.xml:10: hint: global variable nobody is not set: it expands to nothing
            /conf/freeswitch.xml:11: warning: a `$${` has no end; write $${name} instead
            /conf/freeswitch.xml:12: warning: the line is lost, since it contains X-PRE-PROCESS; write the line without this word instead
            /conf/freeswitch.xml:10: error: there is no root element; write <document type="freeswitch/xml">...</document> instead
        "#]],
    );
}

#[test]
fn a_missing_or_odd_file_is_an_error() {
    let check = |files: MemoryFiles, expected: Expect| {
        expected.assert_eq(&loaded(&files).diagnostics.to_string());
    };
    check(
        MemoryFiles::new(),
        expect![[r#"
        error: failed to read /conf/freeswitch.xml: entity not found
    "#]],
    );
    check(
        MemoryFiles::new().with("/conf/freeswitch.xml", *b"\xff\xfe<\0"),
        expect![[r#"
            /conf/freeswitch.xml:1: error: the file is written in UTF-16; write it in UTF-8 instead
        "#]],
    );
    check(
        MemoryFiles::new()
            .with("/conf/freeswitch.xml", *b"<document>\n<section name=\"configuration\"/>\xe9</document>"),
        expect![[r#"
            /conf/freeswitch.xml:2: warning: some octets are not UTF-8, and are read as �; write the file in UTF-8 instead
        "#]],
    );
}
