//! What is known of the texts that a piece of a pattern matches.

/// Texts, one of which it is. With an empty one among them it says nothing.
pub(super) type Set = Vec<Vec<u8>>;

/// The most texts of a set, and the most that are made by joining two sets.
const MAX_SET: usize = 128;
const MAX_JOINED: usize = 16;

/// Octets of the longest text that is kept whole.
pub(super) const MAX_LITERAL: usize = 64;

/// A piece of a pattern.
#[derive(Clone)]
pub(super) struct Piece {
    shape: Shape,
    /// Whatever it matches is at the start of the subject.
    pub(super) from_start: bool,
    /// Whatever it matches is at the end of the subject, or before the newline that ends it.
    pub(super) to_end: bool,
}

#[derive(Clone)]
enum Shape {
    /// It matches nothing but these.
    Exact(Set),
    Open(Open),
}

/// Whatever matches begins with one of `first`, ends with one of `last` and has one of `inside` in it.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) first: Set,
    pub(super) last: Set,
    pub(super) inside: Set,
}

/// What a text that is too long is cut to.
#[derive(Clone, Copy)]
enum Keep {
    All,
    Head,
    Tail,
}

impl Piece {
    pub(super) fn exact(texts: Set) -> Self {
        Self { shape: Shape::Exact(texts), from_start: false, to_end: false }
    }

    pub(super) fn empty() -> Self {
        Self::exact(nothing())
    }

    pub(super) fn start() -> Self {
        Self { from_start: true, ..Self::empty() }
    }

    pub(super) fn end() -> Self {
        Self { to_end: true, ..Self::empty() }
    }

    /// It may match anything.
    pub(super) fn unknown() -> Self {
        Self::open(Open { first: nothing(), last: nothing(), inside: nothing() })
    }

    fn open(open: Open) -> Self {
        Self { shape: Shape::Open(open), from_start: false, to_end: false }
    }

    /// The texts it matches, or what is known of them.
    pub(super) fn into_literals(self) -> Result<Set, Open> {
        match self.shape {
            Shape::Exact(texts) => Ok(texts),
            Shape::Open(open) => Err(open),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(&self.shape, Shape::Exact(texts) if texts.iter().all(Vec::is_empty))
    }

    /// This piece, then that one.
    pub(super) fn then(self, next: Self) -> Self {
        let from_start = self.from_start || (self.is_empty() && next.from_start);
        let to_end = next.to_end || (next.is_empty() && self.to_end);
        Self { shape: self.shape.then(next.shape), from_start, to_end }
    }

    /// This piece or that one.
    pub(super) fn or(self, other: Self) -> Self {
        let from_start = self.from_start && other.from_start;
        let to_end = self.to_end && other.to_end;
        let shape = match (self.shape, other.shape) {
            (Shape::Exact(left), Shape::Exact(right)) if left.len() + right.len() <= MAX_SET => {
                Shape::Exact(either(left, right))
            }
            (left, right) => Shape::Open(left.into_open().or(right.into_open())),
        };
        Self { shape, from_start, to_end }
    }

    /// This piece at least `least` times, `most` times at most.
    pub(super) fn repeated(self, least: u32, most: Option<u32>) -> Self {
        match (least, most, self.shape) {
            (1, Some(1), shape) => Self { shape, ..self },
            (0, Some(1), Shape::Exact(texts)) if texts.len() < MAX_SET => {
                Self::exact(either(texts, nothing()))
            }
            (0, ..) => Self::unknown(),
            (_, _, shape) => Self { shape: Shape::Open(shape.into_open()), ..self },
        }
    }
}

impl Shape {
    fn first(&self) -> &Set {
        match self {
            Self::Exact(texts) => texts,
            Self::Open(open) => &open.first,
        }
    }

    fn last(&self) -> &Set {
        match self {
            Self::Exact(texts) => texts,
            Self::Open(open) => &open.last,
        }
    }

    fn then(self, next: Self) -> Self {
        if let (Self::Exact(left), Self::Exact(right)) = (&self, &next)
            && let Some(texts) = joined(left, right, Keep::All)
        {
            return Self::Exact(texts);
        }
        let middle = joined(self.last(), next.first(), Keep::Head).unwrap_or_else(nothing);
        let longer_first = match &self {
            Self::Exact(texts) => joined(texts, next.first(), Keep::Head),
            Self::Open(_) => None,
        };
        let longer_last = match &next {
            Self::Exact(texts) => joined(self.last(), texts, Keep::Tail),
            Self::Open(_) => None,
        };
        let (left, right) = (self.into_open(), next.into_open());
        Self::Open(Open {
            first: longer_first.unwrap_or(left.first),
            last: longer_last.unwrap_or(right.last),
            inside: better(better(left.inside, right.inside), middle),
        })
    }

    fn into_open(self) -> Open {
        match self {
            Self::Exact(texts) => Open { first: texts.clone(), last: texts.clone(), inside: texts },
            Self::Open(open) => open,
        }
    }
}

impl Open {
    fn or(self, other: Self) -> Self {
        Self {
            first: either(self.first, other.first),
            last: either(self.last, other.last),
            inside: either(self.inside, other.inside),
        }
    }
}

/// The set that says nothing.
fn nothing() -> Set {
    vec![Vec::new()]
}

/// How long each text of the set is at least: with 0 it says nothing.
pub(super) fn worth(texts: &Set) -> usize {
    texts.iter().map(Vec::len).min().unwrap_or_default()
}

/// The one that says more: the longer texts, then the fewer.
fn better(one: Set, other: Set) -> Set {
    let says = |texts: &Set| (worth(texts), usize::MAX - texts.len());
    if says(&other) > says(&one) { other } else { one }
}

/// One of either set; nothing where these would be too many.
fn either(mut one: Set, other: Set) -> Set {
    if one.len() + other.len() > MAX_SET {
        return nothing();
    }
    one.extend(other);
    one
}

/// Each text of the one followed by each of the other, unless these are too many or, with [`Keep::All`], too long.
fn joined(one: &Set, other: &Set, keep: Keep) -> Option<Set> {
    let count = one.len() * other.len();
    let is_cheap = count <= MAX_JOINED || (count <= MAX_SET && (one.len() == 1 || other.len() == 1));
    if !is_cheap {
        return None;
    }
    let mut texts = Set::with_capacity(count);
    for left in one {
        for right in other {
            let mut text = [&left[..], &right[..]].concat();
            match keep {
                Keep::All if text.len() > MAX_LITERAL => return None,
                Keep::All => {}
                Keep::Head => text.truncate(MAX_LITERAL),
                Keep::Tail => drop(text.drain(..text.len().saturating_sub(MAX_LITERAL))),
            }
            texts.push(text);
        }
    }
    Some(texts)
}
