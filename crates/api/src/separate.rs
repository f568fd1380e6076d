//! How FreeSWITCH takes an argument line apart: quotes hold together, a backslash escapes, blanks around a field go.

/// `m:` and one of `|`, `~`, `/` before a text choose its delimiter; otherwise it is `|`. Gives the text after that
/// prefix and the delimiter.
pub(crate) fn delimited(text: &str) -> (&str, char) {
    for delimiter in ['|', '~', '/'] {
        if let Some(rest) = text.strip_prefix("m:").and_then(|rest| rest.strip_prefix(delimiter)) {
            return (rest, delimiter);
        }
    }
    (text, '|')
}

/// At most `most` fields of `text`; the last one holds whatever is left. A delimiter at the very end opens no field.
/// `^^` and a character before the text choose another delimiter (FreeSWITCH switch_separate_string).
pub fn separate(text: &str, delimiter: char, most: usize) -> Vec<String> {
    let (text, delimiter) = chosen(text, delimiter);
    let mut fields = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && fields.len() < most {
        let end = if fields.len() + 1 == most { None } else { field_end(rest, delimiter) };
        let (field, after) = match end {
            Some(end) => (&rest[..end], &rest[end + delimiter.len_utf8()..]),
            None => (rest, ""),
        };
        fields.push(clean(field, delimiter));
        rest = after;
    }
    fields
}

fn chosen(text: &str, delimiter: char) -> (&str, char) {
    let Some(marked) = text.strip_prefix("^^") else { return (text, delimiter) };
    let mut characters = marked.chars();
    match characters.next() {
        Some(delimiter) if !characters.as_str().is_empty() => (characters.as_str(), delimiter),
        _ => (text, delimiter),
    }
}

/// Where the first delimiter outside quotes stands.
fn field_end(text: &str, delimiter: char) -> Option<usize> {
    let mut quoted = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == '\'' && (quoted || text[at + 1..].contains('\'')) {
            quoted = !quoted;
        } else if character == delimiter && !quoted {
            return Some(at);
        }
    }
    None
}

/// Removes the quotes, the blanks around, and the backslashes of known escapes.
fn clean(field: &str, delimiter: char) -> String {
    let field = field.trim_start_matches(' ');
    let mut text = String::with_capacity(field.len());
    let (mut end, mut quoted) = (None, false);
    let mut characters = field.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\'
            && let Some(escaped) = field[at + 1..].chars().next().and_then(|next| escape(next, delimiter))
        {
            characters.next();
            text.push(escaped);
            end = Some(text.len());
        } else if character == '\'' && (quoted || field[at + 1..].contains('\'')) {
            quoted = !quoted;
            if quoted {
                end = Some(text.len());
            }
        } else {
            text.push(character);
            if character != ' ' || quoted {
                end = Some(text.len());
            }
        }
    }
    if let Some(end) = end {
        text.truncate(end);
    }
    text
}

/// What a backslash and this character stand for; `None` when the backslash is an ordinary one.
fn escape(character: char, delimiter: char) -> Option<char> {
    match character {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        's' => Some(' '),
        '\'' | '"' | '\\' => Some(character),
        other => (other == delimiter).then_some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        for (text, delimiter, most, expected) in [
            ("a|b|c", '|', 9, vec!["a", "b", "c"]),
            ("a|b|c", '|', 2, vec!["a", "b|c"]),
            ("a|b|", '|', 9, vec!["a", "b"]),
            ("a||c", '|', 9, vec!["a", "", "c"]),
            (" a | b ", '|', 9, vec!["a", "b"]),
            ("'a|b'|c", '|', 9, vec!["a|b", "c"]),
            (r"a\|b|c", '|', 9, vec!["a|b", "c"]),
            (r"^(\w+)\s|b", '|', 9, vec![r"^(\w+) ", "b"]),
            ("it's|b", '|', 9, vec!["it's", "b"]),
            ("^^:a:b|c", '|', 9, vec!["a", "b|c"]),
            ("^^", '|', 9, vec!["^^"]),
            ("", '|', 9, vec![]),
            ("ž'é é'|\\", '|', 9, vec!["žé é", "\\"]),
        ] {
            assert_eq!(separate(text, delimiter, most), expected, "{text}");
        }
    }

    #[test]
    fn chosen_delimiter() {
        assert_eq!(delimited("m:/a/b"), ("a/b", '/'));
        assert_eq!(delimited("m:~a~b"), ("a~b", '~'));
        assert_eq!(delimited("m:a"), ("m:a", '|'));
        assert_eq!(delimited("a|b"), ("a|b", '|'));
    }
}
