//! Numbers and truth as FreeSWITCH reads them out of text.

/// Whether `text` is a number: digits and dots, after at most one sign.
///
/// The empty text is one too. FreeSWITCH switch_utils.c switch_is_number.
pub fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.bytes().all(|octet| octet == b'.' || octet.is_ascii_digit())
}

/// The whole number at the start of `text`, 0 if there is none; what doesn't fit is the nearest that does.
///
/// C's `atoi`: blanks and one sign may come first, and what follows the digits doesn't matter.
pub fn leading_number(text: &str) -> i32 {
    leading_number_of(text.as_bytes())
}

/// [`leading_number`] of octets that need not be UTF-8.
pub(crate) fn leading_number_of(text: &[u8]) -> i32 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let value = digits
        .iter()
        .take_while(|octet| octet.is_ascii_digit())
        .fold(0i64, |sum, &octet| (sum * 10 + i64::from(octet - b'0')).min(i64::from(u32::MAX)));
    let signed = if negative { -value } else { value };
    signed.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Whether `text` says yes: yes, on, true, t, enabled, active, allow in any case, or a number but 0.
///
/// FreeSWITCH switch_utils.h switch_true.
pub fn is_true(text: &str) -> bool {
    const YES: [&str; 7] = ["yes", "on", "true", "t", "enabled", "active", "allow"];
    YES.iter().any(|word| word.eq_ignore_ascii_case(text)) || (is_number(text) && leading_number(text) != 0)
}

/// Whether `text` says no: no, off, false, f, disabled, inactive, disallow in any case, or the number 0.
///
/// Not the opposite of [`is_true`]: most texts are neither. FreeSWITCH switch_utils.h switch_false.
pub fn is_false(text: &str) -> bool {
    const NO: [&str; 7] = ["no", "off", "false", "f", "disabled", "inactive", "disallow"];
    NO.iter().any(|word| word.eq_ignore_ascii_case(text)) || (is_number(text) && leading_number(text) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_yes_no_or_neither() {
        let cases = [
            ("yes", true, false),
            ("TRUE", true, false),
            ("t", true, false),
            ("allow", true, false),
            ("1", true, false),
            ("-1", true, false),
            ("+12.5", true, false),
            ("no", false, true),
            ("Disallow", false, true),
            ("0", false, true),
            ("0.9", false, true),
            ("", false, true),
            ("maybe", false, false),
            ("y", false, false),
            ("1x", false, false),
            (" 1", false, false),
        ];
        for (text, yes, no) in cases {
            assert_eq!((is_true(text), is_false(text)), (yes, no), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_read_as_c_does() {
        let cases = [
            ("12", 12),
            (" -7abc", -7),
            ("+3", 3),
            ("x", 0),
            ("", 0),
            ("--1", 0),
            ("99999999999999999999", i32::MAX),
            ("-99999999999999999999", i32::MIN),
        ];
        for (text, number) in cases {
            assert_eq!(leading_number(text), number, "{text:?}");
        }
    }
}
