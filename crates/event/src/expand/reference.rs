//! What stands between the braces.

use smallvec::SmallVec;

use crate::number::leading_number_of;

/// Names and args, of which most are short.
pub(super) type Octets = SmallVec<[u8; 32]>;

/// A reference as it is written, nothing in it expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// `${name}` or `$${name}`, the name with what follows it.
    Variable { name: Octets, global: bool },
    /// `${command(args)}` or `${command args}`.
    Api { command: Octets, args: Octets },
}

impl Reference {
    /// Reads the reference whose opening brace stands right before `text`, and how long it is with its closing
    /// brace. One that is never closed goes to the end.
    pub(super) fn scan(text: &[u8], global: bool) -> (Self, usize) {
        let (inside, open) = inside_of(text);
        let len = if open == 0 { inside.len() + 1 } else { text.len() };
        let Some(split) = memchr::memchr2(b' ', b'(', inside) else {
            return (Self::Variable { name: Octets::from_slice(inside), global }, len);
        };
        let open = if inside[split] == b'(' { 1 } else { open };
        let command = Octets::from_slice(&inside[..split]);
        (Self::Api { command, args: Octets::from_slice(args_of(&inside[split + 1..], open)) }, len)
    }
}

/// What stands before the closing brace, and how many braces are open at its end: none if it is there.
fn inside_of(text: &[u8]) -> (&[u8], u32) {
    let mut open = 1;
    for (at, octet) in text.iter().enumerate() {
        match octet {
            b'}' if open == 1 => return (&text[..at], 0),
            b'}' => open -= 1,
            // A brace right behind the opening one isn't counted.
            b'{' if at > 0 => open += 1,
            _ => {}
        }
    }
    (text, open)
}

/// Cuts the args at the parenthesis that closes them. Behind a blank none is open, and the first pair ends them.
fn args_of(args: &[u8], mut open: u32) -> &[u8] {
    for (at, octet) in args.iter().enumerate() {
        match octet {
            b'(' => open += 1,
            b')' if open == 1 => return &args[..at],
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    args
}

/// The expanded inside of a variable's reference: `name`, `name[index]`, `name:offset`, `name:offset:length`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable<'a> {
    pub(super) name: &'a [u8],
    /// The element of an array; `None` is the value as a whole.
    pub(super) index: Option<usize>,
    pub(super) cut: Cut,
}

impl<'a> Variable<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let (name, cut) = match memchr::memchr(b':', text) {
            Some(colon) => (&text[..colon], Cut::parse(&text[colon + 1..])),
            None => (text, Cut::default()),
        };
        let bracket = memchr::memchr(b'[', name).filter(|&at| name[at..].contains(&b']'));
        match bracket {
            Some(at) => {
                let index = usize::try_from(leading_number_of(&name[at + 1..])).ok();
                Self { name: &name[..at], index, cut }
            }
            None => Self { name, index: None, cut },
        }
    }
}

/// Which octets of a value are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Octets left out at the start; negative: octets kept at the end.
    offset: i32,
    /// Octets taken at most, if above 0.
    length: i32,
}

impl Cut {
    /// Reads `offset` or `offset:length`.
    fn parse(text: &[u8]) -> Self {
        let length = memchr::memchr(b':', text).map_or(0, |colon| leading_number_of(&text[colon + 1..]));
        Self { offset: leading_number_of(text), length }
    }

    /// The part of `value` that is taken. More octets from the end than there are is the whole value.
    pub(super) fn of(self, value: &[u8]) -> &[u8] {
        let distance = self.offset.unsigned_abs() as usize;
        let start = match self.offset {
            0.. => distance.min(value.len()),
            _ => value.len().saturating_sub(distance),
        };
        let taken = &value[start..];
        match usize::try_from(self.length) {
            Ok(length @ 1..) => &taken[..length.min(taken.len())],
            _ => taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_end_where_freeswitch_ends_them() {
        // What follows `${`: name or command and args, and what is left.
        let cases: &[(&str, &str, Option<&str>, &str)] = &[
            ("to}x", "to", None, "x"),
            ("}", "", None, ""),
            ("to", "to", None, ""),
            ("a${b}c}d", "a${b}c", None, "d"),
            ("{a}b}", "{a", None, "b}"),
            ("f(x)}y", "f", Some("x"), "y"),
            ("f(a(b)c)d}y", "f", Some("a(b)c"), "y"),
            ("f x}y", "f", Some("x"), "y"),
            ("f  (x)}", "f", Some(" (x"), ""),
            ("expr 1 (2) 3}", "expr", Some("1 (2"), ""),
            ("f x)y}", "f", Some("x)y"), ""),
            (" to }", "", Some("to "), ""),
            ("f(x", "f", Some("x"), ""),
            ("f a)b", "f", Some("a"), ""),
            ("f(${a})}z", "f", Some("${a}"), "z"),
        ];
        for (text, name, args, rest) in cases {
            let (reference, len) = Reference::scan(text.as_bytes(), false);
            let octets = |text: &str| Octets::from_slice(text.as_bytes());
            let expected = match args {
                None => Reference::Variable { name: octets(name), global: false },
                Some(args) => Reference::Api { command: octets(name), args: octets(args) },
            };
            assert_eq!((reference, &text[len..]), (expected, *rest), "{text:?}");
        }
    }

    #[test]
    fn names_are_taken_apart() {
        let cases = [
            ("to", "to", None, (0, 0)),
            ("to:2", "to", None, (2, 0)),
            ("to:-2:1", "to", None, (-2, 1)),
            ("to::3", "to", None, (0, 3)),
            ("list[2]", "list", Some(2), (0, 0)),
            ("list[2]:1:1", "list", Some(2), (1, 1)),
            ("list[-1]", "list", None, (0, 0)),
            ("list[2", "list[2", None, (0, 0)),
        ];
        for (text, name, index, (offset, length)) in cases {
            let expected = Variable { name: name.as_bytes(), index, cut: Cut { offset, length } };
            assert_eq!(Variable::parse(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn values_are_cut() {
        let cases = [
            ((0, 0), "1009"),
            ((1, 0), "009"),
            ((4, 0), ""),
            ((9, 0), ""),
            ((-2, 0), "09"),
            ((-4, 0), "1009"),
            ((-9, 0), "1009"),
            ((0, 2), "10"),
            ((1, 2), "00"),
            ((-2, 1), "0"),
            ((0, 9), "1009"),
            ((0, -1), "1009"),
            ((i32::MIN, i32::MAX), "1009"),
        ];
        for ((offset, length), taken) in cases {
            assert_eq!(Cut { offset, length }.of(b"1009"), taken.as_bytes(), "{offset}:{length}");
        }
    }
}
