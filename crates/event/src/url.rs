//! Percent-encoding as FreeSWITCH does it.

use std::borrow::Cow;

/// What is written as it stands: printable US-ASCII but these (`switch_utils.h SWITCH_URL_UNSAFE`).
const UNSAFE: &[u8] = b"\r\n #%&+:;<=>?@[\\]^`{|}\"";

/// For each octet whether it is written as it stands.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut octet = b' ';
    while octet <= b'~' {
        plain[octet as usize] = true;
        octet += 1;
    }
    let mut at = 0;
    while at < UNSAFE.len() {
        plain[UNSAFE[at] as usize] = false;
        at += 1;
    }
    plain
};

/// `text` percent-encoded; see [`url_encode_into`].
pub fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    url_encode_into(text, &mut out);
    out
}

/// Appends `text` to `out`, percent-encoded.
///
/// A `%` that two upper case hexadecimal digits follow is kept as it is, so what is encoded already doesn't get
/// encoded twice, and a text that holds such a triple by itself doesn't survive the way there and back.
/// FreeSWITCH switch_utils.c switch_url_encode.
pub fn url_encode_into(text: &str, out: &mut String) {
    let octets = text.as_bytes();
    let mut copied = 0;
    for (at, &octet) in octets.iter().enumerate() {
        if PLAIN[usize::from(octet)] || (octet == b'%' && is_encoded(&octets[at + 1..])) {
            continue;
        }
        // Between two encoded octets of one character there is nothing to copy, and no place to cut.
        if copied < at {
            out.push_str(&text[copied..at]);
        }
        push_octet(octet, out);
        copied = at + 1;
    }
    out.push_str(&text[copied..]);
}

/// Whether the octets behind a `%` are two upper case hexadecimal digits.
fn is_encoded(rest: &[u8]) -> bool {
    matches!(rest, [high, low, ..] if is_upper_hex(*high) && is_upper_hex(*low))
}

fn is_upper_hex(octet: u8) -> bool {
    matches!(octet, b'0'..=b'9' | b'A'..=b'F')
}

/// `%00%01` and so on to `%FF`.
const TRIPLES: &str = {
    const OCTETS: [u8; 3 * 256] = {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let mut octets = [b'%'; 3 * 256];
        let mut octet = 0;
        while octet < 256 {
            octets[3 * octet + 1] = HEX[octet >> 4];
            octets[3 * octet + 2] = HEX[octet & 15];
            octet += 1;
        }
        octets
    };
    match std::str::from_utf8(&OCTETS) {
        Ok(text) => text,
        Err(_) => panic!("hexadecimal digits are US-ASCII"),
    }
};

fn push_octet(octet: u8, out: &mut String) {
    let at = 3 * usize::from(octet);
    out.push_str(&TRIPLES[at..at + 3]);
}

/// `text` with every `%` and two hexadecimal digits of either case made the octet they stand for.
///
/// Octets that are not UTF-8 come out as U+FFFD; a `%` that no two digits follow stays. Deviation: FreeSWITCH
/// (switch_utils.c switch_url_decode) reads `%4g` as one digit and drops the `g`.
pub fn url_decode(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'%', text.as_bytes()) else { return Cow::Borrowed(text) };
    let octets = text.as_bytes();
    let mut out = Vec::with_capacity(octets.len());
    out.extend_from_slice(&octets[..first]);
    let mut at = first;
    while at < octets.len() {
        match octets[at..] {
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(digit(high) << 4 | digit(low));
                at += 3;
            }
            _ => {
                out.push(octets[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(text_of(out))
}

/// The value of one hexadecimal digit.
fn digit(octet: u8) -> u8 {
    match octet {
        b'0'..=b'9' => octet - b'0',
        b'a'..=b'f' => octet - b'a' + 10,
        _ => octet - b'A' + 10,
    }
}

/// `octets` as text, without a copy when they are UTF-8.
pub(crate) fn text_of(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unsafe_octets_are_encoded() {
        let cases = [
            ("", ""),
            ("plain-text_1.0~!*'(),/$", "plain-text_1.0~!*'(),/$"),
            ("a b&c", "a%20b%26c"),
            ("<sip:1004@chat.test>;tag=x", "%3Csip%3A1004%40chat.test%3E%3Btag%3Dx"),
            ("é\u{1F600}", "%C3%A9%F0%9F%98%80"),
            ("100%", "100%25"),
            ("%2", "%252"),
            ("%20", "%20"),
            ("%2f", "%252f"),
            ("\u{1}\t\r\n\u{7f}", "%01%09%0D%0A%7F"),
        ];
        for (text, encoded) in cases {
            assert_eq!(url_encode(text), encoded, "{text:?}");
        }
    }

    #[test]
    fn triples_are_decoded() {
        let cases = [
            ("a%20b", "a b"),
            ("%c3%A9", "é"),
            ("%", "%"),
            ("%4", "%4"),
            ("%4g", "%4g"),
            ("%FF", "\u{FFFD}"),
            ("a+b", "a+b"),
        ];
        for (text, decoded) in cases {
            assert_eq!(url_decode(text), decoded, "{text:?}");
        }
    }

    /// Whether a text holds what [`url_encode`] takes for encoded already.
    fn holds_a_triple(text: &str) -> bool {
        (0..text.len()).any(|at| text.as_bytes()[at] == b'%' && is_encoded(&text.as_bytes()[at + 1..]))
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(text in "\\PC*|[%0-9A-F a-z]*") {
            prop_assume!(!holds_a_triple(&text));
            let encoded = url_encode(&text);
            prop_assert!(encoded.bytes().all(|octet| PLAIN[usize::from(octet)] || octet == b'%'));
            prop_assert_eq!(url_decode(&encoded), text);
        }

        #[test]
        fn any_text_decodes(text in "[%0-9a-fA-F\\PC]*") {
            let _ = url_decode(&text);
        }
    }
}
