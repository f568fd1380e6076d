//! Which requests are dropped unread.

use std::time::{Duration, Instant};

use crate::transport::sieve;

/// Of all requests at least this part is not dropped.
const LEAST: f64 = 1.0 / 256.0;

/// It is known for so many times as long what was dropped: that comes again within T2, 4 s (RFC 3261 §17.1.2.2), and is refused then.
const SPANS: usize = 9;
const SPAN: Duration = Duration::from_millis(500);

/// Keeps a part of all requests, the same ones whenever they come again.
pub struct Sieve {
    /// From 0 to 1.
    pub kept: f64,
    /// The least that was kept in each of the last spans of time, the last of which began at this one.
    least: [f64; SPANS],
    began: Instant,
    pub seed: u32,
}

/// A part of all places.
pub fn of_all(part: f64) -> u32 {
    (part * f64::from(u32::MAX)) as u32
}

/// What the sieve says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sifted {
    In,
    /// It may have been dropped before.
    Doubtful,
    Out,
}

impl Sieve {
    pub fn new(now: Instant, seed: u32) -> Self {
        Self { kept: 1.0, least: [1.0; SPANS], began: now, seed }
    }

    pub fn is_on(&self) -> bool {
        self.surely() < 1.0
    }

    /// The part of which none was dropped for some time.
    pub fn surely(&self) -> f64 {
        self.least.iter().copied().fold(self.kept, f64::min)
    }

    pub fn of(&self, datagram: &[u8]) -> Sifted {
        let surely = self.surely();
        if surely >= 1.0 {
            return Sifted::In;
        }
        match sieve::place(self.seed, datagram) {
            None => Sifted::In,
            Some(place) if place > of_all(self.kept) => Sifted::Out,
            Some(place) if place > of_all(surely) => Sifted::Doubtful,
            Some(_) => Sifted::In,
        }
    }

    /// Whether any request is dropped now.
    pub fn drops(&self) -> bool {
        self.kept < 1.0
    }

    /// Lets that part through.
    pub fn keep(&mut self, part: f64) {
        self.kept = part.clamp(LEAST, 1.0);
        let last = &mut self.least[SPANS - 1];
        *last = last.min(self.kept);
    }

    /// What was dropped longer ago does not count.
    pub fn forget(&mut self, now: Instant) {
        if now >= self.began + SPAN {
            self.began = now;
            self.least.rotate_left(1);
            self.least[SPANS - 1] = self.kept;
        }
    }

    /// Nor does anything, as there is time for all of it.
    pub fn forget_all(&mut self) {
        self.least = [self.kept; SPANS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64) -> Vec<u8> {
        format!("MESSAGE sip:somebody@somewhere;branch={number:020};{:300}", "").into_bytes()
    }

    #[test]
    fn what_was_dropped_is_known_for_four_seconds() {
        let start = Instant::now();
        let mut sieve = Sieve::new(start, 99);
        sieve.keep(0.5);
        sieve.keep(1.0);
        assert!(!sieve.drops() && sieve.is_on());
        let mut after = |tenths: u32| {
            sieve.forget(start + tenths * Duration::from_millis(100));
            sieve.is_on()
        };
        assert!((0..=44).all(&mut after));
        assert!(!after(45));
        sieve.keep(0.5);
        sieve.keep(1.0);
        sieve.forget_all();
        assert!(!sieve.is_on());
    }

    #[test]
    fn the_sieve_keeps_the_same_part_each_time() {
        let mut sieve = Sieve::new(Instant::now(), 99);
        sieve.keep(0.75);
        let sifted =
            |sieve: &Sieve| -> Vec<Sifted> { (0..10_000).map(|number| sieve.of(&message(number))).collect() };
        let count = |sifted: &[Sifted], what| sifted.iter().filter(|one| **one == what).count();
        let before = sifted(&sieve);
        assert!((7300..7700).contains(&count(&before, Sifted::In)));
        sieve.keep(0.5);
        let narrow = sifted(&sieve);
        assert!((4800..5200).contains(&count(&narrow, Sifted::In)));
        assert!(
            before.iter().zip(&narrow).all(|(before, narrow)| *narrow == Sifted::Out || before == narrow)
        );
        sieve.keep(0.75);
        let wide = sifted(&sieve);
        // What was dropped is known when it comes again.
        assert!(
            narrow.iter().zip(&wide).all(|(narrow, wide)| (*narrow == Sifted::In) == (*wide == Sifted::In))
        );
        assert!((2300..2700).contains(&count(&wide, Sifted::Doubtful)));
    }
}
