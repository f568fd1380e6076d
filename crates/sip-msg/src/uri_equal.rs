//! When two URIs are the same (RFC 3261 §19.1.4).

use crate::escape::next_byte;
use crate::{Param, Params, Scheme, Uri};

/// Parameters that must stand in both URIs or in neither. `transport` is not in the RFC's list but in its examples.
const NEVER_ONE_SIDED: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

impl Uri<'_> {
    /// Whether the two are equal by the rules of RFC 3261 §19.1.4. The relation is not transitive, hence no `PartialEq`.
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        match (self.scheme, other.scheme) {
            (Scheme::Sip, Scheme::Sip) | (Scheme::Sips, Scheme::Sips) => self.sip_equivalent(other),
            (Scheme::Tel, Scheme::Tel) => {
                same_number(self.user, other.user) && same_params(&self.params, &other.params)
            }
            (Scheme::Other(a), Scheme::Other(b)) => a.eq_ignore_ascii_case(b) && self.host == other.host,
            _ => false,
        }
    }

    fn sip_equivalent(&self, other: &Uri<'_>) -> bool {
        same_user(self.user, other.user)
            && same_user(self.password, other.password)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.port == other.port
            && same_params(&self.params, &other.params)
            && same_headers(self, other)
    }
}

fn same_user(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_text(a, b, |byte| byte),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Equal but for case and visual separators (RFC 3966 §4).
fn same_number(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    fn digits(text: Option<&[u8]>) -> impl Iterator<Item = u8> {
        text.unwrap_or_default()
            .iter()
            .filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')'))
            .map(u8::to_ascii_lowercase)
    }
    digits(a).eq(digits(b))
}

fn same_params(a: &Params<'_>, b: &Params<'_>) -> bool {
    a.iter().all(|param| matches_in(&param, b)) && b.iter().all(|param| matches_in(&param, a))
}

fn matches_in(param: &Param<'_>, others: &Params<'_>) -> bool {
    let same_name = |other: &Param<'_>| same_text(other.name, param.name, lower);
    match others.iter().find(same_name) {
        Some(other) => same_value(param.value, other.value),
        None => !NEVER_ONE_SIDED.iter().any(|name| param.name.eq_ignore_ascii_case(name.as_bytes())),
    }
}

/// Every header of the one must be in the other, in any order.
fn same_headers(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    let within = |a: &Uri<'_>, b: &Uri<'_>| {
        a.header_fields().all(|field| {
            b.header_fields()
                .any(|other| same_text(field.name, other.name, lower) && same_value(field.value, other.value))
        })
    };
    a.header_fields().count() == b.header_fields().count() && within(a, b) && within(b, a)
}

fn same_value(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    same_text(a.unwrap_or_default(), b.unwrap_or_default(), lower)
}

fn lower(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

/// Compares byte by byte; an escape equals the character it stands for unless that is a reserved one.
fn same_text(mut a: &[u8], mut b: &[u8], fold: fn(u8) -> u8) -> bool {
    loop {
        match (next_byte(a), next_byte(b)) {
            (None, None) => return true,
            (Some((x, x_escaped, a_rest)), Some((y, y_escaped, b_rest)))
                if fold(x) == fold(y) && (x_escaped == y_escaped || !is_reserved(x)) =>
            {
                (a, b) = (a_rest, b_rest);
            }
            _ => return false,
        }
    }
}

fn is_reserved(byte: u8) -> bool {
    b";/?:@&=+$,".contains(&byte)
}

#[cfg(test)]
mod tests {
    use crate::Uri;

    fn same(a: &str, b: &str) -> bool {
        let (left, right) = (Uri::parse(a.as_bytes()).unwrap(), Uri::parse(b.as_bytes()).unwrap());
        assert_eq!(left.equivalent(&right), right.equivalent(&left), "{a} {b}");
        left.equivalent(&right)
    }

    /// The examples of RFC 3261 §19.1.4, and what it says about tel URIs elsewhere.
    #[test]
    fn equal() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("tel:+1-201-555-0123", "tel:+12015550123"),
            ("im:a", "IM:a"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn different() {
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a%3Bb@host", "sip:a;b@host"),
            ("sip:a@host", "sips:a@host"),
            ("sip:a@host", "sip:host"),
            ("sip:a@host;user=phone", "sip:a@host"),
            ("tel:+1", "tel:1"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }
}
