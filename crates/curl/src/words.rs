//! The words of an argument line, and the percent encoding of data.

use chappe_api::separate;

/// The words between blanks, however many of these there are; quotes hold together, a backslash escapes.
pub(crate) fn words(line: &str) -> impl Iterator<Item = String> {
    let mut rest = line.trim_matches(' ');
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(' ');
        if rest.is_empty() {
            return None;
        }
        let (word, after) = rest.split_at(word_end(rest));
        rest = after;
        Some(separate(word, ' ', 1).pop().unwrap_or_default())
    })
}

/// Where the first blank outside quotes stands. A quotation mark without its twin is a letter.
fn word_end(text: &str) -> usize {
    let mut quoted = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\'' if quoted || text[at + 1..].contains('\'') => quoted = !quoted,
            ' ' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// `%41` becomes `A`; whatever is no percent encoding stays, a `+` too (FreeSWITCH switch_url_decode).
pub(crate) fn url_decoded(text: &str) -> Vec<u8> {
    let octets = text.as_bytes();
    let digit = |at: usize| octets.get(at).and_then(|octet| char::from(*octet).to_digit(16));
    let mut decoded = Vec::with_capacity(octets.len());
    let mut at = 0;
    while let Some(&octet) = octets.get(at) {
        match (octet, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(octet);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_words() {
        for (line, expected) in [
            ("", vec![]),
            ("  ", vec![]),
            ("a", vec!["a"]),
            (" a  b ", vec!["a", "b"]),
            ("a 'b c' d", vec!["a", "b c", "d"]),
            ("a '' d", vec!["a", "", "d"]),
            ("it's fine", vec!["it's", "fine"]),
            (r"a\ b c", vec!["a b", "c"]),
            ("a=1&b='2 3'", vec!["a=1&b=2 3"]),
            ("žluť 'ou čký'", vec!["žluť", "ou čký"]),
        ] {
            assert_eq!(words(line).collect::<Vec<_>>(), expected, "{line:?}");
        }
    }

    #[test]
    fn percent_encoding() {
        for (text, decoded) in [
            ("a%41%c3%BD", "aAý"),
            ("a+b", "a+b"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%25", "%zz%"),
            ("", ""),
        ] {
            assert_eq!(url_decoded(text), decoded.as_bytes(), "{text}");
        }
    }
}
