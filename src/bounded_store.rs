//! A map of bounded size, by number of entries and by the bytes that they take. The oldest go first.
//!
//! It takes no lock and reads no clock: whoever uses it has the lock, and says which entries are over.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Bytes of memory that they take, about.
    pub bytes: usize,
}

/// What takes memory beside its own place.
pub(crate) trait Weight {
    /// Bytes behind its pointers.
    fn bytes_elsewhere(&self) -> usize;
}

/// The entries, by key. A key has all of its bytes in its own place. `Debug` shows no entry.
pub(crate) struct BoundedStore<K, V> {
    entries: HashMap<K, Entry<V>>,
    // INVARIANT: the key of each entry, by the entry's number, and no other.
    oldest_first: BTreeMap<u64, K>,
    next_number: u64,
    bytes: usize,
    limits: Limits,
}

struct Entry<V> {
    value: V,
    number: u64,
    bytes: usize,
}

impl<K: Clone + Eq + Hash, V: Weight> BoundedStore<K, V> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { entries: HashMap::new(), oldest_first: BTreeMap::new(), next_number: 0, bytes: 0, limits }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Keeps a value, in place of older ones where there are too many. Returns the values that are not
    /// kept, so that they can be dropped when the lock is free again.
    pub(crate) fn insert(&mut self, key: K, value: V, is_over: impl Fn(&V) -> bool) -> Vec<V> {
        let bytes = Self::overhead() + value.bytes_elsewhere();
        if bytes > self.limits.bytes {
            return vec![value];
        }
        let number = self.next_number;
        self.next_number += 1;
        self.bytes += bytes;
        self.oldest_first.insert(number, key.clone());
        let mut removed = Vec::new();
        if let Some(earlier) = self.entries.insert(key, Entry { value, number, bytes }) {
            self.oldest_first.remove(&earlier.number);
            self.bytes -= earlier.bytes;
            removed.push(earlier.value);
        }
        // One comes, and up to two that are over go, so that the number of those falls.
        for _ in 0..2 {
            removed.extend(self.remove_oldest(&is_over));
        }
        while self.entries.len() > self.limits.entries || self.bytes > self.limits.bytes {
            match self.remove_oldest(|_| true) {
                Some(oldest) => removed.push(oldest),
                None => break,
            }
        }
        removed
    }

    /// How many entries there are, and how many bytes they take, about.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }

    /// Of each entry: its value and its place in the order, twice for a table that has just grown, and
    /// what an allocation takes beside what it holds.
    pub(crate) const fn overhead() -> usize {
        2 * (size_of::<Entry<V>>() + 2 * size_of::<K>() + size_of::<u64>()) + 3 * ALLOCATION
    }

    fn remove_oldest(&mut self, may_go: impl FnOnce(&V) -> bool) -> Option<V> {
        let oldest = self.oldest_first.first_entry()?;
        if !self.entries.get(oldest.get()).is_none_or(|entry| may_go(&entry.value)) {
            return None;
        }
        let entry = self.entries.remove(&oldest.remove())?;
        self.bytes -= entry.bytes;
        Some(entry.value)
    }
}

impl<K, V> fmt::Debug for BoundedStore<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedStore").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What an allocation takes beside what it holds.
pub(crate) const ALLOCATION: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    impl Weight for &'static str {
        fn bytes_elsewhere(&self) -> usize {
            self.len()
        }
    }

    type Store = BoundedStore<u8, &'static str>;

    const NO_BOUND: usize = 1 << 20;

    fn store(entries: usize, bytes: usize) -> Store {
        Store::new(Limits { entries, bytes })
    }

    fn is_over(value: &&'static str) -> bool {
        *value == "over"
    }

    fn kept(store: &Store) -> Vec<u8> {
        assert_eq!(store.entries.len(), store.oldest_first.len());
        assert_eq!(store.bytes, store.entries.values().map(|entry| entry.bytes).sum::<usize>());
        (0..=u8::MAX).filter(|key| store.get(key).is_some()).collect()
    }

    #[test]
    fn the_oldest_go_first_where_there_are_too_many() {
        let mut store = store(3, NO_BOUND);
        for key in 0..100 {
            store.insert(key, "yes", is_over);
            assert!(store.size().0 <= 3);
        }
        assert_eq!(kept(&store), [97, 98, 99]);
        // An entry that is replaced is the youngest, and takes no second place.
        assert_eq!(store.insert(97, "no", is_over), ["yes"]);
        assert_eq!((kept(&store), store.get(&97)), (vec![97, 98, 99], Some(&"no")));
        assert_eq!(store.insert(100, "yes", is_over), ["yes"]);
        assert_eq!(kept(&store), [97, 99, 100]);
    }

    #[test]
    fn bytes_are_bounded_too_and_counted_to_the_last() {
        let one = Store::overhead() + 100;
        let hundred: &'static str = "x".repeat(100).leak();
        let mut store = store(100, 3 * one);
        for key in 0..10 {
            store.insert(key, hundred, is_over);
        }
        assert_eq!((kept(&store), store.size()), (vec![7, 8, 9], (3, 3 * one)));
        // One that is larger than all of the space is not kept, and removes nothing.
        let large: &'static str = "x".repeat(3 * one).leak();
        assert_eq!(store.insert(200, large, is_over), [large]);
        assert_eq!(kept(&store), [7, 8, 9]);
        store.insert(7, "", is_over);
        assert_eq!((kept(&store), store.size()), (vec![7, 8, 9], (3, 3 * one - 100)));
        store.insert(10, "x".repeat(200).leak(), is_over);
        assert_eq!((kept(&store), store.size()), (vec![7, 9, 10], (3, 3 * one)));
    }

    #[test]
    fn a_store_holds_as_many_as_its_limits_say_and_no_more() {
        let one = Store::overhead() + 1;
        for (entries, bytes, expected) in [
            (2, 2 * one, vec![1, 2]),
            (1, 2 * one, vec![2]),
            (2, 2 * one - 1, vec![2]),
            (2, one, vec![2]),
            (2, one - 1, vec![]),
            (0, NO_BOUND, vec![]),
        ] {
            let mut store = store(entries, bytes);
            for key in [1, 2] {
                store.insert(key, "x", is_over);
            }
            assert_eq!(kept(&store), expected, "{entries} {bytes}");
        }
    }

    #[test]
    fn what_is_over_makes_room_two_at_a_time() {
        let mut store = store(100, NO_BOUND);
        for key in 0..3 {
            store.insert(key, "yes", is_over);
        }
        store.entries.values_mut().for_each(|entry| entry.value = "over");
        store.insert(3, "yes", is_over);
        assert_eq!(kept(&store), [2, 3]);
        store.insert(4, "yes", is_over);
        assert_eq!(kept(&store), [3, 4]);
        // Only the oldest are looked at.
        store.entries.get_mut(&4).unwrap().value = "over";
        store.insert(5, "yes", is_over);
        assert_eq!(kept(&store), [3, 4, 5]);
    }
}
