//! How values become octets: numbers of variable length, texts behind their length, a checksum at the end.

/// Octets of the checksum.
const SUM: usize = 4;

/// Octets being written.
#[derive(Default)]
pub struct Out(Vec<u8>);

impl Out {
    pub fn with_capacity(octets: usize) -> Self {
        Self(Vec::with_capacity(octets))
    }

    pub fn octet(&mut self, octet: u8) {
        self.0.push(octet);
    }

    /// LEB128: seven bits an octet, the lowest first.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Small whatever its sign.
    pub fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }

    pub fn octets(&mut self, octets: &[u8]) {
        self.number(octets.len() as u64);
        self.0.extend_from_slice(octets);
    }

    pub fn text(&mut self, text: &str) {
        self.octets(text.as_bytes());
    }

    /// What was written, and a checksum over `key` and it, so that it counts for this key alone.
    pub fn sealed(mut self, key: &[u8]) -> Vec<u8> {
        let sum = checksum([key, &self.0]);
        self.0.extend_from_slice(&sum.to_le_bytes());
        self.0
    }
}

/// Octets being read. `None` everywhere: they are not what was written.
pub struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    /// What [`Out::sealed`] made for this key.
    pub fn unsealed(key: &[u8], octets: &'a [u8]) -> Option<Self> {
        let (octets, sum) = octets.split_at_checked(octets.len().checked_sub(SUM)?)?;
        (checksum([key, octets]).to_le_bytes() == *sum).then_some(Self(octets))
    }

    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            number |= u64::from(octet & 0x7f) << shift;
            if octet < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A number that fits.
    pub fn small<N: TryFrom<u64>>(&mut self) -> Option<N> {
        N::try_from(self.number()?).ok()
    }

    pub fn octets(&mut self) -> Option<&'a [u8]> {
        let length = self.small()?;
        let (octets, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(octets)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.octets()?).ok()
    }

    /// How many of something follow; each takes an octet at least, so that no number asks for memory that isn't there.
    pub fn count(&mut self) -> Option<usize> {
        self.small().filter(|count| *count <= self.0.len())
    }
}

/// Of all pieces, one after the other.
pub fn checksum<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    pieces.into_iter().for_each(|piece| sum.update(piece));
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let signed = [0, 1, -1, 64, -65, i64::MAX, i64::MIN];
        let mut out = Out::default();
        numbers.iter().for_each(|number| out.number(*number));
        signed.iter().for_each(|number| out.signed(*number));
        out.text("Grüße");
        out.octets(&[0, 255]);
        let octets = out.sealed(b"key");
        let mut input = In::unsealed(b"key", &octets).unwrap();
        assert!(numbers.iter().all(|number| input.number() == Some(*number)));
        assert!(signed.iter().all(|number| input.signed() == Some(*number)));
        assert_eq!(input.text(), Some("Grüße"));
        assert_eq!(input.octets(), Some(&[0, 255][..]));
        assert_eq!(input.octet(), None);
    }

    #[test]
    fn no_single_bit_can_change_unnoticed() {
        let mut out = Out::default();
        out.text("the text of a message");
        let octets = out.sealed(b"key");
        assert!(In::unsealed(b"kex", &octets).is_none());
        for bit in 0..octets.len() * 8 {
            let mut damaged = octets.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(In::unsealed(b"key", &damaged).is_none(), "bit {bit}");
        }
        assert!(In::unsealed(b"", &[1, 2, 3]).is_none());
    }

    #[test]
    fn lengths_that_are_not_there_ask_for_nothing() {
        let mut out = Out::default();
        out.number(u64::MAX);
        let octets = out.sealed(b"");
        assert!(In::unsealed(b"", &octets).unwrap().octets().is_none());
        assert!(In::unsealed(b"", &octets).unwrap().count().is_none());
    }
}
