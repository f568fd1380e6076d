//! What a thread has read in its turn.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

/// So many values at a time are remembered, more than a server with a few profiles has; of two that share a place the one read last
/// is, and the other is read again.
const PLACES: usize = u64::BITS as usize;

thread_local! {
    static READ: Read = const { Read::new() };
}

struct Read {
    /// How many turns have begun and not ended: one, unless they are nested.
    turns: Cell<u32>,
    places: RefCell<[Option<Known>; PLACES]>,
    /// A bit for each place in use.
    used: Cell<u64>,
}

struct Known {
    version: u64,
    value: Rc<dyn Any>,
}

impl Read {
    const fn new() -> Self {
        Self { turns: Cell::new(0), places: RefCell::new([const { None }; PLACES]), used: Cell::new(0) }
    }

    fn forget(&self) {
        let mut places = self.places.borrow_mut();
        let mut used = self.used.replace(0);
        while used != 0 {
            places[used.trailing_zeros() as usize] = None;
            used &= used - 1;
        }
    }
}

/// A turn of this thread, until it is dropped.
#[must_use]
pub struct Turn {
    /// It is this thread's alone.
    _stays: PhantomData<*const ()>,
}

/// Begins a turn of this thread: until the guard is dropped, what is read of a [`Current`](crate::Current) is remembered, and kept
/// alive, and read again only once it is replaced. A turn should be short; it must not sleep.
pub fn turn() -> Turn {
    READ.with(|read| read.turns.set(read.turns.get() + 1));
    Turn { _stays: PhantomData }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A thread that ends has forgotten already.
        let _ = READ.try_with(|read| {
            read.turns.set(read.turns.get() - 1);
            if read.turns.get() == 0 {
                read.forget();
            }
        });
    }
}

/// What was read of the value with this number, if it is still the current one.
#[inline]
pub(crate) fn known<T: 'static>(number: usize, version: u64) -> Option<Rc<T>> {
    let find = |read: &Read| {
        if read.turns.get() == 0 {
            return None;
        }
        let places = read.places.borrow();
        let known = places[number % PLACES].as_ref().filter(|known| known.version == version)?;
        known.value.clone().downcast().ok()
    };
    READ.try_with(find).ok().flatten()
}

/// Reads it and remembers it; `None`, unread, where this is no turn.
pub(crate) fn remember<T: 'static>(
    number: usize,
    version: u64,
    read_now: impl FnOnce() -> T,
) -> Option<Rc<T>> {
    let keep = |read: &Read| {
        if read.turns.get() == 0 {
            return None;
        }
        let value = Rc::new(read_now());
        let place = number % PLACES;
        let before = read.places.borrow_mut()[place].replace(Known { version, value: value.clone() });
        read.used.set(read.used.get() | 1 << place);
        // What its end leads to may read a value itself.
        drop(before);
        Some(value)
    };
    READ.try_with(keep).ok().flatten()
}
