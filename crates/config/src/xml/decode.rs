//! Character references, entities and white space in values (FreeSWITCH switch_xml_decode).

use super::entities::Entities;
use crate::limits;

/// What a strict reader would refuse, at an offset of the raw value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw<'t> {
    RawAmpersand(usize),
    RawLess(usize),
    /// With its semicolon.
    UnknownEntity(usize, &'t str),
    /// The entities were not expanded to their end.
    TooLarge(usize),
}

/// An attribute's value: white space becomes blanks, that of character references stays.
pub(super) fn attribute(raw: &str, entities: &Entities, flaw: &mut dyn FnMut(Flaw<'_>)) -> String {
    let mut value = String::with_capacity(raw.len());
    if let Some(offset) = memchr::memchr(b'<', raw.as_bytes()) {
        flaw(Flaw::RawLess(offset));
    }
    Decoder { entities, plain: blanks, left: limits::ENTITY_COUNT, limit: limits::ENTITY_SIZE }
        .all(raw, &mut value, flaw);
    value
}

/// Character data: only line ends are made equal. Added to what is there.
pub(super) fn text(raw: &str, entities: &Entities, text: &mut String, flaw: &mut dyn FnMut(Flaw<'_>)) {
    let limit = text.len() + limits::ENTITY_SIZE;
    Decoder { entities, plain: line_ends, left: limits::ENTITY_COUNT, limit }.all(raw, text, flaw);
}

/// Every line end becomes `\n`.
pub(super) fn line_ends(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(end) = memchr::memchr(b'\r', rest.as_bytes()) {
        out.push_str(&rest[..end]);
        out.push('\n');
        rest = &rest[end + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
}

fn blanks(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(end) = rest.find(['\t', '\n', '\r', '\x0b', '\x0c']) {
        out.push_str(&rest[..end]);
        out.push(' ');
        let is_pair = rest[end..].starts_with("\r\n");
        rest = &rest[end + 1 + usize::from(is_pair)..];
    }
    out.push_str(rest);
}

struct Decoder<'e> {
    entities: &'e Entities,
    /// How text without references is written.
    plain: fn(&str, &mut String),
    /// Entities that may still be expanded.
    left: usize,
    /// How long the result may become by entities.
    limit: usize,
}

impl Decoder<'_> {
    fn all(&mut self, raw: &str, out: &mut String, flaw: &mut dyn FnMut(Flaw<'_>)) {
        let mut from = 0;
        while let Some(offset) = memchr::memchr(b'&', &raw.as_bytes()[from..]) {
            let at = from + offset;
            (self.plain)(&raw[from..at], out);
            let reference = &raw[at + 1..];
            from = at + 1;
            if let Some((character, length)) = character_reference(reference) {
                out.push(character);
                from += length;
            } else if let Some(length) = self.entity(reference, out, 0) {
                from += length;
                if self.is_spent(out) {
                    flaw(Flaw::TooLarge(at));
                    return;
                }
            } else {
                out.push('&');
                flaw(flaw_of(at, reference));
            }
        }
        (self.plain)(&raw[from..], out);
    }

    fn is_spent(&self, out: &str) -> bool {
        self.left == 0 || out.len() > self.limit
    }

    /// Writes what an entity stands for; how long its name is, with the semicolon.
    fn entity(&mut self, reference: &str, out: &mut String, depth: usize) -> Option<usize> {
        let (length, value) = self.entities.find(reference)?;
        self.left = self.left.saturating_sub(1);
        match value {
            Ok(character) => out.push(character),
            Err(text) if depth < limits::ENTITY_DEPTH && !self.is_spent(out) => {
                self.nested(text, out, depth + 1)
            }
            Err(_) => self.left = 0,
        }
        Some(length)
    }

    fn nested(&mut self, text: &str, out: &mut String, depth: usize) {
        let mut from = 0;
        while let Some(offset) = memchr::memchr(b'&', &text.as_bytes()[from..]) {
            let at = from + offset;
            (self.plain)(&text[from..at], out);
            from = at + 1;
            if let Some((character, length)) = character_reference(&text[from..]) {
                out.push(character);
                from += length;
            } else if let Some(length) = self.entity(&text[from..], out, depth) {
                from += length;
            } else {
                out.push('&');
            }
            if self.is_spent(out) {
                return;
            }
        }
        (self.plain)(&text[from..], out);
    }
}

fn flaw_of(at: usize, reference: &str) -> Flaw<'_> {
    let name = reference.bytes().position(|octet| !octet.is_ascii_alphanumeric());
    match name {
        Some(end) if end > 0 && reference.as_bytes()[end] == b';' => {
            Flaw::UnknownEntity(at, &reference[..=end])
        }
        _ => Flaw::RawAmpersand(at),
    }
}

/// `#65;` or `#x41;`, and how long it is. What is no character stays as it is written.
fn character_reference(reference: &str) -> Option<(char, usize)> {
    let code = reference.strip_prefix('#')?;
    let (digits, radix) = match code.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (code, 10),
    };
    let end = digits.find(';').filter(|end| (1..=16).contains(end))?;
    if !digits.as_bytes()[..end].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let number = u32::from_str_radix(&digits[..end], radix).ok().filter(|&number| number != 0)?;
    let length = reference.len() - digits.len() + end + 1;
    char::from_u32(number).map(|character| (character, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str) -> (String, Vec<String>) {
        let mut flaws = Vec::new();
        let value = attribute(raw, &Entities::default(), &mut |flaw| flaws.push(format!("{flaw:?}")));
        (value, flaws)
    }

    #[test]
    fn values() {
        let cases = [
            ("plain", "plain"),
            ("one\ttwo\nthree\r\nfour", "one two three four"),
            ("one&#10;two&#x9;three", "one\ntwo\tthree"),
            ("&#65;&#x42;&#8364;", "AB€"),
            ("&lt;b&gt; &amp; &quot;q&quot; &apos;a&apos;", "<b> & \"q\" 'a'"),
            ("&amp;lt;", "&lt;"),
            ("a & b&c=&d", "a & b&c=&d"),
            ("&foo; &nbsp; end", "&foo; &nbsp; end"),
            (
                "&#; &#x; &# 1; &#-1; &#0; &#12a; &#xd800; &#x110000;",
                "&#; &#x; &# 1; &#-1; &#0; &#12a; &#xd800; &#x110000;",
            ),
            ("&#99999999999999999999;", "&#99999999999999999999;"),
            ("&", "&"),
        ];
        for (raw, expected) in cases {
            assert_eq!(decoded(raw).0, expected, "{raw}");
        }
    }

    #[test]
    fn flaws() {
        assert_eq!(
            decoded("a&b < &nbsp;").1,
            ["RawLess(4)", "RawAmpersand(1)", "UnknownEntity(6, \"nbsp;\")"]
        );
        assert!(decoded("&amp;&#65;").1.is_empty());
    }

    #[test]
    fn text_keeps_its_white_space() {
        let mut out = String::from("a");
        text(" b\r\n\tc\rd", &Entities::default(), &mut out, &mut |_| {});
        assert_eq!(out, "a b\n\tc\nd");
    }
}
