//! What FreeSWITCH's reader takes, this one takes; where a strict reader would refuse, a hint says so.

use chappe_config::{Severity, parse_fragment};

/// The `data` of the root element and the diagnostics, one a line.
fn check(xml: &str, data: &str, diagnostics: &[&str]) {
    let (document, found) = parse_fragment(xml, "f.xml");
    assert_eq!(document.root().attr_or("data", ""), data, "{xml}");
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, diagnostics, "{xml}");
}

#[test]
fn values_that_a_strict_reader_refuses() {
    check(
        r#"<action data="from=${from_user}&to=${to_user}"/>"#,
        "from=${from_user}&to=${to_user}",
        &["f.xml:1: hint: raw & in data; write &amp; instead"],
    );
    check(
        "<action data=\"${cond(${a} < ${b} ? YES : NO)}\"/>",
        "${cond(${a} < ${b} ? YES : NO)}",
        &["f.xml:1: hint: raw < in data; write &lt; instead"],
    );
    check(
        r#"<action data="a &nbsp; b"/>"#,
        "a &nbsp; b",
        &["f.xml:1: hint: unknown entity &nbsp; in data stays as it is; write &amp;nbsp; instead"],
    );
    check(
        r#"<action data="first" data="second"/>"#,
        "first",
        &["f.xml:1: warning: attribute data of <action> is there twice: the first counts"],
    );
    check(
        r#"<action data=bare/>"#,
        "",
        &[
            "f.xml:1: warning: attribute data of <action> has no value in quotes, and counts as empty; \
             write data=\"...\" instead",
            "f.xml:1: warning: attribute bare of <action> has no value in quotes, and counts as empty; \
             write bare=\"...\" instead",
        ],
    );
}

#[test]
fn values_that_are_fine() {
    let cases = [
        (r#"<action data = "sp"/>"#, "sp"),
        ("<action data='single \"quotes\"'/>", "single \"quotes\""),
        ("<action\n\tdata=\"one\ttwo\nthree\"\n/>", "one two three"),
        ("<action data=\"one&#10;two\"/>", "one\ntwo"),
        ("<action data=\"a > b\"/>", "a > b"),
        ("<action data=\"ž é 🎉\"/>", "ž é 🎉"),
        ("<action data=\"x\"application=\"y\"/>", "x"),
        (
            "<?xml version=\"1.0\"?>\n<!DOCTYPE x>\n<!-- c --><action data=\"x\"></action>\n<!-- after -->\n",
            "x",
        ),
        (
            "<!DOCTYPE a [<!-- ]> --><!ENTITY who \"wo&amp;rld\"><!ENTITY x SYSTEM 'y'>]><a data=\"&who;\"/>",
            "wo&rld",
        ),
    ];
    for (xml, data) in cases {
        check(xml, data, &[]);
    }
}

#[test]
fn text_is_kept_as_it_is() {
    let (document, d) = parse_fragment("<a>  padded <b/>\r\n<![CDATA[<&>]]>&lt;</a>", "f.xml");
    assert_eq!(document.root().text, "  padded \n<&><");
    assert!(d.is_empty(), "{d}");
}

#[test]
fn names_are_compared_as_written_and_values_without_case() {
    let xml = "<document><section name=\"Chatplan\"><context name=\"a\"/></section><Section name=\"x\"/></document>";
    let (document, _) = parse_fragment(xml, "f.xml");
    assert!(
        document.section("chatplan").is_some_and(|section| section.find("context", "name", "A").is_some())
    );
    assert!(document.section("x").is_none());
    assert!(document.root().child("SECTION").is_none());
}

#[test]
fn every_element_knows_its_place() {
    let (document, _) = parse_fragment("<a>\n  <b/>\r\n\t<c\n/><d/>\n</a>", "f.xml");
    let places: Vec<String> =
        document.root().children.iter().map(|child| format!("{:?}", child.at)).collect();
    assert_eq!(places, ["f.xml:2:3", "f.xml:3:2", "f.xml:4:3"]);
}

#[test]
fn entities_that_grow_are_cut_off() {
    let mut xml = String::from("<!DOCTYPE a [<!ENTITY l0 \"lolololololol\">");
    for level in 1..15 {
        let below = format!("&l{};", level - 1).repeat(10);
        xml.push_str(&format!("<!ENTITY l{level} \"{below}\">"));
    }
    xml.push_str("<!ENTITY me \"&me;\">]><a data=\"&l14;\" x=\"&me;\"/>");
    let (document, d) = parse_fragment(&xml, "f.xml");
    assert!(document.root().attr_or("data", "").len() < 2 << 20);
    assert_eq!(d.of(Severity::Error).count(), 2, "{d}");
}
