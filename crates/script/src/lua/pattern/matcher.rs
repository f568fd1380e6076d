//! The matching itself: a backtracking matcher, step by step.

use mlua::{Error, Result};

use crate::lua::guard::Guard;

/// The captures that a pattern may have.
const MAX_CAPTURES: usize = 32;
/// How deep a match may nest.
const MAX_DEPTH: usize = 200;
/// Steps between two looks at the clock.
const LOOK: u32 = 1 << 16;

/// A part of the text that a match put aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Capture {
    pub(super) start: usize,
    pub(super) extent: Extent,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    Unfinished,
    /// `()`
    Position,
    Octets(usize),
}

pub(super) struct Matcher<'m> {
    pub(super) text: &'m [u8],
    pattern: &'m [u8],
    captures: [Capture; MAX_CAPTURES],
    level: usize,
    depth: usize,
    steps: u32,
    guard: &'m Guard,
}

impl<'m> Matcher<'m> {
    pub(super) fn new(text: &'m [u8], pattern: &'m [u8], guard: &'m Guard) -> Self {
        let none = Capture { start: 0, extent: Extent::Unfinished };
        Self { text, pattern, captures: [none; MAX_CAPTURES], level: 0, depth: 0, steps: 0, guard }
    }

    /// Where a match that begins at `at` ends.
    pub(super) fn match_at(&mut self, at: usize) -> Result<Option<usize>> {
        self.level = 0;
        self.depth = 0;
        self.go(at, 0)
    }

    pub(super) fn captures(&self) -> &[Capture] {
        &self.captures[..self.level]
    }

    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps.is_multiple_of(LOOK) { self.guard.look() } else { Ok(()) }
    }

    fn go(&mut self, s: usize, p: usize) -> Result<Option<usize>> {
        if self.depth >= MAX_DEPTH {
            return Err(malformed("pattern too complex"));
        }
        self.depth += 1;
        let end = self.walk(s, p);
        self.depth -= 1;
        end
    }

    /// Goes on as long as there is only one way.
    fn walk(&mut self, mut s: usize, mut p: usize) -> Result<Option<usize>> {
        loop {
            self.step()?;
            let Some(&item) = self.pattern.get(p) else { return Ok(Some(s)) };
            match (item, self.pattern.get(p + 1)) {
                (b'(', Some(b')')) => return self.open(s, p + 2, Extent::Position),
                (b'(', _) => return self.open(s, p + 1, Extent::Unfinished),
                (b')', _) => return self.close(s, p + 1),
                (b'$', None) => return Ok((s == self.text.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.balance(s, p + 2)? {
                    Some(after) => (s, p) = (after, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => match self.frontier(s, p + 2)? {
                    Some(after) => p = after,
                    None => return Ok(None),
                },
                (b'%', Some(digit)) if digit.is_ascii_digit() => match self.back_reference(s, *digit)? {
                    Some(after) => (s, p) = (after, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.class_end(p)?;
                    match self.repeat(s, p, end)? {
                        Way::On(text, pattern) => (s, p) = (text, pattern),
                        Way::Over(found) => return Ok(found),
                    }
                }
            }
        }
    }

    /// One item and what says how often it comes.
    fn repeat(&mut self, s: usize, p: usize, end: usize) -> Result<Way> {
        let fits = self.single(s, p, end);
        Ok(match self.pattern.get(end) {
            Some(b'?') => {
                if fits && let Some(found) = self.go(s + 1, end + 1)? {
                    return Ok(Way::Over(Some(found)));
                }
                Way::On(s, end + 1)
            }
            Some(b'+') if fits => Way::Over(self.most(s + 1, p, end)?),
            Some(b'*') => Way::Over(self.most(s, p, end)?),
            Some(b'-') => Way::Over(self.least(s, p, end)?),
            _ if fits => Way::On(s + 1, end),
            _ => Way::Over(None),
        })
    }

    fn most(&mut self, s: usize, p: usize, end: usize) -> Result<Option<usize>> {
        let mut count = 0;
        while self.single(s + count, p, end) {
            self.step()?;
            count += 1;
        }
        loop {
            if let Some(found) = self.go(s + count, end + 1)? {
                return Ok(Some(found));
            }
            if count == 0 {
                return Ok(None);
            }
            count -= 1;
        }
    }

    fn least(&mut self, mut s: usize, p: usize, end: usize) -> Result<Option<usize>> {
        loop {
            if let Some(found) = self.go(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.single(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, extent: Extent) -> Result<Option<usize>> {
        if self.level >= MAX_CAPTURES {
            return Err(malformed("too many captures"));
        }
        self.captures[self.level] = Capture { start: s, extent };
        self.level += 1;
        let found = self.go(s, p)?;
        if found.is_none() {
            self.level -= 1;
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Result<Option<usize>> {
        let open = self.captures[..self.level].iter().rposition(|c| c.extent == Extent::Unfinished);
        let open = open.ok_or_else(|| malformed("invalid pattern capture"))?;
        self.captures[open].extent = Extent::Octets(s - self.captures[open].start);
        let found = self.go(s, p)?;
        if found.is_none() {
            self.captures[open].extent = Extent::Unfinished;
        }
        Ok(found)
    }

    fn balance(&mut self, s: usize, p: usize) -> Result<Option<usize>> {
        let (Some(&open), Some(&close)) = (self.pattern.get(p), self.pattern.get(p + 1)) else {
            return Err(malformed("malformed pattern (missing arguments to '%b')"));
        };
        if self.text.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut nested = 1;
        for at in s + 1..self.text.len() {
            self.step()?;
            let octet = self.text[at];
            if octet == close {
                nested -= 1;
                if nested == 0 {
                    return Ok(Some(at + 1));
                }
            } else if octet == open {
                nested += 1;
            }
        }
        Ok(None)
    }

    fn frontier(&mut self, s: usize, p: usize) -> Result<Option<usize>> {
        if self.pattern.get(p) != Some(&b'[') {
            return Err(malformed("missing '[' after '%f' in pattern"));
        }
        let end = self.class_end(p)?;
        let before = if s == 0 { 0 } else { self.text[s - 1] };
        let here = self.text.get(s).copied().unwrap_or(0);
        Ok((!self.set(before, p, end - 1) && self.set(here, p, end - 1)).then_some(end))
    }

    fn back_reference(&mut self, s: usize, digit: u8) -> Result<Option<usize>> {
        let index = usize::from(digit).wrapping_sub(usize::from(b'1'));
        let capture = self.captures().get(index).copied();
        let Some(Capture { start, extent: Extent::Octets(length) }) = capture else {
            return Err(malformed(&format!("invalid capture index %{}", index.wrapping_add(1))));
        };
        let wanted = &self.text[start..start + length];
        Ok(self.text[s..].starts_with(wanted).then_some(s + length))
    }

    /// Where the item that begins at `p` ends.
    fn class_end(&self, p: usize) -> Result<usize> {
        match self.pattern[p] {
            b'%' if p + 1 >= self.pattern.len() => Err(malformed("malformed pattern (ends with '%')")),
            b'%' => Ok(p + 2),
            b'[' => self.set_end(p),
            _ => Ok(p + 1),
        }
    }

    fn set_end(&self, p: usize) -> Result<usize> {
        let missing = || malformed("malformed pattern (missing ']')");
        let mut at = p + 1;
        if self.pattern.get(at) == Some(&b'^') {
            at += 1;
        }
        // The first one may be a bracket itself.
        loop {
            let octet = *self.pattern.get(at).ok_or_else(missing)?;
            at += if octet == b'%' { 2 } else { 1 };
            match self.pattern.get(at) {
                Some(b']') => return Ok(at + 1),
                Some(_) => {}
                None => return Err(missing()),
            }
        }
    }

    fn single(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(&octet) = self.text.get(s) else { return false };
        match self.pattern[p] {
            b'.' => true,
            b'%' => class(octet, self.pattern[p + 1]),
            b'[' => self.set(octet, p, end - 1),
            wanted => wanted == octet,
        }
    }

    /// Whether the octet is in the set between `p`, its bracket, and `end`, the other one.
    fn set(&self, octet: u8, p: usize, end: usize) -> bool {
        let mut at = p + 1;
        let wanted = self.pattern[at] != b'^';
        if !wanted {
            at += 1;
        }
        while at < end {
            let item = self.pattern[at];
            if item == b'%' {
                if class(octet, self.pattern[at + 1]) {
                    return wanted;
                }
                at += 2;
            } else if self.pattern[at + 1] == b'-' && at + 2 < end {
                if (item..=self.pattern[at + 2]).contains(&octet) {
                    return wanted;
                }
                at += 3;
            } else {
                if item == octet {
                    return wanted;
                }
                at += 1;
            }
        }
        !wanted
    }
}

/// What follows after an item.
enum Way {
    On(usize, usize),
    Over(Option<usize>),
}

fn class(octet: u8, name: u8) -> bool {
    let is = match name.to_ascii_lowercase() {
        b'a' => octet.is_ascii_alphabetic(),
        b'c' => octet.is_ascii_control(),
        b'd' => octet.is_ascii_digit(),
        b'g' => octet.is_ascii_graphic(),
        b'l' => octet.is_ascii_lowercase(),
        b'p' => octet.is_ascii_punctuation(),
        b's' => octet.is_ascii_whitespace() || octet == 0x0B,
        b'u' => octet.is_ascii_uppercase(),
        b'w' => octet.is_ascii_alphanumeric(),
        b'x' => octet.is_ascii_hexdigit(),
        b'z' => octet == 0,
        _ => return name == octet,
    };
    is != name.is_ascii_uppercase()
}

pub(super) fn malformed(text: &str) -> Error {
    Error::runtime(text)
}
