//! Ids of runs and records. They derive from the start stamp and the seed alone, so that a run
//! with both fixed is the same run to the last byte.

use uuid::{Builder, Uuid};

use super::{Digest, Stamp};

/// The id (`UUIDv7`) of the run that started at `started` with `seed`.
pub fn run_id(started: Stamp, seed: u64) -> Uuid {
    derive(started, seed, 0)
}

/// The id (`UUIDv7`) of the record at `index` in that run.
pub fn record_id(started: Stamp, seed: u64, index: usize) -> Uuid {
    // 0 is the run itself.
    derive(started, seed, index as u64 + 1)
}

/// A seed by chance, below 2^53 so that every JSON reader keeps it whole. Ids of runs derive from
/// it: two stations that start in the same millisecond still differ.
///
/// # Errors
///
/// When the operating system has no random numbers to give.
pub fn draw_seed() -> std::io::Result<u64> {
    Ok(getrandom::u64().map_err(std::io::Error::other)? >> 11)
}

fn derive(started: Stamp, seed: u64, index: u64) -> Uuid {
    let milliseconds = started.unix_milliseconds();
    let source = [milliseconds, seed, index].map(u64::to_be_bytes);
    let digest = Digest::of(source.as_flattened());
    let (random, _) = digest.bytes().split_at(10);
    let random = random.try_into().unwrap_or_default();
    Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_derive_from_stamp_and_seed() {
        let started: Stamp = "2026-05-04T03:02:01.007Z".parse().unwrap();
        let id = run_id(started, 7);
        assert_eq!(id, run_id(started, 7));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.as_u64_pair().0 >> 16, started.unix_milliseconds());
        let others = [run_id(started, 8), record_id(started, 7, 0), record_id(started, 7, 1)];
        for (place, other) in others.iter().enumerate() {
            assert_ne!(*other, id);
            assert!(!others[..place].contains(other));
        }
    }

    #[test]
    fn seeds_are_kept_whole_by_every_json_reader() {
        let (first, second) = (draw_seed().unwrap(), draw_seed().unwrap());
        assert!(first < 1 << 53 && second < 1 << 53);
        assert_ne!(first, second);
    }
}
