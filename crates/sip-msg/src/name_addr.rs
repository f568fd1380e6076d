//! name-addr and addr-spec with parameters: From, To, Contact, Route, ... (RFC 3261 §20.10).

use std::borrow::Cow;

use crate::lex::{PLAIN, find, quoted_length, span, strip_quotes, trim, trim_end, trim_start, unquote};
use crate::{HeaderError, HeaderName, Param, Params, Uri};

/// An address with its display name and the parameters of the header.
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'a> {
    /// The display name as it was written, quotes included. `None` without one.
    pub display: Option<&'a [u8]>,
    /// The address.
    pub uri: Uri<'a>,
    /// The parameters after the address.
    pub params: Params<'a>,
    /// The first `tag` parameter and its value, as it stands in the message.
    tag: Option<Option<&'a [u8]>>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value of the header `header`, which errors name.
    ///
    /// Without angle brackets, what follows `;` belongs to the header and not to the URI (RFC 3261 §20).
    pub fn parse(header: HeaderName, value: &'a [u8]) -> Result<Self, HeaderError> {
        let malformed = |what| HeaderError::Malformed { header, what };
        let (display, address, rest) = split(trim(value)).map_err(malformed)?;
        let params = Params::of(rest);
        let mut tag = None;
        if !params.check(|param| note_tag(&mut tag, &param)) {
            return Err(malformed("parameters"));
        }
        let uri = Uri::parse(address).map_err(|_| malformed("the URI"))?;
        Ok(NameAddr { display: (!display.is_empty()).then_some(display), uri, params, tag })
    }

    /// The display name without quotes and escapes.
    pub fn display_name(&self) -> Option<Cow<'a, [u8]>> {
        self.display.map(unquote)
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.tag.flatten().map(strip_quotes)
    }

    /// Whether there is a `tag` parameter, with a value or without.
    pub fn has_tag(&self) -> bool {
        self.tag.is_some()
    }

    /// The value of a parameter of the header; see [`Params::get`].
    pub fn param(&self, name: &str) -> Option<&'a [u8]> {
        self.params.get(name)
    }
}

fn note_tag<'a>(tag: &mut Option<Option<&'a [u8]>>, param: &Param<'a>) {
    if tag.is_none() && param.name.eq_ignore_ascii_case(b"tag") {
        *tag = Some(param.value);
    }
}

/// Display name, address, parameters.
type Parts<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn split(value: &[u8]) -> Result<Parts<'_>, &'static str> {
    let Some(open) = opening(value)? else {
        return bare(value);
    };
    let display = trim_end(&value[..open]);
    let rest = &value[open + 1..];
    let close = find(b'>', rest).ok_or("no closing angle bracket")?;
    let after = trim_start(&rest[close + 1..]);
    match after.first() {
        None | Some(b';') => Ok((display, &rest[..close], after)),
        Some(_) => Err("text after the address"),
    }
}

/// Where `<` stands. A display name may hold quoted strings and, more than RFC 3261 §25.1 allows, any other
/// characters but a comma.
fn opening(value: &[u8]) -> Result<Option<usize>, &'static str> {
    let mut at = 0;
    loop {
        at += span::<PLAIN>(&value[at..]);
        match value.get(at) {
            None => return Ok(None),
            Some(b'<') => return Ok(Some(at)),
            Some(b',') => return Err("a comma outside quotes"),
            Some(_) if find(b';', &value[..at]).is_some() => return Ok(None),
            Some(_) => at += quoted_length(&value[at..]).ok_or("a quoted string without an end")?,
        }
    }
}

fn bare(value: &[u8]) -> Result<Parts<'_>, &'static str> {
    let end = find(b';', value).unwrap_or(value.len());
    let address = trim_end(&value[..end]);
    // RFC 3261 §20.10: a URI with a comma, question mark or semicolon must stand in angle brackets.
    match find(b'?', address) {
        Some(_) => Err("a question mark in a URI without angle brackets"),
        None => Ok((b"", address, &value[end..])),
    }
}

#[cfg(test)]
mod tests {
    use super::NameAddr;
    use crate::HeaderName;

    fn parse(text: &str) -> Option<(Option<String>, String, Option<String>)> {
        let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let addr = NameAddr::parse(HeaderName::From, text.as_bytes()).ok()?;
        Some((
            addr.display_name().map(|name| text_of(&name)),
            text_of(addr.uri.text()),
            addr.tag().map(text_of),
        ))
    }

    #[test]
    fn forms_that_are_in_use() {
        for (text, display, uri, tag) in [
            ("<sip:a@b>", None, "sip:a@b", None),
            ("sip:a@b", None, "sip:a@b", None),
            ("sip:a@b;tag=1", None, "sip:a@b", Some("1")),
            ("sip:a@b ; tag = 1", None, "sip:a@b", Some("1")),
            ("<sip:a@b;tag=2>;tag=1", None, "sip:a@b;tag=2", Some("1")),
            (r#""A \"B\"" <sip:a@b>;tag=1"#, Some(r#"A "B""#), "sip:a@b", Some("1")),
            (r#""<,>"<sip:a@b>"#, Some("<,>"), "sip:a@b", None),
            ("caller<sip:a@b>;tag=x", Some("caller"), "sip:a@b", Some("x")),
            ("Zoë (home) <sip:a@b>", Some("Zoë (home)"), "sip:a@b", None),
            (r#""" <sip:a@b>"#, Some(""), "sip:a@b", None),
            ("<sip:a@b>\r\n ;x=\"<\";tag=1", None, "sip:a@b", Some("1")),
            ("sip:a@b;x=\"<\"", None, "sip:a@b", None),
            ("isbn:2983792873", None, "isbn:2983792873", None),
        ] {
            let want = Some((display.map(String::from), uri.to_owned(), tag.map(String::from)));
            assert_eq!(parse(text), want, "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "<>",
            "a",
            "<sip:a@b",
            "\"a <sip:a@b>",
            "Bell, Alexander <sip:a@b>",
            "< sip:a@b >",
            "sip:a@b?Route=%3Csip:c%3E",
            "<sip:a@b> x",
            "<sip:a@b>;;;",
            "<sip:a@b>;",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
