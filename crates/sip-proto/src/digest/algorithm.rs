use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256};

/// The hash of a digest. From weaker to stronger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// `MD5`, also where none is named.
    Md5,
    /// `MD5-sess`.
    Md5Sess,
    /// `SHA-256`, RFC 8760 for SIP.
    Sha256,
    /// `SHA-256-sess`.
    Sha256Sess,
}

impl Algorithm {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Md5Sess, Self::Sha256, Self::Sha256Sess];

    /// The token of the `algorithm` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
        }
    }

    /// The algorithm of that token, in any case.
    pub fn parse(token: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().as_bytes().eq_ignore_ascii_case(token))
    }

    /// Whether A1 is hashed with the nonces of the session once more, RFC 7616 §3.4.2.
    pub fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess)
    }

    /// How many hexadecimal digits its hashes have.
    pub(super) fn hex_length(self) -> usize {
        match self {
            Self::Md5 | Self::Md5Sess => 32,
            Self::Sha256 | Self::Sha256Sess => 64,
        }
    }

    /// `H(parts joined by colons)`.
    pub(super) fn hash(self, parts: &[&[u8]]) -> Hex {
        match self {
            Self::Md5 | Self::Md5Sess => Hex::of(&joined::<Md5>(parts)),
            Self::Sha256 | Self::Sha256Sess => Hex::of(&joined::<Sha256>(parts)),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn joined<D: Digest>(parts: &[&[u8]]) -> impl AsRef<[u8]> + use<D> {
    let mut hash = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    Bytes::<D>(hash.finalize())
}

/// A hash's bytes, whatever its length.
struct Bytes<D: Digest>(sha2::digest::Output<D>);

impl<D: Digest> AsRef<[u8]> for Bytes<D> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Up to 32 bytes in lower-case hexadecimal, without an allocation.
#[derive(Clone, Copy)]
pub(super) struct Hex {
    digits: [u8; 64],
    length: usize,
}

impl Hex {
    pub(super) fn of(bytes: &impl AsRef<[u8]>) -> Self {
        let mut digits = [0; 64];
        let bytes = bytes.as_ref();
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Self { digits, length: (2 * bytes.len()).min(64) }
    }

    /// Digits as somebody else wrote them, in any case. `None` if they are too many or no digits.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let mut digits = [0; 64];
        let place = digits.get_mut(..text.len())?;
        place.copy_from_slice(text);
        place.make_ascii_lowercase();
        let length = text.len();
        text.iter().all(u8::is_ascii_hexdigit).then_some(Self { digits, length })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("hexadecimal digits are ASCII")
    }

    /// Equal, in a time that does not tell where they differ.
    pub(super) fn matches(&self, other: &[u8]) -> bool {
        self.length == other.len() && {
            let differences =
                self.as_bytes().iter().zip(other).fold(0, |seen, (ours, theirs)| seen | (ours ^ theirs));
            std::hint::black_box(differences) == 0
        }
    }
}

fn digit(value: u8) -> u8 {
    b"0123456789abcdef"[usize::from(value & 15)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_there_and_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str().to_lowercase().as_bytes()), Some(algorithm));
            assert_eq!(algorithm.hash(&[b"a"]).as_bytes().len(), algorithm.hex_length());
        }
        assert_eq!(Algorithm::parse(b"SHA-512-256"), None);
    }

    #[test]
    fn hashes_of_joined_parts() {
        assert_eq!(Algorithm::Md5.hash(&[b"abc"]).as_str(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            Algorithm::Md5.hash(&[b"a", b"", b"b"]).as_str(),
            Algorithm::Md5.hash(&[b"a::b"]).as_str()
        );
        assert!(Algorithm::Sha256.hash(&[b"abc"]).as_str().starts_with("ba7816bf8f01cfea414140de5dae2223"));
    }

    #[test]
    fn digits_are_compared_whole() {
        let hex = Hex::of(&[0xab, 0xcd]);
        assert!(hex.matches(b"abcd"));
        for other in [&b"abce"[..], b"bbcd", b"abc", b"abcd0", b""] {
            assert!(!hex.matches(other));
        }
        assert_eq!(Hex::read(b"ABcd").map(|hex| hex.as_str().to_owned()), Some("abcd".to_owned()));
        assert!(Hex::read(b"xy").is_none());
        assert!(Hex::read(&[b'a'; 65]).is_none());
    }
}
