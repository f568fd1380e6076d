//! Whether a term may be decoded: bounds on its depth and on its number of elements, found without recursion and without
//! allocating what a length says. A decoder that trusted lengths could be made to take all memory by twenty octets, and
//! one that recurses to overflow the stack.

/// How deep lists, tuples, maps and funs may be nested.
pub const MAX_DEPTH: usize = 64;

/// How many terms a message may consist of; a long string counts one for each character.
pub const MAX_TERMS: usize = 1_000_000;

/// Why a term is not decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckError {
    #[error("a term is cut short")]
    Short,
    #[error("a term of the unknown kind {0}")]
    Kind(u8),
    #[error("a term nested deeper than {MAX_DEPTH}")]
    Deep,
    #[error("a message of more than {MAX_TERMS} terms")]
    Many,
    #[error("octets after the last term")]
    Rest,
}

/// The octet that a whole term begins with.
const VERSION: u8 = 131;

/// Checks a distribution message: a control tuple, and the message if there is one.
pub fn message(octets: &[u8]) -> Result<(), CheckError> {
    let mut scan = Scan { octets, terms: 0 };
    scan.whole_term()?;
    if !scan.octets.is_empty() {
        scan.whole_term()?;
    }
    if scan.octets.is_empty() { Ok(()) } else { Err(CheckError::Rest) }
}

struct Scan<'a> {
    octets: &'a [u8],
    terms: usize,
}

impl Scan<'_> {
    fn whole_term(&mut self) -> Result<(), CheckError> {
        match self.u8()? {
            VERSION => self.term(),
            other => Err(CheckError::Kind(other)),
        }
    }

    fn term(&mut self) -> Result<(), CheckError> {
        // How many terms are still to come, on each level.
        let mut open = vec![1_usize];
        while let Some(left) = open.last_mut() {
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            self.terms += 1;
            if self.terms > MAX_TERMS {
                return Err(CheckError::Many);
            }
            let inside = self.head()?;
            // Every term takes an octet at least.
            if inside > self.octets.len() {
                return Err(CheckError::Short);
            }
            if inside > 0 {
                if open.len() >= MAX_DEPTH {
                    return Err(CheckError::Deep);
                }
                open.push(inside);
            }
        }
        Ok(())
    }

    /// Passes over a term's own octets; how many terms are inside it. The format of each kind:
    /// <https://www.erlang.org/doc/apps/erts/erl_ext_dist>. Compressed terms and atom cache references, which are not
    /// used between these nodes, are unknown here.
    fn head(&mut self) -> Result<usize, CheckError> {
        let kind = self.u8()?;
        match kind {
            97 => self.skip(1)?,
            98 => self.skip(4)?,
            70 => self.skip(8)?,
            99 => self.skip(31)?,
            106 => {}
            115 | 119 => self.sized(Self::u8_len)?,
            100 | 107 | 118 => self.sized(Self::u16_len)?,
            109 => self.sized(Self::u32_len)?,
            77 => self.bits()?,
            110 => {
                let len = self.u8_len()?;
                self.skip(len + 1)?;
            }
            111 => {
                let len = self.u32_len()?;
                self.skip(len + 1)?;
            }
            101 | 102 => self.of_node(5)?,
            89 => self.of_node(8)?,
            103 => self.of_node(9)?,
            88 | 120 => self.of_node(12)?,
            114 => self.reference(1)?,
            90 => self.reference(4)?,
            104 => return self.u8_len(),
            105 => return self.u32_len(),
            108 => return Ok(self.u32_len()? + 1),
            116 => return Ok(self.u32_len()? * 2),
            113 => return Ok(3),
            112 => return self.fun(),
            other => return Err(CheckError::Kind(other)),
        }
        Ok(0)
    }

    /// A name of a node and `rest` octets: process and port identifiers.
    fn of_node(&mut self, rest: usize) -> Result<(), CheckError> {
        match self.u8()? {
            115 | 119 => self.sized(Self::u8_len)?,
            100 | 118 => self.sized(Self::u16_len)?,
            other => return Err(CheckError::Kind(other)),
        }
        self.skip(rest)
    }

    fn reference(&mut self, creation: usize) -> Result<(), CheckError> {
        let words = self.u16_len()?;
        self.of_node(creation + 4 * words)
    }

    /// Octets of which the last has 1 to 8 bits.
    fn bits(&mut self) -> Result<(), CheckError> {
        let len = self.u32_len()?;
        match self.u8()? {
            1..=8 => self.skip(len),
            _ => Err(CheckError::Kind(77)),
        }
    }

    /// Module, two integers, the maker and the free variables are terms.
    fn fun(&mut self) -> Result<usize, CheckError> {
        self.skip(4 + 1 + 16 + 4)?;
        Ok(self.u32_len()? + 4)
    }

    fn sized(&mut self, len: fn(&mut Self) -> Result<usize, CheckError>) -> Result<(), CheckError> {
        let len = len(self)?;
        self.skip(len)
    }

    fn skip(&mut self, len: usize) -> Result<(), CheckError> {
        self.octets = self.octets.get(len..).ok_or(CheckError::Short)?;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], CheckError> {
        let (taken, rest) = self.octets.split_first_chunk().ok_or(CheckError::Short)?;
        self.octets = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, CheckError> {
        self.take().map(u8::from_be_bytes)
    }

    fn u8_len(&mut self) -> Result<usize, CheckError> {
        self.u8().map(usize::from)
    }

    fn u16_len(&mut self) -> Result<usize, CheckError> {
        self.take().map(u16::from_be_bytes).map(usize::from)
    }

    fn u32_len(&mut self) -> Result<usize, CheckError> {
        Ok(self.take().map(u32::from_be_bytes)? as usize)
    }
}

#[cfg(test)]
mod tests {
    use eetf::{Atom, BigInteger, Binary, FixInteger, List, Map, Pid, Reference, Term, Tuple};

    use super::*;

    fn encoded(term: &Term) -> Vec<u8> {
        let mut octets = Vec::new();
        term.encode(&mut octets).expect("it can be encoded");
        octets
    }

    fn every_kind() -> Term {
        let pid = Pid { node: Atom::from("a@b"), id: 1, serial: 2, creation: 3 };
        let reference = Reference { node: Atom::from("a@b"), id: vec![1, 2, 3], creation: 4 };
        let map = [(Term::from(FixInteger::from(1)), Term::from(Atom::from("x")))].into();
        Term::from(Tuple::from(vec![
            Term::from(pid),
            Term::from(reference),
            Term::from(Map { map }),
            Term::from(Binary::from(vec![1, 2])),
            Term::from(BigInteger::from(1_i64 << 40)),
            Term::from(FixInteger::from(-1)),
            Term::from("text".to_owned()),
            Term::from(List::nil()),
            Term::from(List::from(vec![Term::from(Atom::from("z")), Term::from(FixInteger::from(300))])),
        ]))
    }

    #[test]
    fn what_is_sound_passes() {
        let octets = encoded(&every_kind());
        assert_eq!(message(&octets), Ok(()));
        assert_eq!(message(&[&octets[..], &octets].concat()), Ok(()));
    }

    #[test]
    fn every_cut_is_noticed() {
        let octets = encoded(&every_kind());
        for len in 0..octets.len() {
            assert_eq!(message(&octets[..len]), Err(CheckError::Short), "cut at {len}");
        }
    }

    #[test]
    fn what_would_harm_a_decoder_is_refused() {
        let nested = |depth: usize| {
            let mut octets = vec![131];
            octets.extend([104, 1].repeat(depth));
            octets.push(106);
            octets
        };
        assert_eq!(message(&nested(MAX_DEPTH - 1)), Ok(()));
        assert_eq!(message(&nested(MAX_DEPTH)), Err(CheckError::Deep));
        assert_eq!(message(&nested(1_000_000)), Err(CheckError::Deep));
        for (octets, expected) in [
            (&[131, 108, 255, 255, 255, 255, 106][..], CheckError::Short),
            (&[131, 105, 255, 255, 255, 255, 106], CheckError::Short),
            (&[131, 116, 255, 255, 255, 255, 106], CheckError::Short),
            (&[131, 109, 255, 255, 255, 255, 1], CheckError::Short),
            (&[131, 77, 0, 0, 0, 1, 9, 1], CheckError::Kind(77)),
            (&[131, 80, 0, 0, 0, 1], CheckError::Kind(80)),
            (&[131, 82, 0], CheckError::Kind(82)),
            (&[130, 106], CheckError::Kind(130)),
            (&[131, 106, 131, 106, 131], CheckError::Rest),
        ] {
            assert_eq!(message(octets), Err(expected), "{octets:?}");
        }
        let mut long = vec![131, 108];
        long.extend(u32::try_from(MAX_TERMS).expect("small").to_be_bytes());
        long.extend(vec![106; MAX_TERMS + 1]);
        assert_eq!(message(&long), Err(CheckError::Many));
    }
}
