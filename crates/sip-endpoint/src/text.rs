//! Octets, numbers and addresses as text, without the detour of a formatter: each message has a dozen of them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

/// The octets as text; what is not UTF-8 is U+FFFD.
pub fn utf8(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(octets),
    }
}

/// Appends the number in decimal.
pub fn push_number(number: impl itoa::Integer, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Appends the address as it is usually written.
pub fn push_ip(ip: IpAddr, out: &mut String) {
    match ip {
        IpAddr::V4(ip) => {
            for (place, octet) in ip.octets().into_iter().enumerate() {
                if place > 0 {
                    out.push('.');
                }
                push_number(octet, out);
            }
        }
        // Writing into a String can't fail.
        IpAddr::V6(ip) => drop(write!(out, "{ip}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_look_as_everywhere() {
        for text in ["127.0.0.1", "0.0.0.0", "255.254.100.9", "::1", "2001:db8::7"] {
            let mut out = String::from("a ");
            push_ip(text.parse().unwrap(), &mut out);
            assert_eq!(out, format!("a {text}"));
        }
    }

    #[test]
    fn what_is_no_text_is_shown_as_such() {
        assert_eq!(utf8(b"abc"), "abc");
        assert_eq!(utf8(b"a\xffc"), "a\u{fffd}c");
    }
}
