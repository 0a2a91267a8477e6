//! Cells at the addresses that exist: sorted runs, disjoint and never adjacent, so that whatever
//! can be read at once lies in one run.

/// The cells of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Runs<T>(Vec<Run<T>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Run<T> {
    start: u16,
    cells: Vec<T>,
}

impl<T> Run<T> {
    fn end(&self) -> usize {
        usize::from(self.start) + self.cells.len()
    }
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Runs<T> {
    /// The cells from `start` on, if all `count` of them exist.
    pub(super) fn get(&self, start: u16, count: usize) -> Option<&[T]> {
        let run = self.0.get(self.candidate(start)?)?;
        let from = usize::from(start - run.start);
        run.cells.get(from..from + count)
    }

    /// As [`Self::get`], to write to.
    pub(super) fn get_mut(&mut self, start: u16, count: usize) -> Option<&mut [T]> {
        let at = self.candidate(start)?;
        let run = self.0.get_mut(at)?;
        let from = usize::from(start - run.start);
        run.cells.get_mut(from..from + count)
    }

    /// The only run that can hold `start`: the last that does not begin after it.
    fn candidate(&self, start: u16) -> Option<usize> {
        self.0.partition_point(|run| run.start <= start).checked_sub(1)
    }

    /// Makes the addresses from `start` on exist and hold `cells`, over whatever was there. The
    /// caller sees to it that they end within the address space.
    pub(super) fn set(&mut self, start: u16, cells: &[T]) {
        let first = usize::from(start);
        let end = first + cells.len();
        let at = self.0.partition_point(|run| run.end() < first);
        if self.0.get(at).is_none_or(|run| run.start > start) {
            self.0.insert(at, Run { start, cells: Vec::new() });
        }
        // The run at `at` takes the cells, and swallows the runs that they reach.
        let reached = self.0.partition_point(|run| usize::from(run.start) <= end);
        let swallowed = self.0.drain(at + 1..reached).next_back();
        let Some(run) = self.0.get_mut(at) else { return };
        let from = first - usize::from(run.start);
        let to = run.cells.len().min(from + cells.len());
        run.cells.splice(from..to, cells.iter().copied());
        if let Some(last) = swallowed {
            let tail = last.cells.get(end - usize::from(last.start)..);
            run.cells.extend_from_slice(tail.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn model_get(model: &BTreeMap<usize, u16>, start: u16, count: usize) -> Option<Vec<u16>> {
        (usize::from(start)..usize::from(start) + count).map(|at| model.get(&at).copied()).collect()
    }

    proptest! {
        #[test]
        fn runs_hold_what_a_map_of_addresses_holds(
            entries in prop::collection::vec(
                (0u16..60, prop::collection::vec(any::<u16>(), 1..12)), 0..20),
        ) {
            let mut runs = Runs::default();
            let mut model = BTreeMap::new();
            for (start, cells) in entries {
                runs.set(start, &cells);
                model.extend((usize::from(start)..).zip(cells));
                for pair in runs.0.windows(2) {
                    prop_assert!(pair[0].end() < usize::from(pair[1].start));
                }
                for start in 0..75u16 {
                    for count in [1usize, 2, 3, 11, 40] {
                        let expected = model_get(&model, start, count);
                        prop_assert_eq!(runs.get(start, count), expected.as_deref());
                        let mut runs = runs.clone();
                        let cells = runs.get_mut(start, count).map(|cells| cells.to_vec());
                        prop_assert_eq!(cells, expected);
                    }
                }
            }
        }
    }

    #[test]
    fn the_last_address_can_be_held_and_nothing_after_it() {
        let mut runs = Runs::default();
        runs.set(u16::MAX, &[7]);
        assert_eq!(runs.get(u16::MAX, 1), Some(&[7][..]));
        assert_eq!(runs.get(u16::MAX, 2), None);
    }
}
