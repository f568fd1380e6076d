//! Reads a pattern as PCRE2 does where it has no options but those for case and dots, octet by octet.
//!
//! Whatever is not read for sure gives the pattern up: an option, a look-around, a verb, a reference, a brace that is no
//! quantifier.

use super::piece::{MAX_LITERAL, Piece};

/// Groups in groups that are followed.
const MAX_DEPTH: u32 = 32;

/// The octets of a class that stand for alternatives.
const MAX_CLASS: usize = 4;

/// What is known of the texts the pattern matches; `None` when it is not understood.
pub(super) fn read(pattern: &[u8]) -> Option<Piece> {
    let mut reader = Reader { rest: pattern, depth: 0 };
    let piece = reader.alternatives()?;
    // What is left is a parenthesis that nothing opened.
    reader.rest.is_empty().then_some(piece)
}

struct Reader<'p> {
    rest: &'p [u8],
    depth: u32,
}

/// A piece, and whether a quantifier may follow it.
enum Atom {
    Assertion(Piece),
    /// An octet that stands for itself.
    Octet(u8),
    Item(Piece),
}

impl Reader<'_> {
    fn alternatives(&mut self) -> Option<Piece> {
        let mut piece = self.sequence()?;
        while self.eats(b"|") {
            piece = piece.or(self.sequence()?);
        }
        Some(piece)
    }

    fn sequence(&mut self) -> Option<Piece> {
        let mut piece = Piece::empty();
        let mut literal = Vec::new();
        while self.rest.first().is_some_and(|byte| !b"|)".contains(byte)) {
            let next = match self.atom()? {
                Atom::Assertion(_) if self.at_quantifier() => return None,
                Atom::Assertion(assertion) => assertion,
                Atom::Octet(octet) if self.at_quantifier() => self.quantified(of_octet(octet))?,
                // One after the other, they are one piece.
                Atom::Octet(octet) if literal.len() < MAX_LITERAL => {
                    literal.push(octet);
                    continue;
                }
                Atom::Octet(octet) => of_octet(octet),
                Atom::Item(item) => self.quantified(item)?,
            };
            if !literal.is_empty() {
                piece = piece.then(Piece::exact(vec![std::mem::take(&mut literal)]));
            }
            piece = piece.then(next);
        }
        Some(if literal.is_empty() { piece } else { piece.then(Piece::exact(vec![literal])) })
    }

    fn atom(&mut self) -> Option<Atom> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        let item = match byte {
            b'^' => return Some(Atom::Assertion(Piece::start())),
            b'$' => return Some(Atom::Assertion(Piece::end())),
            b'\\' => return self.escape(),
            b'.' => Piece::unknown(),
            b'[' => self.class()?,
            b'(' => self.group()?,
            b'*' | b'+' | b'?' | b'{' => return None,
            literal => return Some(Atom::Octet(literal)),
        };
        Some(Atom::Item(item))
    }

    fn escape(&mut self) -> Option<Atom> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match byte {
            b'A' => Atom::Assertion(Piece::start()),
            b'z' | b'Z' => Atom::Assertion(Piece::end()),
            b'b' | b'B' => Atom::Assertion(Piece::empty()),
            b'd' | b'D' | b'w' | b'W' | b's' | b'S' | b'h' | b'H' | b'v' | b'V' => {
                Atom::Item(Piece::unknown())
            }
            b'n' => Atom::Octet(b'\n'),
            b'r' => Atom::Octet(b'\r'),
            b't' => Atom::Octet(b'\t'),
            // PCRE2: a backslash takes the meaning from whatever is neither a letter nor a digit.
            punctuation if punctuation.is_ascii_punctuation() => Atom::Octet(punctuation),
            _ => return None,
        })
    }

    /// A class whose bracket is behind us: its octets where they are few and stand for themselves.
    fn class(&mut self) -> Option<Piece> {
        let mut octets = Vec::new();
        let mut is_plain = !self.eats(b"^");
        // The first one is no end.
        if self.eats(b"]") {
            octets.push(b']');
        }
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b']' => break,
                b'[' => {
                    self.posix_name()?;
                    is_plain = false;
                }
                b'\\' => {
                    let (&escaped, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    // They quote, or take the octet behind them, which may be a bracket.
                    if b"QEc".contains(&escaped) {
                        return None;
                    }
                    is_plain &= escaped.is_ascii_punctuation();
                    octets.push(escaped);
                }
                // It may be a range.
                b'-' => is_plain = false,
                literal => octets.push(literal),
            }
        }
        if is_plain && octets.len() <= MAX_CLASS {
            return Some(Piece::exact(octets.into_iter().map(|octet| vec![octet]).collect()));
        }
        Some(Piece::unknown())
    }

    /// `[:alpha:]`, whose first bracket is behind us.
    fn posix_name(&mut self) -> Option<()> {
        let name = self.rest.strip_prefix(b":")?;
        let end = name.iter().position(|byte| !byte.is_ascii_lowercase() && *byte != b'^')?;
        self.rest = name[end..].strip_prefix(b":]")?;
        Some(())
    }

    /// A group whose parenthesis is behind us.
    fn group(&mut self) -> Option<Piece> {
        self.depth += 1;
        let is_special = self.rest.first().is_some_and(|byte| b"?*".contains(byte)) && !self.eats(b"?:");
        if is_special || self.depth > MAX_DEPTH {
            return None;
        }
        let piece = self.alternatives()?;
        self.depth -= 1;
        self.eats(b")").then_some(piece)
    }

    /// The piece with the quantifier that follows it, if one does.
    fn quantified(&mut self, piece: Piece) -> Option<Piece> {
        let Some(&byte) = self.rest.first().filter(|_| self.at_quantifier()) else { return Some(piece) };
        self.rest = &self.rest[1..];
        let (least, most) = match byte {
            b'?' => (0, Some(1)),
            b'*' => (0, None),
            b'+' => (1, None),
            _ => self.counts()?,
        };
        // Lazy or possessive: it matches no more than the greedy one could.
        let _ = self.eats(b"?") || self.eats(b"+");
        if self.at_quantifier() { None } else { Some(piece.repeated(least, most)) }
    }

    fn at_quantifier(&self) -> bool {
        self.rest.first().is_some_and(|byte| b"?*+{".contains(byte))
    }

    /// `2}`, `2,}` or `2,3}`.
    fn counts(&mut self) -> Option<(u32, Option<u32>)> {
        let least = self.number()?;
        let most = match self.eats(b",") {
            false => Some(least),
            true => self.number(),
        };
        self.eats(b"}").then_some((least, most))
    }

    fn number(&mut self) -> Option<u32> {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.rest.split_at(end);
        let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
        self.rest = rest;
        Some(number)
    }

    fn eats(&mut self, text: &[u8]) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn of_octet(octet: u8) -> Piece {
    Piece::exact(vec![vec![octet]])
}
