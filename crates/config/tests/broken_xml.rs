//! Where FreeSWITCH's reader is strict, so is this one; it says all that is wrong, where, and what to write instead.

use chappe_config::parse_fragment;
use expect_test::{Expect, expect};

fn check(xml: &str, expected: Expect) {
    let (_, d) = parse_fragment(xml, "f.xml");
    assert!(d.has_errors(), "{xml}");
    expected.assert_eq(&d.to_string());
}

#[test]
fn end_tags() {
    check(
        "<a>\n<b>\n</a>\n</b>",
        expect![[r#"
            f.xml:3: error: unexpected closing tag </a>: <b> of f.xml:2 is open; write </b> instead
            f.xml:4: error: unexpected closing tag </b>: nothing is open
        "#]],
    );
    check(
        "<a>\n<b>\n<c/>",
        expect![[r#"
            f.xml:2: error: <b> has no end tag; write </b> at its end instead
            f.xml:1: error: <a> has no end tag; write </a> at its end instead
        "#]],
    );
    check(
        "<a/>\n<b/>",
        expect![[r#"
            f.xml:2: error: markup after the end of the root element; write one root element, such as <document>, around everything instead
        "#]],
    );
}

#[test]
fn comments() {
    check(
        "<a>\n<!-- b -- c -->\n<d></e></a>",
        expect![[r#"
            f.xml:2: error: `--` inside a comment; write `- -`, or --> where the comment ends instead
            f.xml:3: error: unexpected closing tag </e>: <d> of f.xml:3 is open; write </d> instead
            f.xml:3: error: unexpected closing tag </a>: <d> of f.xml:3 is open; write </d> instead
        "#]],
    );
    check(
        "<a/>\n<!-- b",
        expect![[r#"
        f.xml:2: error: the comment has no end; write --> at its end instead
    "#]],
    );
}

#[test]
fn markup() {
    check(
        "<a>1 < 2</a>",
        expect![[r#"
        f.xml:1: error: unexpected <; write &lt; instead
    "#]],
    );
    check(
        "<a b=\"c/></a>",
        expect![[r#"
        f.xml:1: error: the value of b in <a> has no end; write " at its end instead
    "#]],
    );
    check(
        "<a href=http://x/y></a>",
        expect![[r#"
            f.xml:1: warning: attribute href of <a> has no value in quotes, and counts as empty; write href="..." instead
            f.xml:1: warning: attribute http: of <a> has no value in quotes, and counts as empty; write http:="..." instead
            f.xml:1: error: <a> is missing its >; write values that contain / in quotes instead
        "#]],
    );
    check(
        "no markup at all",
        expect![[r#"
        f.xml:1: error: there is no root element; write <document type="freeswitch/xml">...</document> instead
    "#]],
    );
    check(
        "",
        expect![[r#"
        f.xml:1: error: there is no root element; write <document type="freeswitch/xml">...</document> instead
    "#]],
    );
}

#[test]
fn depth_is_bounded() {
    let (_, d) = parse_fragment(&"<a>".repeat(100_000), "f.xml");
    assert!(d.iter().any(|diagnostic| diagnostic.text.contains("inside each other")), "{d}");
}

#[test]
fn a_flood_of_errors_ends() {
    let (_, d) = parse_fragment(&format!("<a>{}</a>", "< ".repeat(100_000)), "f.xml");
    assert!(d.len() < 50, "{}", d.len());
}
