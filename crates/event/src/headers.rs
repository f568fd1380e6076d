//! How an event keeps its headers: one buffer of text, and entries that point into it.

use std::iter::FusedIterator;

/// What stands before the elements of an array in its joined form.
pub(crate) const ARRAY_PREFIX: &str = "ARRAY::";
/// What stands between the elements of an array in its joined form.
pub(crate) const ARRAY_SEPARATOR: &str = "|:";

/// From this many unused octets on, and once they are more than half of it, the buffer is written anew.
const GARBAGE_BOUND: usize = 4096;

/// The name of a header to be added.
///
/// A constant costs nothing to keep; any other text is copied into the event.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(Kind<'a>);

#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    Static(&'static str),
    Copied(&'a str),
}

impl<'a> Name<'a> {
    /// A name that the event has to copy.
    pub fn copied(name: &'a str) -> Self {
        Self(Kind::Copied(name))
    }

    /// The text of the name.
    pub fn as_str(&self) -> &'a str {
        match self.0 {
            Kind::Static(name) => name,
            Kind::Copied(name) => name,
        }
    }
}

impl From<&'static str> for Name<'static> {
    fn from(name: &'static str) -> Self {
        Self(Kind::Static(name))
    }
}

impl<'a> From<&'a String> for Name<'a> {
    fn from(name: &'a String) -> Self {
        Self::copied(name)
    }
}

/// The value of a header.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// One text.
    Text(&'a str),
    /// A list of texts.
    Array(Array<'a>),
}

impl<'a> Value<'a> {
    /// The value as one text; an array in its joined form, `ARRAY::one|:two`.
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Array(array) => array.joined(),
        }
    }
}

/// The elements of a header that holds a list.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    text: &'a str,
    joined: Span,
    elements: &'a [Span],
}

impl<'a> Array<'a> {
    /// The elements in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a str> + FusedIterator {
        self.elements.iter().map(move |span| span.of(self.text))
    }

    /// `ARRAY::one|:two`; the element alone when there is but one.
    pub fn joined(self) -> &'a str {
        self.joined.of(self.text)
    }
}

/// A piece of the buffer, always cut between characters.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        let octet = |at| u32::try_from(at).expect("Headers::has_room keeps the buffer below 4 GiB");
        Self { start: octet(start), len: octet(end - start) }
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }

    fn of(self, text: &str) -> &str {
        &text[self.range()]
    }
}

#[derive(Clone, Copy, Debug)]
enum EntryName {
    Static(&'static str),
    Copied(Span),
}

#[derive(Clone, Debug)]
struct Entry {
    name: EntryName,
    /// The text of the value, an array's in its joined form.
    value: Span,
    /// The elements of an array, each a part of `value`.
    elements: Option<Box<Elements>>,
}

impl Entry {
    /// What it takes of the buffer.
    fn octets(&self) -> usize {
        let name = match self.name {
            EntryName::Static(_) => 0,
            EntryName::Copied(span) => span.len,
        };
        (name + self.value.len) as usize
    }
}

/// Boxed in an entry, since hardly any header is an array.
#[derive(Clone, Debug)]
struct Elements(Vec<Span>);

/// What tells most names apart at a glance: length, first, middle and last octet, without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key(u32);

impl Key {
    /// Of a constant it is a constant.
    #[inline]
    fn of(name: &str) -> Self {
        const LOWER_CASE: u8 = 0x20;
        let octets = name.as_bytes();
        let [Some(first), Some(last)] = [octets.first(), octets.last()] else { return Self(0) };
        let middle = octets[octets.len() / 2];
        Self(u32::from_le_bytes([
            octets.len() as u8,
            first | LOWER_CASE,
            middle | LOWER_CASE,
            last | LOWER_CASE,
        ]))
    }

    /// One of the bits of [`Headers::seen`].
    #[inline]
    fn bit(self) -> u128 {
        // Fibonacci hashing: the upper bits of the product depend on all of the key.
        1 << (self.0.wrapping_mul(0x9e37_79b9) >> 25)
    }

    /// The first octet of the name.
    fn first(self) -> u8 {
        self.0.to_le_bytes()[1]
    }
}

/// Headers in order. Names are compared without regard to case and may be there more than once.
///
/// The keys lie side by side, apart from the entries, so that a search looks at eight of them at once; and most of the
/// headers that are asked for and not there are told by [`Headers::seen`] alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    text: String,
    keys: Vec<Key>,
    entries: Vec<Entry>,
    /// A bit for each key that was ever there: where it is not set, there is no such header.
    seen: u128,
    /// Octets of `text` that no entry points to.
    garbage: usize,
}

impl Headers {
    pub(crate) fn with_capacity(text: usize, entries: usize) -> Self {
        Self {
            text: String::with_capacity(text),
            keys: Vec::with_capacity(entries),
            entries: Vec::with_capacity(entries),
            seen: 0,
            garbage: 0,
        }
    }

    /// None yet, with room for as many and a few more, whose text is so many octets longer.
    pub(crate) fn room_for_copy(&self, longer: usize) -> Self {
        const MORE: usize = 8;
        const NAMES: usize = 768;
        Self::with_capacity(self.text.len() + longer + NAMES, self.len() + MORE)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where the first header of that name stands.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let key = Key::of(name);
        if self.seen & key.bit() == 0 { None } else { self.find_key(key, name) }
    }

    fn find_key(&self, key: Key, name: &str) -> Option<usize> {
        let mut from = 0;
        while let Some(at) = next_of(&self.keys, key, from) {
            if is_same(self.text_of(self.entries[at].name), name) {
                return Some(at);
            }
            from = at + 1;
        }
        None
    }

    pub(crate) fn value(&self, at: usize) -> &str {
        self.entries[at].value.of(&self.text)
    }

    /// One element of an array; `None` past its end and for a header that is no array.
    pub(crate) fn element(&self, at: usize, index: usize) -> Option<&str> {
        let span = self.entries[at].elements.as_ref()?.0.get(index)?;
        Some(span.of(&self.text))
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Value<'_>)> {
        (0..self.len()).map(|at| self.at(at))
    }

    fn at(&self, at: usize) -> (&str, Value<'_>) {
        let entry = &self.entries[at];
        let value = match &entry.elements {
            None => Value::Text(entry.value.of(&self.text)),
            Some(elements) => {
                Value::Array(Array { text: &self.text, joined: entry.value, elements: &elements.0 })
            }
        };
        (self.text_of(entry.name), value)
    }

    /// The headers whose names begin with `prefix`, in order.
    pub(crate) fn named(&self, prefix: &str) -> impl Iterator<Item = (&str, Value<'_>)> {
        let first = Key::of(prefix).first();
        let places = self.keys.iter().enumerate().filter(move |(_, key)| key.first() == first);
        let begins =
            |name: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        places.map(|(at, _)| self.at(at)).filter(move |(name, _)| begins(name))
    }

    /// Adds a header at the bottom. One that would make the buffer pass 4 GiB is left out.
    pub(crate) fn push(&mut self, name: Name<'_>, value: &str) {
        if self.has_room(name.as_str().len() + value.len()) {
            let key = Key::of(name.as_str());
            let name = self.keep_name(name);
            let value = self.keep(value);
            self.enter(key, name, value);
        }
    }

    /// [`push`](Self::push) of a value that is written straight into the buffer.
    pub(crate) fn push_written(&mut self, name: Name<'_>, write: impl FnOnce(&mut String)) {
        let key = Key::of(name.as_str());
        let name = self.keep_name(name);
        let start = self.text.len();
        write(&mut self.text);
        if !self.has_room(0) {
            return self.text.truncate(start);
        }
        self.enter(key, name, Span::new(start, self.text.len()));
    }

    fn enter(&mut self, key: Key, name: EntryName, value: Span) {
        self.seen |= key.bit();
        self.keys.push(key);
        self.entries.push(Entry { name, value, elements: None });
    }

    /// [`push`](Self::push) of an array.
    pub(crate) fn push_array<'v>(&mut self, name: Name<'_>, elements: impl IntoIterator<Item = &'v str>) {
        let at = self.len();
        self.push(name, "");
        let mut spans = Vec::new();
        for element in elements {
            if self.has_room(element.len()) {
                spans.push(self.keep(element));
            }
        }
        if at < self.len() {
            self.redraw(at, &spans);
        }
    }

    /// Moves the last `count` headers to `at`, keeping their order.
    pub(crate) fn move_last_to(&mut self, at: usize, count: usize) {
        self.keys[at..].rotate_right(count);
        self.entries[at..].rotate_right(count);
    }

    /// Removes every header of that name; whether there was one.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let key = Key::of(name);
        if self.seen & key.bit() == 0 {
            return false;
        }
        let Some(first) = self.find_key(key, name) else { return false };
        let is_lone = next_of(&self.keys, key, first + 1).is_none();
        let freed = if is_lone { self.remove_at(first) } else { self.remove_all(key, name) };
        self.discard(freed);
        true
    }

    /// How many octets that has freed.
    fn remove_at(&mut self, at: usize) -> usize {
        self.keys.remove(at);
        self.entries.remove(at).octets()
    }

    /// All of that name in one pass.
    fn remove_all(&mut self, key: Key, name: &str) -> usize {
        let (text, keys) = (&self.text, &mut self.keys);
        let (mut freed, mut at, mut kept) = (0, 0, 0);
        self.entries.retain(|entry| {
            let known = keys[at];
            at += 1;
            let is_named = known == key
                && match entry.name {
                    EntryName::Static(known) => is_same(known, name),
                    EntryName::Copied(span) => is_same(span.of(text), name),
                };
            if is_named {
                freed += entry.octets();
            } else {
                keys[kept] = known;
                kept += 1;
            }
            !is_named
        });
        keys.truncate(kept);
        freed
    }

    /// Puts `value` behind the last element (or before the first) of the header at `at`; a header that was no
    /// array becomes one.
    pub(crate) fn insert_element(&mut self, at: usize, first: bool, value: &str) {
        let mut elements = match &self.entries[at].elements {
            Some(elements) => elements.0.clone(),
            None => vec![self.entries[at].value],
        };
        if !self.has_room(value.len()) {
            return;
        }
        let span = self.keep(value);
        elements.insert(if first { 0 } else { elements.len() }, span);
        self.redraw(at, &elements);
    }

    /// Makes `value` the element number `index`, with empty ones before it where there were none. What a header
    /// that was no array held is lost.
    pub(crate) fn put_element(&mut self, at: usize, index: usize, value: &str) {
        let mut elements =
            self.entries[at].elements.as_ref().map_or_else(Vec::new, |elements| elements.0.clone());
        if !self.has_room(value.len()) {
            return;
        }
        if elements.len() <= index {
            elements.resize(index + 1, Span::default());
        }
        elements[index] = self.keep(value);
        self.redraw(at, &elements);
    }

    /// Writes the joined form of an array anew, from elements that lie anywhere in the buffer.
    fn redraw(&mut self, at: usize, elements: &[Span]) {
        let octets: usize = elements.iter().map(|span| span.len as usize + ARRAY_SEPARATOR.len()).sum();
        if !self.has_room(octets + ARRAY_PREFIX.len()) {
            return;
        }
        let start = self.text.len();
        if elements.len() > 1 {
            self.text.push_str(ARRAY_PREFIX);
        }
        let mut moved = Vec::with_capacity(elements.len());
        for (index, span) in elements.iter().enumerate() {
            if index > 0 {
                self.text.push_str(ARRAY_SEPARATOR);
            }
            let from = self.text.len();
            self.text.extend_from_within(span.range());
            moved.push(Span::new(from, self.text.len()));
        }
        let value = Span::new(start, self.text.len());
        let entry = &mut self.entries[at];
        entry.value = value;
        entry.elements = Some(Box::new(Elements(moved)));
        // What was there before, in pieces, is about as long.
        self.discard(value.len as usize);
    }

    fn text_of(&self, name: EntryName) -> &str {
        match name {
            EntryName::Static(name) => name,
            EntryName::Copied(span) => span.of(&self.text),
        }
    }

    fn keep_name(&mut self, name: Name<'_>) -> EntryName {
        match name.0 {
            Kind::Static(name) => EntryName::Static(name),
            Kind::Copied(name) => EntryName::Copied(self.keep(name)),
        }
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        Span::new(start, self.text.len())
    }

    fn has_room(&self, octets: usize) -> bool {
        self.text.len() + octets <= u32::MAX as usize
    }

    /// Counts octets that nothing points to, and writes the buffer anew when they have become too many.
    fn discard(&mut self, octets: usize) {
        self.garbage += octets;
        if self.garbage > GARBAGE_BOUND && self.garbage > self.text.len() / 2 {
            self.compact();
        }
    }

    fn compact(&mut self) {
        let mut text = String::with_capacity(self.text.len());
        for entry in &mut self.entries {
            if let EntryName::Copied(span) = &mut entry.name {
                *span = append(&mut text, span.of(&self.text));
            }
            let value = append(&mut text, entry.value.of(&self.text));
            for element in entry.elements.iter_mut().flat_map(|elements| &mut elements.0) {
                element.start = value.start + (element.start - entry.value.start);
            }
            entry.value = value;
        }
        self.text = text;
        self.garbage = 0;
    }

    #[cfg(test)]
    pub(crate) fn buffer_len(&self) -> usize {
        self.text.len()
    }
}

/// The first place from `from` on that holds the key.
fn next_of(keys: &[Key], key: Key, from: usize) -> Option<usize> {
    const AT_ONCE: usize = 8;
    let mut from = from;
    let mut chunks = keys[from..].chunks_exact(AT_ONCE);
    for chunk in chunks.by_ref() {
        if chunk.iter().fold(false, |found, known| found | (*known == key)) {
            break;
        }
        from += AT_ONCE;
    }
    let rest = &keys[from..];
    rest.iter().position(|known| *known == key).map(|at| from + at)
}

/// Nearly always it is the same spelling.
#[inline]
fn is_same(known: &str, name: &str) -> bool {
    known == name || known.eq_ignore_ascii_case(name)
}

fn append(text: &mut String, piece: &str) -> Span {
    let start = text.len();
    text.push_str(piece);
    Span::new(start, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(headers: &Headers) -> Vec<(&str, &str)> {
        headers.iter().map(|(name, value)| (name, value.as_str())).collect()
    }

    #[test]
    fn the_buffer_is_written_anew_when_it_is_mostly_garbage() {
        let mut headers = Headers::default();
        headers.push("kept".into(), "a");
        headers.push(Name::copied("copied"), "b");
        headers.push("list".into(), "one");
        let list = headers.find("LIST").unwrap();
        headers.insert_element(list, false, "two");
        let long = "x".repeat(1000);
        for _ in 0..100 {
            headers.push(Name::copied("gone"), &long);
            assert!(headers.remove("GONE"));
            assert!(headers.buffer_len() < 2 * (GARBAGE_BOUND + 1100), "{}", headers.buffer_len());
        }
        assert_eq!(texts(&headers), [("kept", "a"), ("copied", "b"), ("list", "ARRAY::one|:two")]);
        assert_eq!((headers.element(list, 0), headers.element(list, 1)), (Some("one"), Some("two")));
        assert_eq!(headers.element(list, 2), None);
    }

    #[test]
    fn each_header_is_found_wherever_it_stands() {
        let mut headers = Headers::default();
        let names: Vec<String> = (0..60).map(|number| format!("name-{}-{number}", number % 7)).collect();
        for (at, name) in names.iter().enumerate() {
            assert_eq!(headers.find(name), None);
            headers.push(Name::copied(name), "v");
            assert_eq!(headers.find(&name.to_uppercase()), Some(at));
        }
        headers.remove("name-3-3");
        headers.move_last_to(0, 2);
        let places: Vec<_> = headers.iter().map(|(name, _)| headers.find(name)).collect();
        assert_eq!(places, (0..59).map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn headers_by_the_start_of_their_names() {
        let mut headers = Headers::default();
        for name in ["subject", "sip_h_X-A", "SIP_H_X-B", "sip_hX", "sip_", "x_sip_h_C"] {
            headers.push(Name::copied(name), "v");
        }
        let named: Vec<_> = headers.named("sip_h_").map(|(name, _)| name).collect();
        assert_eq!(named, ["sip_h_X-A", "SIP_H_X-B"]);
    }

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry>(), 32);
    }
}
