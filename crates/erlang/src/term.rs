//! Erlang terms and what they mean here: texts, events, log lines.

use chappe_event::{Event, LogLine};
use eetf::{Atom, Binary, ByteList, FixInteger, List, Term, Tuple};

/// How texts are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// A list of octets, which Erlang calls a string.
    #[default]
    String,
    Binary,
}

impl Encoding {
    /// A text of ours.
    pub(crate) fn text(self, text: impl AsRef<[u8]>) -> Term {
        let octets = text.as_ref();
        match self {
            Self::Binary => Term::from(Binary::from(octets.to_vec())),
            Self::String => string(octets),
        }
    }
}

/// The short form of a string has 65535 octets at most; a longer one is a list, and an empty one the empty list.
fn string(octets: &[u8]) -> Term {
    match octets.len() {
        0 => Term::from(List::nil()),
        1..=0xffff => Term::from(ByteList::from(octets.to_vec())),
        _ => Term::from(List::from(
            octets.iter().map(|octet| Term::from(FixInteger::from(*octet))).collect::<Vec<_>>(),
        )),
    }
}

pub(crate) fn atom(name: &str) -> Term {
    Term::from(Atom::from(name))
}

pub(crate) fn tuple(elements: impl Into<Vec<Term>>) -> Term {
    Term::from(Tuple::from(elements.into()))
}

pub(crate) fn error(reason: &str) -> Term {
    tuple([atom("error"), atom(reason)])
}

/// The name of an atom.
pub(crate) fn as_atom(term: &Term) -> Option<&str> {
    match term {
        Term::Atom(atom) => Some(&atom.name),
        _ => None,
    }
}

/// A text of a peer's: a string, a binary, or a list of them. Octets that are not UTF-8 are Latin-1, as in an Erlang string.
pub(crate) fn as_text(term: &Term) -> Option<String> {
    match term {
        Term::ByteList(list) => Some(decoded(&list.bytes)),
        Term::Binary(binary) => Some(decoded(&binary.bytes)),
        Term::List(list) => from_codes(&list.elements).or_else(|| {
            let mut octets = Vec::new();
            join(&list.elements, &mut octets).then(|| decoded(&octets))
        }),
        _ => None,
    }
}

/// Writes an Erlang `iolist` one after the other; whether it is one. It is as deep as a checked term may be.
fn join(elements: &[Term], octets: &mut Vec<u8>) -> bool {
    elements.iter().all(|element| match element {
        Term::ByteList(list) => {
            octets.extend(&list.bytes);
            true
        }
        Term::Binary(binary) => {
            octets.extend(&binary.bytes);
            true
        }
        Term::FixInteger(number) => u8::try_from(number.value).map(|octet| octets.push(octet)).is_ok(),
        Term::List(list) => join(&list.elements, octets),
        _ => false,
    })
}

fn decoded(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().copied().map(char::from).collect(),
    }
}

fn from_codes(elements: &[Term]) -> Option<String> {
    let code = |term: &Term| match term {
        Term::FixInteger(number) => u32::try_from(number.value).ok(),
        _ => None,
    };
    let codes: Vec<u32> = elements.iter().map(code).collect::<Option<_>>()?;
    let octets: Option<Vec<u8>> = codes.iter().map(|code| u8::try_from(*code).ok()).collect();
    match octets {
        Some(octets) => Some(decoded(&octets)),
        None => codes.into_iter().map(char::from_u32).collect(),
    }
}

/// `{event, [UUID | [{Name, Value}]]}`. FreeSWITCH ei_helpers.c ei_encode_switch_event_tag.
pub(crate) fn event(encoding: Encoding, event: &Event) -> Term {
    let uuid = event.get("Unique-ID").map_or_else(|| atom("undefined"), |uuid| encoding.text(uuid));
    let headers = event.headers().map(|(name, value)| pair(encoding, name, value.as_str()));
    let body = event.body().map(|body| pair(encoding, "body", body));
    tuple([
        atom("event"),
        Term::from(List::from(std::iter::once(uuid).chain(headers).chain(body).collect::<Vec<_>>())),
    ])
}

/// `{Name, Value}`.
pub(crate) fn pair(encoding: Encoding, name: &str, value: impl AsRef<[u8]>) -> Term {
    tuple([encoding.text(name), encoding.text(value)])
}

/// `{log, [{level, 7}, ...]}`, strings whatever the encoding. FreeSWITCH mod_erlang_event.c check_log_queue.
pub(crate) fn log(line: &LogLine) -> Term {
    let level = || Term::from(FixInteger::from(line.level.number()));
    let number = i32::try_from(line.line).unwrap_or(i32::MAX);
    let fields = [
        ("level", level()),
        ("text_channel", level()),
        ("file", string(line.file.as_bytes())),
        ("func", string(line.func.as_bytes())),
        ("line", Term::from(FixInteger::from(number))),
        ("data", string(format!("{}\n", line.text).as_bytes())),
        ("user_data", string(line.user_data.as_deref().unwrap_or_default().as_bytes())),
    ];
    let fields = fields.map(|(name, value)| tuple([atom(name), value]));
    tuple([atom("log"), Term::from(List::from(fields.to_vec()))])
}

#[cfg(test)]
mod tests {
    use chappe_event::EventName;

    use super::*;

    #[test]
    fn texts_come_in_every_form() {
        let codes = |codes: &[i32]| {
            Term::from(List::from(
                codes.iter().map(|code| Term::from(FixInteger::from(*code))).collect::<Vec<_>>(),
            ))
        };
        for (term, expected) in [
            (Term::from("plain".to_owned()), Some("plain")),
            (Term::from(Binary::from("žluť".as_bytes().to_vec())), Some("žluť")),
            (Term::from(ByteList::from(vec![b'h', 0xe9])), Some("hé")),
            (codes(&[0x4f60, 0x597d]), Some("你好")),
            (codes(&[]), Some("")),
            (
                Term::from(List::from(vec![
                    Term::from("a".to_owned()),
                    codes(&[]),
                    Term::from(List::from(vec![Term::from(Binary::from("ž".as_bytes().to_vec()))])),
                    Term::from(FixInteger::from(33)),
                ])),
                Some("až!"),
            ),
            (Term::from(List::from(vec![atom("a")])), None),
            (codes(&[-1]), None),
            (codes(&[0xd800]), None),
            (atom("plain"), None),
        ] {
            assert_eq!(as_text(&term).as_deref(), expected, "{term}");
        }
    }

    #[test]
    fn long_strings_are_whole() {
        for len in [0, 1, 0xffff, 0x1_0000] {
            let mut octets = Vec::new();
            Encoding::String.text("x".repeat(len)).encode(&mut octets).expect("encoded");
            let term = Term::decode(&octets[..]).expect("decoded");
            assert_eq!(as_text(&term).map(|text| text.len()), Some(len));
        }
    }

    #[test]
    fn an_event_is_a_tuple() {
        let mut message = Event::new(EventName::Message);
        message.add("from", "1000");
        message.set_body(Some("hi".into()));
        let told = event(Encoding::Binary, &message).to_string();
        assert_eq!(
            told,
            "{'event',['undefined',{<<102,114,111,109>>,<<49,48,48,48>>},{<<98,111,100,121>>,<<104,105>>}]}"
        );
    }
}
