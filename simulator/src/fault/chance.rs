//! Chance that can be repeated: what is drawn depends on the seed, the device, the fault and the
//! number of the request, and on nothing else. So no device's timing changes another's faults.

/// What the chances of one device are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The seed of one device of a run.
    pub fn of_device(run: u64, device: &str) -> Self {
        Self(device.bytes().fold(mix(run), |state, byte| mix(state ^ u64::from(byte))))
    }

    /// The chances of one thing of the device that needs some.
    pub(crate) fn chance(self, index: u64) -> Chance {
        Chance(mix(self.0 ^ mix(index)))
    }
}

/// The chances of one thing: the same for the same seed, whenever they are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance(u64);

impl Chance {
    /// At least 0 and less than 1; the same for the same `count`.
    pub(crate) fn draw(self, count: u64) -> f64 {
        f64::from((mix(self.0 ^ mix(count)) >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
    }

    /// What the fault draws when it shows at `count`; apart from what decides whether it shows.
    pub(super) fn dice(self, count: u64) -> Dice {
        Dice(mix(mix(self.0) ^ mix(count)))
    }

    /// Normally distributed with mean 0 and standard deviation 1 (Box and Muller); the same for the
    /// same `count`.
    pub(crate) fn draw_normal(self, count: u64) -> f64 {
        // 1 - draw is above 0: its logarithm is finite.
        let radius = (-2.0 * (1.0 - self.draw(count)).ln()).sqrt();
        let angle = Self(mix(self.0)).draw(count);
        radius * (std::f64::consts::TAU * angle).cos()
    }
}

/// Numbers drawn one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dice(u64);

impl Dice {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Less than `limit`; 0 if that is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or_default()
    }

    /// So many bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let bytes = std::iter::repeat_with(|| self.number().to_le_bytes()).flatten();
        bytes.take(count).collect()
    }
}

/// What one step of `SplitMix64` adds.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// One step of `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(GOLDEN);
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // First output of the reference implementation for the seed 1234567.
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn draws_spread_evenly_and_differ_by_seed_device_and_fault() {
        let draw_all = |run, device, fault| {
            let chance = Seed::of_device(run, device).chance(fault);
            (1..=10_000).map(|count| chance.draw(count)).collect::<Vec<_>>()
        };
        let drawn = draw_all(1, "meter", 0);
        assert!(drawn.iter().all(|draw| (0.0..1.0).contains(draw)));
        for tenth in 1..=10u32 {
            let below = drawn.iter().filter(|&&draw| draw < f64::from(tenth) / 10.0).count();
            assert!(below.abs_diff(1000 * tenth as usize) < 200, "{below} below {tenth}/10");
        }
        assert_eq!(drawn, draw_all(1, "meter", 0));
        for other in [draw_all(2, "meter", 0), draw_all(1, "meters", 0), draw_all(1, "meter", 1)] {
            assert_ne!(drawn, other);
        }
    }
}
