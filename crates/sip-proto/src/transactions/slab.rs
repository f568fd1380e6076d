/// A place in a [`Slab`]. The generation tells its occupants apart, so a slot kept too long leads to nothing instead of
/// to somebody else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Slot {
    index: u32,
    generation: u32,
}

/// Values in places that are used again, the last one freed first, so that what is short-lived stays in the cache.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, value: T) -> Slot {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, value: None });
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        place.value = Some(value);
        Slot { index, generation: place.generation }
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&T> {
        let place = self.places.get(slot.index as usize)?;
        place.value.as_ref().filter(|_| place.generation == slot.generation)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let place = self.places.get_mut(slot.index as usize)?;
        place.value.as_mut().filter(|_| place.generation == slot.generation)
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Option<T> {
        let place = self.places.get_mut(slot.index as usize)?;
        if place.generation != slot.generation {
            return None;
        }
        let value = place.value.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(slot.index);
        Some(value)
    }

    /// The slot and value at an index, whoever has it. For tables that hold indices of live entries only.
    pub(super) fn at(&self, index: u32) -> Option<(Slot, &T)> {
        let place = self.places.get(index as usize)?;
        let value = place.value.as_ref()?;
        Some((Slot { index, generation: place.generation }, value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        (0..self.places.len() as u32).filter_map(|index| self.at(index))
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
        let mut slab = Slab::new();
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
    fn iteration_skips_what_is_free() {
        let mut slab = Slab::new();
        let slots = ["a", "b", "c"].map(|value| slab.insert(value));
        slab.remove(slots[1]);
        assert_eq!(slab.iter().map(|(_, value)| *value).collect::<Vec<_>>(), ["a", "c"]);
    }
}
