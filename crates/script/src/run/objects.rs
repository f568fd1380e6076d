//! A bounded table of objects, each with a number.

/// Objects by number. Numbers are used again.
pub(super) struct Objects<T> {
    slots: Vec<Option<T>>,
    /// The first number that [`add`](Self::add) may give.
    first: usize,
    free: Vec<u32>,
    most: usize,
}

impl<T> Objects<T> {
    pub(super) fn new(first: u32, most: usize) -> Self {
        Self { slots: Vec::new(), first: first as usize, free: Vec::new(), most }
    }

    /// Puts an object where its number says.
    pub(super) fn put(&mut self, id: u32, object: T) {
        let at = id as usize;
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || None);
        }
        self.slots[at] = Some(object);
    }

    /// The object's number; `None` when there are too many.
    pub(super) fn add(&mut self, object: T) -> Option<u32> {
        let id = match self.free.pop() {
            Some(id) => id,
            None => {
                let at = self.slots.len().max(self.first);
                u32::try_from(at).ok().filter(|_| at < self.first + self.most)?
            }
        };
        self.put(id, object);
        Some(id)
    }

    pub(super) fn get(&self, id: u32) -> Option<&T> {
        self.slots.get(id as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.slots.get_mut(id as usize)?.as_mut()
    }

    pub(super) fn take(&mut self, id: u32) -> Option<T> {
        let object = self.slots.get_mut(id as usize)?.take()?;
        if id as usize >= self.first {
            self.free.push(id);
        }
        Some(object)
    }

    pub(super) fn remove(&mut self, id: u32) {
        self.take(id);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_end() {
        let mut objects = Objects::new(1, 2);
        objects.put(0, "given");
        assert_eq!((objects.add("a"), objects.add("b"), objects.add("c")), (Some(1), Some(2), None));
        objects.remove(1);
        objects.remove(1);
        assert_eq!((objects.add("d"), objects.add("e")), (Some(1), None));
        assert_eq!(objects.take(0), Some("given"));
        assert_eq!(objects.iter().copied().collect::<Vec<_>>(), ["d", "b"]);
    }
}
