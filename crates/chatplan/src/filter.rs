//! Which extensions of a context a message may concern, found without looking at each.
//!
//! Most conditions can hold only where their field has some literal in it: `^1009@` wants `1009@` at its start. The literals
//! of all extensions stand in one table a field, so that a look at the message's fields finds those extensions that may
//! match, however many there are; the hunt passes over the others, in which nothing would have happened. What an extension
//! wants is for [`choices`] to say; one of which nothing is known is never passed over. A condition that is passed over is
//! not matched, so that one whose match is too costly is not complained of then.

mod choices;
mod literals;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use chappe_event::Event;
use chappe_expression::Place;
use hashbrown::HashMap;
use smallvec::SmallVec;

use self::choices::{Choice, Key};
use self::literals::Literals;
use crate::plan::Extension;

/// Below so many extensions, looking at each costs less than the filter.
const WORTHWHILE: usize = 4;

/// Fields that are looked at: the most used ones. Each costs a look-up, whichever extension matches.
const MAX_FIELDS: usize = 16;

/// The extensions of a context by what they want.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Extensions in order, list by list. The first is of those that any message may concern.
    lists: Vec<List>,
    fields: Vec<Field>,
}

/// Most literals are those of one extension.
type List = SmallVec<[u32; 4]>;

const ANY: usize = 0;

#[derive(Debug)]
struct Field {
    name: String,
    literals: Literals,
}

/// The extensions that a message may concern, in order.
pub(crate) struct Candidates(BinaryHeap<Reverse<Cursor>>);

/// A place in a list, and the extension there.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Cursor {
    extension: u32,
    list: u32,
    at: u32,
}

impl Filter {
    /// `None` where it would be of no use.
    pub(crate) fn of(extensions: &[Extension]) -> Option<Self> {
        if extensions.len() < WORTHWHILE {
            return None;
        }
        let known: Vec<_> = extensions.iter().map(choices::of).collect();
        let fields = most_used(&known);
        let chosen = choose(known, &fields);
        if chosen.iter().all(Option::is_none) {
            return None;
        }
        Some(Self::build(&fields, chosen))
    }

    fn build(fields: &[&str], chosen: Vec<Option<Choice<'_>>>) -> Self {
        let mut lists = vec![List::new()];
        let mut building: Vec<_> = fields.iter().map(|_| literals::Builder::default()).collect();
        for (extension, choice) in (0..).zip(chosen) {
            let Some(choice) = choice else {
                lists[ANY].push(extension);
                continue;
            };
            for key in choice {
                let Some(field) = fields.iter().position(|field| *field == key.field) else { continue };
                let list = building[field].list(key, &mut lists);
                if list.last() != Some(&extension) {
                    list.push(extension);
                }
            }
        }
        let mut built = Vec::new();
        for (name, builder) in fields.iter().zip(building) {
            let literals = builder.build(|list| {
                let list = std::mem::take(&mut lists[list as usize]);
                lists[ANY].extend(list);
            });
            built.push(Field { name: (*name).to_owned(), literals });
        }
        lists[ANY].sort_unstable();
        lists[ANY].dedup();
        Self { lists, fields: built }
    }

    /// The extensions from number `from` on that the message, as it is, may concern.
    pub(crate) fn candidates(&self, message: &Event, from: usize) -> Candidates {
        let mut cursors = BinaryHeap::with_capacity(8);
        let mut add = |list: u32| cursors.extend(self.cursor(list, 0, from).map(Reverse));
        add(ANY as u32);
        for field in &self.fields {
            field.literals.find(message.get(&field.name).unwrap_or_default().as_bytes(), &mut add);
        }
        Candidates(cursors)
    }

    /// The first place in the list, at or behind `at`, of an extension from number `from` on.
    fn cursor(&self, list: u32, at: u32, from: usize) -> Option<Cursor> {
        let extensions = &self.lists[list as usize][at as usize..];
        let skipped = extensions.partition_point(|extension| (*extension as usize) < from);
        let extension = *extensions.get(skipped)?;
        Some(Cursor { extension, list, at: at + skipped as u32 })
    }
}

impl Candidates {
    /// The first of them from number `from` on.
    pub(crate) fn next(&mut self, filter: &Filter, from: usize) -> Option<usize> {
        while let Some(mut first) = self.0.peek_mut() {
            let Reverse(cursor) = &*first;
            if cursor.extension as usize >= from {
                return Some(cursor.extension as usize);
            }
            match filter.cursor(cursor.list, cursor.at, from) {
                Some(next) => *first = Reverse(next),
                None => drop(PeekMut::pop(first)),
            }
        }
        None
    }
}

/// The fields that most extensions could be found by.
fn most_used<'p>(known: &[Option<Vec<Choice<'p>>>]) -> Vec<&'p str> {
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for key in known.iter().flatten().flatten().flatten() {
        *uses.entry(key.field).or_default() += 1;
    }
    let mut uses: Vec<_> = uses.into_iter().collect();
    uses.sort_unstable_by_key(|(name, uses)| (Reverse(*uses), *name));
    uses.truncate(MAX_FIELDS);
    uses.into_iter().map(|(name, _)| name).collect()
}

/// For each extension what finds it among the fewest others; `None` where nothing does.
fn choose<'p>(known: Vec<Option<Vec<Choice<'p>>>>, fields: &[&str]) -> Vec<Option<Choice<'p>>> {
    let mut shared: HashMap<&Key, u64> = HashMap::new();
    for key in known.iter().flatten().flatten().flatten() {
        *shared.entry(key).or_default() += 1;
    }
    let best: Vec<Option<usize>> = known
        .iter()
        .map(|choices| {
            let cost = |choice: &Choice| -> u64 { choice.iter().map(|key| shared[key] * burden(key)).sum() };
            let usable = |choice: &Choice| choice.iter().all(|key| fields.contains(&key.field));
            let choices = choices.iter().flatten().enumerate().filter(|(_, choice)| usable(choice));
            choices.min_by_key(|(_, choice)| cost(choice)).map(|(at, _)| at)
        })
        .collect();
    drop(shared);
    known
        .into_iter()
        .zip(best)
        .map(|(choices, best)| choices.zip(best).map(|(mut choices, best)| choices.swap_remove(best)))
        .collect()
}

/// How much an extension is worse off with this key: the less it says, the more messages have it.
fn burden(key: &Key) -> u64 {
    let by_place = match key.place {
        Place::Whole => 1,
        Place::Start | Place::End => 2,
        Place::Inside => 4,
    };
    by_place * if key.place != Place::Whole && key.literal.len() < 3 { 8 } else { 1 }
}
