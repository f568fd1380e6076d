//! An event as octets: nothing of it is lost.

use bytes::Bytes;
use chappe_event::{Event, EventName, Value};

use super::code::{In, Out};

/// The form below. One that is read stays readable when another is added.
const FORM: u8 = 1;

const UNIQUE_HEADERS: u8 = 1;
const NO_CHAT_EXEC: u8 = 2;
const HAS_BODY: u8 = 4;

/// A value that is no array; an array of n elements is n + 1.
const TEXT: u64 = 0;

/// Room for the headers of a MESSAGE.
const HEADERS: usize = 2048;

/// Sealed for the message of this key.
pub fn encode(event: &Event, key: &[u8]) -> Vec<u8> {
    let mut out = Out::with_capacity(HEADERS + event.body().map_or(0, Bytes::len));
    out.octet(FORM);
    let flag = |set, flag| if set { flag } else { 0 };
    out.octet(
        flag(event.has_unique_headers(), UNIQUE_HEADERS)
            | flag(event.no_chat_exec(), NO_CHAT_EXEC)
            | flag(event.body().is_some(), HAS_BODY),
    );
    out.text(event.name().as_str());
    let headers = event.headers();
    out.number(headers.len() as u64);
    for (name, value) in headers {
        out.text(name);
        match value {
            Value::Text(text) => {
                out.number(TEXT);
                out.text(text);
            }
            Value::Array(array) => {
                let elements = array.iter();
                out.number(elements.len() as u64 + 1);
                elements.for_each(|element| out.text(element));
            }
        }
    }
    if let Some(body) = event.body() {
        out.octets(body);
    }
    out.sealed(key)
}

/// `None`: damaged, or of another message.
pub fn decode(octets: &[u8], key: &[u8]) -> Option<Event> {
    let mut input = In::unsealed(key, octets)?;
    if input.octet()? != FORM {
        return None;
    }
    let flags = input.octet()?;
    let mut event = Event::bare(EventName::parse(input.text()?)?, flags & UNIQUE_HEADERS != 0);
    for _ in 0..input.count()? {
        let name = input.text()?;
        match input.number()? {
            TEXT => event.restore_text(name, input.text()?),
            elements => {
                let elements = (1..elements).map(|_| input.text()).collect::<Option<Vec<_>>>()?;
                event.restore_array(name, elements);
            }
        }
    }
    if flags & HAS_BODY != 0 {
        event.set_body(Some(Bytes::copy_from_slice(input.octets()?)));
    }
    if flags & NO_CHAT_EXEC != 0 {
        event.set_no_chat_exec();
    }
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: &Event) {
        let back = decode(&encode(event, b"key"), b"key").unwrap();
        assert_eq!(back, *event);
        assert_eq!(back.has_unique_headers(), event.has_unique_headers());
        assert_eq!(back.no_chat_exec(), event.no_chat_exec());
        let elements = |event: &Event| -> Vec<Option<Vec<String>>> {
            let values = event.headers().map(|(_, value)| match value {
                Value::Text(_) => None,
                Value::Array(array) => Some(array.iter().map(str::to_owned).collect()),
            });
            values.collect()
        };
        assert_eq!(elements(&back), elements(event));
    }

    #[test]
    fn every_event_comes_back_as_it_was() {
        for name in EventName::LIST {
            check(&Event::new(*name));
        }
        let mut event = Event::new(EventName::Message);
        event.add("from", "1000@example.org");
        event.add("To", "Grüße\r\n");
        event.set_body(Some(Bytes::from_static(b"\0\xff octets\r\n")));
        check(&event);
        event.set_body(Some(Bytes::new()));
        event.set_no_chat_exec();
        check(&event);
        event.set_name(EventName::Custom);
        check(&event);
    }

    #[test]
    fn arrays_and_names_that_repeat_come_back() {
        let mut event = Event::custom("SMS::SEND_MESSAGE");
        event.push("one", "alone");
        event.push("list", "a");
        event.push("list", "");
        event.push("list", "ARRAY::x|:y");
        event.add("hole[3]", "third");
        event.add_top("list", "a text above the array of its name");
        event.add("twice", "1");
        event.add("TWICE", "2");
        event.add_display("_body", "a header, not the body");
        event.add_display("text", "ARRAY::not|:one");
        check(&event);
    }

    #[test]
    fn another_form_or_a_stub_is_no_event() {
        let mut out = Out::default();
        out.octet(FORM + 1);
        assert!(decode(&out.sealed(b""), b"").is_none());
        let mut out = Out::default();
        out.octet(FORM);
        assert!(decode(&out.sealed(b""), b"").is_none());
    }
}
