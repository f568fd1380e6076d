//! The JSON form: one object, a member a header.

use bytes::Bytes;
use serde_json::Value as Json;

use crate::{Event, EventName, Name, Value, header};

/// Why a text is no event in JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The text is no JSON.
    #[error("{0}")]
    Syntax(#[from] serde_json::Error),
    /// The text is JSON, but no object.
    #[error("an event in JSON is an object of header names and values")]
    NotAnObject,
}

/// Appends the JSON form to `out`, without blanks or line ends between its parts.
///
/// Arrays are JSON arrays; a body gives the members Content-Length, a string, and `_body`. A header that is there
/// twice is a member that is there twice. FreeSWITCH switch_event.c switch_event_serialize_json.
pub fn json(event: &Event, out: &mut String) {
    let mut separator = '{';
    for (name, value) in event.headers() {
        write_name(&mut separator, name, out);
        match value {
            Value::Text(text) => write_string(text, out),
            Value::Array(array) => write_array(array.iter(), out),
        }
    }
    if event.body().is_some() {
        let body = event.body_text();
        write_name(&mut separator, header::CONTENT_LENGTH, out);
        write_string(&body.len().to_string(), out);
        write_name(&mut separator, header::BODY, out);
        write_string(&body, out);
    }
    out.push_str(if separator == '{' { "{}" } else { "}" });
}

fn write_name(separator: &mut char, name: &str, out: &mut String) {
    out.push(std::mem::replace(separator, ','));
    write_string(name, out);
    out.push(':');
}

fn write_array<'a>(elements: impl Iterator<Item = &'a str>, out: &mut String) {
    out.push('[');
    for (index, element) in elements.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(element, out);
    }
    out.push(']');
}

/// RFC 8259 §7: quotation mark, reverse solidus and control characters are escaped, nothing else.
fn write_string(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut copied = 0;
    for (at, octet) in text.bytes().enumerate() {
        if octet >= b' ' && octet != b'"' && octet != b'\\' {
            continue;
        }
        let escape = match octet {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            8 => "\\b",
            12 => "\\f",
            _ => "\\u00",
        };
        out.push_str(&text[copied..at]);
        out.push_str(escape);
        if escape == "\\u00" {
            out.extend(
                [octet >> 4, octet & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
        }
        copied = at + 1;
    }
    out.push_str(&text[copied..]);
    out.push('"');
}

/// The event that `text` is in JSON.
///
/// Strings become headers, arrays of strings arrays, `_body` the body; members of other types are skipped, and
/// of several with the same name the last counts. Event-Name names the event; without one of FreeSWITCH's names
/// it is an [`EventName::Clone`]. FreeSWITCH switch_event.c switch_event_create_json.
pub fn from_json(text: &str) -> Result<Event, JsonError> {
    let Json::Object(members) = serde_json::from_str(text)? else { return Err(JsonError::NotAnObject) };
    let mut event = Event::new(EventName::Clone);
    for (name, value) in &members {
        match value {
            Json::String(body) if name.eq_ignore_ascii_case(header::BODY) => {
                event.set_body(Some(Bytes::copy_from_slice(body.as_bytes())));
            }
            Json::String(text) => add(&mut event, name, text),
            Json::Array(elements) => elements
                .iter()
                .filter_map(Json::as_str)
                .for_each(|element| event.push(Name::copied(name), element)),
            _ => {}
        }
    }
    Ok(event)
}

fn add(event: &mut Event, name: &str, value: &str) {
    if name.eq_ignore_ascii_case(header::EVENT_NAME) {
        event.remove(header::EVENT_NAME);
        event.set_name(EventName::parse(value).unwrap_or(event.name()));
    }
    event.add(Name::copied(name), value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;

    fn written(event: &Event) -> String {
        let mut text = String::new();
        json(event, &mut text);
        text
    }

    #[test]
    fn headers_arrays_and_body_are_members() {
        let mut event = Event::new(EventName::Custom);
        event.add(header::EVENT_NAME, "CUSTOM");
        event.add("x", "a\"b\\c\n\u{1}\u{1f}é/");
        event.add("x", "twice");
        event.push("list", "one");
        event.push("list", "two");
        event.set_body(Some(Bytes::from_static("é".as_bytes())));
        let expected = concat!(
            r#"{"Event-Name":"CUSTOM","x":"a\"b\\c\n\u0001\u001fé/","x":"twice","list":["one","two"],"#,
            r#""Content-Length":"2","_body":"é"}"#
        );
        assert_eq!(written(&event), expected);
    }

    #[test]
    fn an_event_without_anything_is_an_empty_object() {
        assert_eq!(written(&Event::new(EventName::Clone)), "{}");
    }

    #[test]
    fn an_event_is_read_from_json() {
        let text = r#"{"event-name":"CUSTOM","Event-Subclass":"SMS::SEND_MESSAGE","n":1,"l":["a",2,"b"],"_body":"hi"}"#;
        let event = from_json(text).unwrap();
        assert_eq!(event.subclass(), Some("SMS::SEND_MESSAGE"));
        let expected = concat!(
            r#"{"event-name":"CUSTOM","Event-Subclass":"SMS::SEND_MESSAGE","l":["a","b"],"#,
            r#""Content-Length":"2","_body":"hi"}"#
        );
        assert_eq!(written(&event), expected);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let told = |text| from_json(text).unwrap_err().to_string();
        expect!["EOF while parsing an object at line 1 column 1"].assert_eq(&told("{"));
        expect!["an event in JSON is an object of header names and values"].assert_eq(&told("[]"));
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_a_json_string(text in any::<String>()) {
            let mut out = String::new();
            write_string(&text, &mut out);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text.clone());
            prop_assert_eq!(out, serde_json::to_string(&text).unwrap());
        }
    }
}
