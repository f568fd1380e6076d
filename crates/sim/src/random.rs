use std::time::Duration;

/// A seeded source of numbers (SplitMix64, public domain): the same seed gives the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A source that is wholly determined by `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// True with a probability of `per_mille` in a thousand.
    pub fn chance(&mut self, per_mille: u16) -> bool {
        self.below(1000) < u64::from(per_mille)
    }

    /// A duration in `from..=to`, to the microsecond.
    pub fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let span = to.saturating_sub(from).as_micros() as u64;
        from + Duration::from_micros(self.below(span + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_numbers() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            [random.next_u64(), random.next_u64(), random.next_u64()]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn chances_come_out_about_as_asked() {
        let mut random = Random::new(1);
        let hits = (0..10_000).filter(|_| random.chance(300)).count();
        assert!((2_700..3_300).contains(&hits), "{hits} of 10000 at 300 per mille");
        assert!((0..1_000).all(|_| !random.chance(0)));
        assert!((0..1_000).all(|_| random.chance(1000)));
    }

    #[test]
    fn durations_stay_between_their_bounds() {
        let mut random = Random::new(3);
        let (from, to) = (Duration::from_millis(5), Duration::from_millis(9));
        assert!((0..1_000).all(|_| (from..=to).contains(&random.between(from, to))));
    }
}
