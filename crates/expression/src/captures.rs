//! What an expression captured.

use pcre2::bytes::CaptureLocations;
use smallvec::SmallVec;

/// What the groups of an expression captured, as places in the subject.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Captures {
    groups: SmallVec<[Option<(usize, usize)>; 6]>,
}

impl Captures {
    pub(crate) fn of_whole(whole: (usize, usize)) -> Self {
        Self { groups: SmallVec::from_slice(&[Some(whole)]) }
    }

    pub(crate) fn read(room: &CaptureLocations) -> Self {
        let mut groups: SmallVec<_> = (0..room.len()).map(|group| room.get(group)).collect();
        // PCRE counts up to the last group that took part.
        while groups.last() == Some(&None) {
            groups.pop();
        }
        Self { groups }
    }

    /// Groups up to the last that took part, the whole match included; FreeSWITCH's match count.
    pub fn count(&self) -> usize {
        self.groups.len().max(1)
    }

    /// What a group captured; nothing for one that took no part.
    pub fn group<'s>(&self, subject: &'s [u8], group: usize) -> &'s [u8] {
        self.span(group).and_then(|(start, end)| subject.get(start..end)).unwrap_or_default()
    }

    /// Where the group is in the subject, in octets.
    pub fn span(&self, group: usize) -> Option<(usize, usize)> {
        self.groups.get(group).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use crate::Expression;

    #[test]
    fn groups_that_took_no_part_at_the_end_do_not_count() {
        let captures = Expression::new("^(a)?(b)(x)?")
            .expect("it compiles")
            .captures("bc")
            .expect("it is cheap")
            .expect("it matches");
        assert_eq!(captures.count(), 3);
        assert_eq!(captures.span(1), None);
        assert_eq!(captures.group(b"bc", 2), b"b");
    }
}
