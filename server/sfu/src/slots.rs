use std::marker::PhantomData;

/// Values with small, reusable numbers; a number that was given up never leads to its successor. Each is in a box of its own: what
/// is taken out of a place stays there until something else comes, keys and addresses with it, and what is freed is wiped.
pub(crate) struct Slots<T> {
    entries: Vec<(u32, Option<Box<T>>)>,
    free: Vec<u32>,
}

/// Where a value of [`Slots`] is.
pub(crate) struct Ix<T> {
    slot: u32,
    generation: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Ix<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ix<T> {}

impl<T> PartialEq for Ix<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.slot, self.generation) == (other.slot, other.generation)
    }
}

impl<T> Eq for Ix<T> {}

impl<T> PartialOrd for Ix<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Ix<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.slot, self.generation).cmp(&(other.slot, other.generation))
    }
}

/// Leads nowhere.
impl<T> Default for Ix<T> {
    fn default() -> Self {
        Self { slot: u32::MAX, generation: u32::MAX, kind: PhantomData }
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    pub(crate) fn insert(&mut self, value: T) -> Ix<T> {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push((0, None));
            (self.entries.len() - 1) as u32
        });
        let entry = &mut self.entries[slot as usize];
        entry.1 = Some(Box::new(value));
        Ix { slot, generation: entry.0, kind: PhantomData }
    }

    pub(crate) fn remove(&mut self, ix: Ix<T>) -> Option<Box<T>> {
        let entry = self.entries.get_mut(ix.slot as usize).filter(|entry| entry.0 == ix.generation)?;
        let value = entry.1.take()?;
        entry.0 = entry.0.wrapping_add(1);
        self.free.push(ix.slot);
        Some(value)
    }

    pub(crate) fn at(&self, ix: Ix<T>) -> Option<&T> {
        self.entries.get(ix.slot as usize).filter(|entry| entry.0 == ix.generation)?.1.as_deref()
    }

    pub(crate) fn at_mut(&mut self, ix: Ix<T>) -> Option<&mut T> {
        self.entries.get_mut(ix.slot as usize).filter(|entry| entry.0 == ix.generation)?.1.as_deref_mut()
    }

    pub(crate) const fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_given_up_does_not_lead_to_its_successor() {
        let mut slots = Slots::default();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first).as_deref(), Some(&'a'));
        let second = slots.insert('b');
        assert_eq!((slots.at(first), slots.at(second)), (None, Some(&'b')));
        assert_eq!((slots.remove(first), slots.len()), (None, 1));
        assert_eq!(slots.at(Ix::default()), None);
    }
}
