//! The literals that extensions want of one field.

use aho_corasick::{AhoCorasick, MatchKind};
use chappe_expression::Place;
use hashbrown::HashMap;
use smallvec::SmallVec;

use super::List;
use super::choices::Key;

/// A literal and the list of those who want it.
type Table = HashMap<Vec<u8>, u32>;

/// Finds which of the literals a text has where they are wanted.
#[derive(Debug, Default)]
pub(super) struct Literals {
    exact: Anchored,
    /// Those without case, in lower case.
    folded: Anchored,
    inside: Option<Inside>,
    inside_folded: Option<Inside>,
}

#[derive(Debug, Default)]
struct Anchored {
    whole: Table,
    starts: Edge,
    ends: Edge,
}

/// Literals at one end of a text, and their lengths in order.
#[derive(Debug, Default)]
struct Edge {
    table: Table,
    lengths: Vec<usize>,
}

/// Literals anywhere in a text.
#[derive(Debug)]
struct Inside {
    automaton: AhoCorasick,
    /// The list of each of the automaton's patterns.
    lists: Vec<u32>,
}

/// Literals that are being collected.
#[derive(Default)]
pub(super) struct Builder {
    exact: Anchored,
    folded: Anchored,
    inside: Table,
    inside_folded: Table,
}

impl Builder {
    /// The list of those who want this literal, a new one for a new literal.
    pub(super) fn list<'l>(&mut self, key: Key<'_>, lists: &'l mut Vec<List>) -> &'l mut List {
        let (anchored, inside) = match key.caseless {
            true => (&mut self.folded, &mut self.inside_folded),
            false => (&mut self.exact, &mut self.inside),
        };
        let table = match key.place {
            Place::Whole => &mut anchored.whole,
            Place::Start => anchored.starts.with(key.literal.len()),
            Place::End => anchored.ends.with(key.literal.len()),
            Place::Inside => inside,
        };
        let list = *table.entry(key.literal).or_insert_with(|| {
            lists.push(List::new());
            (lists.len() - 1) as u32
        });
        &mut lists[list as usize]
    }

    /// `unwanted` is told of lists whose literals can't be looked for.
    pub(super) fn build(self, mut unwanted: impl FnMut(u32)) -> Literals {
        Literals {
            exact: self.exact,
            folded: self.folded,
            inside: Inside::of(self.inside, false, &mut unwanted),
            inside_folded: Inside::of(self.inside_folded, true, &mut unwanted),
        }
    }
}

impl Literals {
    /// Tells of each list whose literal the text has, of some more than once.
    pub(super) fn find(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        self.exact.find(text, found);
        if !self.folded.is_empty() {
            let mut folded: SmallVec<[u8; 256]> = SmallVec::from_slice(text);
            folded.make_ascii_lowercase();
            self.folded.find(&folded, found);
        }
        for inside in self.inside.iter().chain(&self.inside_folded) {
            inside.find(text, found);
        }
    }
}

impl Anchored {
    fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.starts.lengths.is_empty() && self.ends.lengths.is_empty()
    }

    fn find(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        self.starts.find(text, |text, length| &text[..length], found);
        self.find_ends(text, found);
        // PCRE2: the end is before a newline that ends the subject, too.
        if let Some(bare) = text.strip_suffix(b"\n") {
            self.find_ends(bare, found);
        }
    }

    fn find_ends(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        if let Some(list) = self.whole.get(text) {
            found(*list);
        }
        self.ends.find(text, |text, length| &text[text.len() - length..], found);
    }
}

impl Edge {
    /// The table, for a literal of that length.
    fn with(&mut self, length: usize) -> &mut Table {
        if let Err(place) = self.lengths.binary_search(&length) {
            self.lengths.insert(place, length);
        }
        &mut self.table
    }

    fn find(&self, text: &[u8], cut: impl Fn(&[u8], usize) -> &[u8], found: &mut impl FnMut(u32)) {
        for length in self.lengths.iter().take_while(|length| **length <= text.len()) {
            if let Some(list) = self.table.get(cut(text, *length)) {
                found(*list);
            }
        }
    }
}

impl Inside {
    fn of(table: Table, folded: bool, unwanted: &mut impl FnMut(u32)) -> Option<Self> {
        if table.is_empty() {
            return None;
        }
        let mut table: Vec<_> = table.into_iter().collect();
        table.sort_unstable();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(folded)
            .build(table.iter().map(|(literal, _)| literal));
        let lists: Vec<u32> = table.into_iter().map(|(_, list)| list).collect();
        match automaton {
            Ok(automaton) => Some(Self { automaton, lists }),
            Err(_) => {
                lists.into_iter().for_each(unwanted);
                None
            }
        }
    }

    fn find(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        let mut seen: SmallVec<[u64; 4]> = SmallVec::from_elem(0, self.lists.len().div_ceil(64));
        for hit in self.automaton.find_overlapping_iter(text) {
            let pattern = hit.pattern().as_usize();
            let (word, bit) = (&mut seen[pattern / 64], 1 << (pattern % 64));
            if *word & bit == 0 {
                *word |= bit;
                found(self.lists[pattern]);
            }
        }
    }
}
