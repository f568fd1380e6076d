//! Numbers that need only differ: call-ids, seeds. Secrets come from the system.

/// xorshift64*, seeded by the system.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).expect("the system has a random source");
        Self(u64::from_ne_bytes(seed) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A Call-ID in the form of a version 4 UUID, as FreeSWITCH writes it.
    pub fn uuid(&mut self, out: &mut String) {
        use std::fmt::Write as _;
        let (a, b) = (self.next(), self.next());
        let version = (a & 0x0fff) | 0x4000;
        let variant = (b >> 48 & 0x3fff) | 0x8000;
        out.clear();
        // Writing to a String does not fail.
        let _ = write!(
            out,
            "{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            b & 0xffff_ffff_ffff
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_ids_are_uuids_and_differ() {
        let (mut random, mut one, mut two) = (Random::new(), String::new(), String::new());
        random.uuid(&mut one);
        random.uuid(&mut two);
        assert_ne!(one, two);
        assert_eq!((one.len(), &one[14..15]), (36, "4"));
    }
}
