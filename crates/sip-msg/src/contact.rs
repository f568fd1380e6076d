//! Contact (RFC 3261 §20.10).

use crate::lex::{seconds, trim};
use crate::{HeaderError, HeaderName, Message, NameAddr, Values};

/// One value of a Contact header.
#[derive(Clone, Copy, Debug)]
pub enum Contact<'a> {
    /// `*`: all bindings, in a REGISTER that removes them.
    All,
    /// An address.
    Address(NameAddr<'a>),
}

impl<'a> Contact<'a> {
    /// Reads one value.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        match trim(value) {
            b"*" => Ok(Contact::All),
            value => NameAddr::parse(HeaderName::Contact, value).map(Contact::Address),
        }
    }

    /// Whether a Contact line can be read.
    pub(crate) fn check_line(line: &[u8]) -> Result<(), HeaderError> {
        // A comma between values fits no place in one, so a line that reads as one value is one.
        if NameAddr::parse(HeaderName::Contact, line).is_ok() {
            return Ok(());
        }
        Values::of(line).try_for_each(|value| Contact::parse(value).map(|_| ()))
    }

    /// The address, unless it is `*`.
    pub fn address(&self) -> Option<&NameAddr<'a>> {
        match self {
            Contact::All => None,
            Contact::Address(address) => Some(address),
        }
    }
}

impl NameAddr<'_> {
    /// The `expires` parameter in seconds. RFC 3261 §10.2.1.1: what cannot be read counts as an hour.
    pub fn expires(&self) -> Option<u32> {
        self.param("expires").map(|text| seconds(text).unwrap_or(3600))
    }

    /// The `q` parameter in thousandths, 0 to 1000. `None` when it is not there or malformed.
    pub fn q(&self) -> Option<u16> {
        let text = self.param("q")?;
        let (whole, fraction) = match crate::lex::split_at_byte(text, b'.') {
            Some(parts) => parts,
            None => (text, &b""[..]),
        };
        if !matches!(whole, b"0" | b"1") || fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let digit = |place: usize| fraction.get(place).map_or(0, |digit| u16::from(digit - b'0'));
        let thousandths = u16::from(whole[0] - b'0') * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2);
        (thousandths <= 1000).then_some(thousandths)
    }
}

/// All Contact values of a message, over all its Contact headers.
#[derive(Clone)]
pub struct Contacts<'m, 'a> {
    lines: crate::Headers<'m, 'a>,
    values: Values<'a>,
}

impl<'m, 'a> Contacts<'m, 'a> {
    pub(crate) fn of(message: &'m Message<'a>) -> Self {
        Contacts { lines: message.headers_from(HeaderName::Contact), values: Values::of(b"") }
    }
}

impl<'a> Iterator for Contacts<'_, 'a> {
    type Item = Result<Contact<'a>, HeaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(value) = self.values.next() {
                return Some(Contact::parse(value));
            }
            let line = self.lines.find(|line| line.name == HeaderName::Contact)?;
            self.values = Values::of(line.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Contact;

    #[test]
    fn q_and_expires() {
        for (text, q, expires) in [
            ("<sip:a@b>", None, None),
            ("<sip:a@b>;q=1", Some(1000), None),
            ("<sip:a@b>;q=0.25;expires=60", Some(250), Some(60)),
            ("<sip:a@b>;q=1.001", None, None),
            ("<sip:a@b>;q=.5", None, None),
            ("<sip:a@b>;expires=soon", None, Some(3600)),
            ("<sip:a@b>;expires=280297596632815", None, Some(u32::MAX)),
        ] {
            let contact = Contact::parse(text.as_bytes()).unwrap();
            let address = contact.address().unwrap();
            assert_eq!((address.q(), address.expires()), (q, expires), "{text}");
        }
        assert!(matches!(Contact::parse(b" * "), Ok(Contact::All)));
    }
}
