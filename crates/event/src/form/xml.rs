//! The XML form: `<event>` with `<headers>` and `<body>`.

use std::fmt::Write as _;

use crate::url::url_encode;
use crate::{Event, Value, header};

/// Appends the XML form to `out`.
///
/// Each header is an element in `<headers>`, its value percent-encoded; each element of an array is one of its
/// own. A body that isn't empty gives `<Content-Length>` and `<body>`, the text of which is not percent-encoded:
/// there, what isn't US-ASCII is written as character references. FreeSWITCH switch_event.c switch_event_xmlize,
/// switch_xml.c switch_xml_toxml. Deviation: a body that ends in an end of line gets no indentation added, and
/// one that holds `<!` is escaped like any other.
pub fn xml(event: &Event, out: &mut String) {
    out.push_str("<event>\n  <headers>");
    let start = out.len();
    for (name, value) in event.headers() {
        match value {
            Value::Text(text) => write_header(name, text, out),
            Value::Array(array) => array.iter().for_each(|element| write_header(name, element, out)),
        }
    }
    out.push_str(if out.len() == start { "</headers>\n" } else { "\n  </headers>\n" });
    let body = event.body_text();
    if !body.is_empty() {
        let name = header::CONTENT_LENGTH;
        let _ = write!(out, "  <{name}>{}</{name}>\n  <body>", body.len());
        body.chars().for_each(|c| write_character(c, out));
        out.push_str("</body>\n");
    }
    out.push_str("</event>\n");
}

fn write_header(name: &str, value: &str, out: &mut String) {
    let name = element_name(name);
    // A percent-encoded value holds neither `<` nor `&`.
    out.extend(["\n    <", &name, ">", &url_encode(value), "</", &name, ">"]);
}

/// A header name as the name of an element; FreeSWITCH writes any, which no reader takes.
fn element_name(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut element: String = name.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    if !element.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        element.insert(0, '_');
    }
    element
}

fn write_character(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\r' => out.push_str("&#xD;"),
        '\n' | '\t' | ' '..='~' => out.push(c),
        // XML 1.0 §2.2 has no control characters, not even as references.
        '\0'..' ' | '\u{FFFE}' | '\u{FFFF}' => out.push_str("&#xFFFD;"),
        _ => {
            let _ = write!(out, "&#x{:X};", u32::from(c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventName, Name};
    use bytes::Bytes;
    use expect_test::{Expect, expect};

    fn check(event: &Event, expected: Expect) {
        let mut text = String::new();
        xml(event, &mut text);
        expected.assert_eq(&text);
    }

    #[test]
    fn headers_and_body_are_elements() {
        let mut event = Event::new(EventName::Message);
        event.add(header::EVENT_NAME, "MESSAGE");
        event.push("list", "one");
        event.push("list", "<two>");
        event.add(Name::copied("1 odd<name"), "x");
        event.set_body(Some(Bytes::from_static("a<b> & é\r\n\u{1}".as_bytes())));
        let expected = expect![[r#"
            <event>
              <headers>
                <Event-Name>MESSAGE</Event-Name>
                <list>one</list>
                <list>%3Ctwo%3E</list>
                <_1_odd_name>x</_1_odd_name>
              </headers>
              <Content-Length>12</Content-Length>
              <body>a&lt;b&gt; &amp; &#xE9;&#xD;
            &#xFFFD;</body>
            </event>
        "#]];
        check(&event, expected);
    }

    #[test]
    fn an_event_without_anything_has_no_body() {
        check(
            &Event::new(EventName::Clone),
            expect![[r#"
            <event>
              <headers></headers>
            </event>
        "#]],
        );
    }
}
