//! Which tests may overlap: the order of a run as a graph. Knows device keys and nothing else.
//!
//! A test waits for every earlier test that touches one of its devices. A test that is alone in its
//! record waits for everything before it there, and everything after it waits for it.

use std::collections::HashMap;
use std::hash::Hash;

/// What the order must know of one test. Tests are given in plan order, record after record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<K> {
    /// The record that the test belongs to.
    pub record: usize,
    /// The devices that it talks to.
    pub devices: Vec<K>,
    /// The tests that must have ended before: earlier places in the list.
    pub needs: Vec<usize>,
    /// Whether nothing else of its record may run at the same time.
    pub alone: bool,
}

/// For each test, how many it waits for and which wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// How many tests must end before this one starts.
    pub waits_for: Vec<usize>,
    /// The tests that this one lets go on.
    pub followers: Vec<Vec<usize>>,
}

/// Orders the tests. Every edge leads from an earlier test to a later one, so there is no cycle.
pub fn order<K: Hash + Eq + Clone>(claims: &[Claim<K>]) -> Order {
    let mut edges =
        Order { waits_for: vec![0; claims.len()], followers: vec![Vec::new(); claims.len()] };
    let mut last_on_device: HashMap<K, usize> = HashMap::new();
    let mut records: HashMap<usize, Stretch> = HashMap::new();
    for (test, claim) in claims.iter().enumerate() {
        let stretch = records.entry(claim.record).or_default();
        let mut before: Vec<usize> =
            stretch.barrier.into_iter().chain(claim.needs.iter().copied()).collect();
        if claim.alone {
            before.append(&mut stretch.since);
            stretch.barrier = Some(test);
        } else {
            stretch.since.push(test);
        }
        for device in &claim.devices {
            before.extend(last_on_device.insert(device.clone(), test));
        }
        before.retain(|earlier| *earlier < test);
        before.sort_unstable();
        before.dedup();
        edges.waits_for[test] = before.len();
        for earlier in before {
            edges.followers[earlier].push(test);
        }
    }
    edges
}

/// The tests of one record since the last that was alone.
#[derive(Default)]
struct Stretch {
    barrier: Option<usize>,
    since: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(record: usize, devices: &[&'static str], alone: bool) -> Claim<&'static str> {
        Claim { record, devices: devices.to_vec(), needs: Vec::new(), alone }
    }

    #[test]
    fn tests_on_different_devices_overlap_and_on_the_same_keep_file_order() {
        let order =
            order(&[claim(0, &["a"], false), claim(0, &["b"], false), claim(0, &["a"], false)]);
        assert_eq!(order.waits_for, [0, 0, 1]);
        assert_eq!(order.followers, [vec![2], vec![], vec![]]);
    }

    #[test]
    fn a_test_that_is_alone_separates_its_record_only() {
        let order = order(&[
            claim(0, &["a"], false),
            claim(0, &["b"], false),
            claim(0, &[], true),
            claim(0, &["c"], false),
            claim(1, &["d"], false),
        ]);
        assert_eq!(order.waits_for, [0, 0, 2, 1, 0]);
    }

    #[test]
    fn a_device_is_never_shared_across_records() {
        let order = order(&[claim(0, &["a"], false), claim(1, &["a"], false)]);
        assert_eq!(order.waits_for, [0, 1]);
    }

    #[test]
    fn a_test_comes_after_those_that_it_needs() {
        let needing = Claim { needs: vec![0], ..claim(0, &["b"], false) };
        let order = order(&[claim(0, &["a"], false), needing, claim(0, &["c"], false)]);
        assert_eq!(order.waits_for, [0, 1, 0]);
    }

    #[test]
    fn a_device_named_twice_does_not_wait_for_itself() {
        assert_eq!(order(&[claim(0, &["a", "a"], false)]).waits_for, [0]);
    }
}
