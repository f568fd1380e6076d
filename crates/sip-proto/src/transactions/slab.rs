/// A place in a [`Slab`]. The generation tells its occupants apart, so a slot kept too long leads to nothing instead of
/// to somebody else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Slot {
    index: u32,
    generation: u32,
}

/// Values in places that are used again, the last one freed first, so that what is short-lived stays in the cache.
///
/// They lie in chunks, so that growing moves nothing: with a million of them that would be felt.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<Place<T>>>,
    free: Vec<u32>,
    len: usize,
    /// Places that a chunk has room for from the start.
    room: usize,
    /// Of places that are new.
    first: u32,
    /// The highest that there was.
    latest: u32,
}

/// Places in a chunk.
const CHUNK: usize = 4096;
/// So many chunks are kept though they are empty.
const FEW: usize = 4;

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    /// For about so many values: where they are few, they take no room for many.
    pub(super) fn for_most(values: usize) -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), len: 0, room: values.min(CHUNK), first: 0, latest: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, value: T) -> Slot {
        self.len += 1;
        let Some(index) = self.free.pop() else {
            return self.append(value);
        };
        let place = &mut self.chunks[index as usize / CHUNK][index as usize % CHUNK];
        place.value = Some(value);
        Slot { index, generation: place.generation }
    }

    fn append(&mut self, value: T) -> Slot {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(self.room));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let chunk = &mut self.chunks[before / CHUNK];
        chunk.push(Place { generation: self.first, value: Some(value) });
        Slot { index: (before + chunk.len() - 1) as u32, generation: self.first }
    }

    /// Once nothing is left, gives back what a storm took. A slot of before leads to nothing then as well.
    pub(super) fn settle(&mut self) -> bool {
        let settles = self.len == 0 && self.chunks.len() > FEW;
        if settles {
            self.first = self.latest.wrapping_add(1);
            (self.chunks, self.free) = (Vec::new(), Vec::new());
        }
        settles
    }

    fn place(&self, index: u32) -> Option<&Place<T>> {
        self.chunks.get(index as usize / CHUNK)?.get(index as usize % CHUNK)
    }

    fn place_mut(&mut self, index: u32) -> Option<&mut Place<T>> {
        self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&T> {
        let place = self.place(slot.index)?;
        place.value.as_ref().filter(|_| place.generation == slot.generation)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let place = self.place_mut(slot.index)?;
        place.value.as_mut().filter(|_| place.generation == slot.generation)
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Option<T> {
        let place = self.place_mut(slot.index)?;
        if place.generation != slot.generation {
            return None;
        }
        let value = place.value.take()?;
        place.generation = place.generation.wrapping_add(1);
        let generation = place.generation;
        self.latest = self.latest.max(generation);
        self.free.push(slot.index);
        self.len -= 1;
        Some(value)
    }

    /// The slot and value at an index, whoever has it. For tables that hold indices of live entries only.
    pub(super) fn at(&self, index: u32) -> Option<(Slot, &T)> {
        let place = self.place(index)?;
        let value = place.value.as_ref()?;
        Some((Slot { index, generation: place.generation }, value))
    }

    pub(super) fn at_mut(&mut self, index: u32) -> Option<(Slot, &mut T)> {
        let place = self.place_mut(index)?;
        let generation = place.generation;
        let value = place.value.as_mut()?;
        Some((Slot { index, generation }, value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        let places: usize = self.chunks.iter().map(Vec::len).sum();
        (0..places as u32).filter_map(|index| self.at(index))
    }
}

impl Slot {
    /// The index, for a table that is kept in step with the slab.
    pub(super) fn index(self) -> u32 {
        self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_place_is_used_again_under_another_slot() {
        let mut slab = Slab::for_most(2 * CHUNK);
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(second.index(), first.index());
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn chunks_are_one_behind_the_other() {
        let mut slab = Slab::for_most(2 * CHUNK);
        let slots: Vec<_> = (0..3 * CHUNK).map(|number| slab.insert(number)).collect();
        assert!(slots.iter().enumerate().all(|(number, slot)| slab.get(*slot) == Some(&number)));
        assert!(slab.iter().map(|(_, number)| *number).eq(0..3 * CHUNK));
    }

    #[test]
    fn what_a_storm_took_is_given_back_and_its_slots_lead_nowhere() {
        let mut slab = Slab::for_most(2 * CHUNK);
        let mut storm = || (0..(FEW + 1) * CHUNK).map(|number| slab.insert(number)).collect::<Vec<_>>();
        let slots = storm();
        assert!(!slab.settle(), "something is left");
        assert!(slots.iter().all(|slot| slab.remove(*slot).is_some()));
        assert!(slab.settle() && slab.chunks.is_empty());
        let next = slab.insert(7);
        assert_eq!((next.index(), slab.get(next)), (slots[0].index(), Some(&7)));
        assert!(slots.iter().all(|slot| slab.get(*slot).is_none()));
        slab.remove(next);
        assert!(!slab.settle(), "few are kept");
    }

    #[test]
    fn iteration_skips_what_is_free() {
        let mut slab = Slab::for_most(2 * CHUNK);
        let slots = ["a", "b", "c"].map(|value| slab.insert(value));
        slab.remove(slots[1]);
        assert_eq!(slab.iter().map(|(_, value)| *value).collect::<Vec<_>>(), ["a", "c"]);
    }
}
