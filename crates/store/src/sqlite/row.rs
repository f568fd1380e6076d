//! The row of a message: its columns, its key, its checksum.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};

use super::code::checksum;
use super::fault::Fault;
use crate::{MessageId, Micros, State, Summary};

/// The columns that [`summary`] reads, of the table `message`.
pub const COLUMNS: &str =
    "message.place, id, origin, recipient, sender, state, accepted, not_before, expires, ended, tries, sum";

/// How a message's name is kept: 32 hexadecimal digits in half the octets, any other text as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    Digits([u8; 16]),
    Text(Box<str>),
}

impl Key {
    pub fn of(id: &MessageId) -> Self {
        digits(id.as_str()).map_or_else(|| Self::Text(id.as_str().into()), Self::Digits)
    }

    /// What seals the payload.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Digits(octets) => octets,
            Self::Text(text) => text.as_bytes(),
        }
    }

    pub fn id(&self) -> MessageId {
        match self {
            Self::Digits(octets) => {
                MessageId::from(format!("{:032x}", u128::from_be_bytes(*octets)).as_str())
            }
            Self::Text(text) => MessageId::from(&**text),
        }
    }

    /// `None`: no key was ever written so.
    pub fn read(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Blob(octets) => Some(Self::Digits(octets.try_into().ok()?)),
            ValueRef::Text(text) => Some(Self::Text(std::str::from_utf8(text).ok()?.into())),
            _ => None,
        }
    }
}

impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Digits(octets) => ValueRef::Blob(octets),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn digits(text: &str) -> Option<[u8; 16]> {
    let lower = |octet: u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 32 || !text.bytes().all(lower) {
        return None;
    }
    Some(u128::from_str_radix(text, 16).ok()?.to_be_bytes())
}

/// What of a row its checksum covers: all that changes only when the payload does.
pub struct Covered<'a> {
    pub key: &'a Key,
    pub origin: Option<&'a [u8]>,
    pub recipient: &'a str,
    pub sender: &'a str,
    pub accepted: Micros,
    pub not_before: Micros,
    pub expires: Micros,
}

impl Covered<'_> {
    pub fn sum(&self) -> u32 {
        let length = |piece: &[u8]| (piece.len() as u64).to_le_bytes();
        let pieces = [
            self.key.octets(),
            self.origin.unwrap_or_default(),
            self.recipient.as_bytes(),
            self.sender.as_bytes(),
        ];
        let lengths = pieces.map(length);
        let times = [self.accepted, self.not_before, self.expires].map(i64::to_le_bytes);
        checksum(
            lengths
                .iter()
                .map(<[u8; 8]>::as_slice)
                .chain(pieces)
                .chain(times.iter().map(<[u8; 8]>::as_slice)),
        )
    }
}

/// As the file has it: never renumbered.
pub fn number(state: State) -> i64 {
    match state {
        State::Accepted => 0,
        State::Waiting => 1,
        State::Delivered => 2,
        State::Refused => 3,
        State::Expired => 4,
        State::Cancelled => 5,
        State::Done => 6,
    }
}

pub fn state(number: i64) -> Option<State> {
    State::ALL.into_iter().find(|state| self::number(*state) == number)
}

/// A message's story without its attempts, and how many of those there were; `None`: the row is damaged.
pub fn summary(row: &Row<'_>) -> Result<Option<(Key, Summary)>, Fault> {
    let place = row.get(0)?;
    let columns = (1..=11).map(|column| row.get_ref(column)).collect::<Result<Vec<_>, _>>()?;
    Ok(read(place, &columns))
}

fn read(place: i64, columns: &[ValueRef<'_>]) -> Option<(Key, Summary)> {
    let [id, origin, recipient, sender, state, accepted, not_before, expires, ended, tries, sum] = columns
    else {
        return None;
    };
    let key = Key::read(*id)?;
    let covered = Covered {
        key: &key,
        origin: origin.as_blob_or_null().ok()?,
        recipient: recipient.as_str().ok()?,
        sender: sender.as_str().ok()?,
        accepted: accepted.as_i64().ok()?,
        not_before: not_before.as_i64().ok()?,
        expires: expires.as_i64().ok()?,
    };
    if sum.as_i64().ok()? != i64::from(covered.sum()) {
        return None;
    }
    let summary = Summary {
        place,
        id: key.id(),
        recipient: Arc::from(covered.recipient),
        sender: covered.sender.into(),
        state: self::state(state.as_i64().ok()?)?,
        accepted: covered.accepted,
        not_before: covered.not_before,
        expires: covered.expires,
        ended: ended.as_i64().ok()?,
        attempts: Vec::new(),
        tries: u32::try_from(tries.as_i64().ok()?).ok()?,
    };
    Some((key, summary))
}

/// What a log line calls a damaged row's message: what stands in the column, if that can be told.
pub fn name(row: &Row<'_>) -> Cow<'static, str> {
    let key = row.get_ref(1).ok().and_then(Key::read);
    key.map_or(Cow::Borrowed("unknown"), |key| Cow::Owned(key.id().as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were() {
        let short = ["00112233445566778899aabbccddeeff", "ffffffffffffffffffffffffffffffff"];
        let long = [
            "",
            "00112233445566778899AABBCCDDEEFF",
            "00112233445566778899aabbccddeef",
            "+0112233445566778899aabbccddeeff",
            "Grüße",
        ];
        for text in short.into_iter().chain(long) {
            let key = Key::of(&MessageId::from(text));
            assert_eq!(matches!(key, Key::Digits(_)), short.contains(&text), "{text}");
            assert_eq!(key.id().as_str(), text);
        }
    }

    #[test]
    fn states_are_numbered_for_good() {
        assert_eq!(State::ALL.map(number), [0, 1, 2, 3, 4, 5, 6]);
        assert!(State::ALL.iter().all(|one| state(number(*one)) == Some(*one)));
        assert_eq!(state(7), None);
    }

    #[test]
    fn the_checksum_covers_each_column() {
        let (one, other) = (Key::Digits([1; 16]), Key::Digits([2; 16]));
        let base = || Covered {
            key: &one,
            origin: Some(b"o"),
            recipient: "ab",
            sender: "c",
            accepted: 1,
            not_before: 2,
            expires: 3,
        };
        let differing = [
            Covered { key: &other, ..base() },
            Covered { origin: None, ..base() },
            Covered { recipient: "a", sender: "bc", ..base() },
            Covered { sender: "d", ..base() },
            Covered { accepted: 0, ..base() },
            Covered { not_before: 0, ..base() },
            Covered { expires: 0, ..base() },
        ];
        assert!(differing.iter().all(|covered| covered.sum() != base().sum()));
    }
}
