//! What serving a request and refusing one cost, from how long many of both took together.

/// What a window counts less for with each that comes after it: half after twenty-three, half a second.
const FORGET: f64 = 0.97;
/// Refusing costs this part of serving as far as nothing else was seen, and that counts as much as this part of what was seen of serving.
const USUAL: f64 = 1.0 / 8.0;
const TRUST: f64 = 0.1;
/// While nothing is served, what is known of serving is kept once it counts for no more than this part of the rest.
const LEAST: f64 = 1e-6;
/// The least and the most that refusing costs, of what serving does.
const PARTS: (f64, f64) = (1.0 / 40.0, 1.0 / 2.0);

/// What was done in some time.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub served: f64,
    pub refused: f64,
    /// Seconds.
    pub took: f64,
    /// Whether it took all of that time, and not less.
    pub is_all: bool,
}

/// Seconds of one.
#[derive(Clone, Copy, Debug)]
struct Each {
    serving: f64,
    refusing: f64,
}

/// The costs that fit best, by least squares, what was done. Most of what refusing costs is the system's, in reading and sending,
/// and can't be told apart from what serving does; but there are times with many refusals and with few.
#[derive(Default)]
pub struct Costs {
    /// Sums of squares and of products.
    served: f64,
    refused: f64,
    both: f64,
    served_took: f64,
    refused_took: f64,
    each: Option<Each>,
}

impl Costs {
    pub fn learn(&mut self, work: Work) {
        if !work.is_all && !self.seem_too_high(work) {
            return;
        }
        let Work { served, refused, took, .. } = work;
        if served == 0.0 && self.served < LEAST * self.refused {
            return;
        }
        for (sum, new) in [
            (&mut self.served, served * served),
            (&mut self.refused, refused * refused),
            (&mut self.both, served * refused),
            (&mut self.served_took, served * took),
            (&mut self.refused_took, refused * took),
        ] {
            *sum = *sum * FORGET + new;
        }
        self.each = self.best().or(self.each);
    }

    /// Whether that would have taken longer than it can have.
    fn seem_too_high(&self, work: Work) -> bool {
        self.each.is_some_and(|each| work.served * each.serving + work.refused * each.refusing > work.took)
    }

    fn best(&self) -> Option<Each> {
        let trust = TRUST * self.served;
        let served = self.served + trust * USUAL * USUAL;
        let refused = self.refused + trust;
        let both = self.both - trust * USUAL;
        let scale = served * refused - both * both;
        let serving = (self.served_took * refused - self.refused_took * both) / scale;
        let refusing = (self.refused_took * served - self.served_took * both) / scale;
        (serving.is_finite() && serving > 0.0)
            .then(|| Each { serving, refusing: refusing.clamp(serving * PARTS.0, serving * PARTS.1) })
    }

    /// Seconds that refusing one takes; 0 as long as it is not known.
    pub fn refusing(&self) -> f64 {
        self.each.map_or(0.0, |each| each.refusing)
    }

    /// Requests a second of which all are served or refused, the refusals in this part of the time.
    pub fn sustained(&self, share: f64) -> Option<f64> {
        self.each.map(|each| (1.0 - share) / each.serving + share / each.refusing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(served: u32, refused: u32, took: f64) -> Work {
        Work { served: served.into(), refused: refused.into(), took, is_all: true }
    }

    fn is_about(one: f64, other: f64) -> bool {
        (one / other - 1.0).abs() < 0.02
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let mut costs = Costs::default();
        assert_eq!((costs.sustained(0.5), costs.refusing()), (None, 0.0));
        costs.learn(work(0, 1000, 0.01));
        assert_eq!(costs.sustained(0.5), None);
    }

    #[test]
    fn serving_alone_tells_what_it_costs() {
        let mut costs = Costs::default();
        costs.learn(work(1000, 0, 0.02));
        assert!(is_about(costs.sustained(0.0).unwrap(), 50_000.0));
        assert!(is_about(costs.refusing(), 20e-6 * USUAL));
    }

    #[test]
    fn both_are_told_apart_by_how_many_there_were() {
        let mut costs = Costs::default();
        for (served, refused) in [(900, 700), (300, 5000), (700, 1800), (950, 400)].repeat(20) {
            let took = f64::from(served) * 20e-6 + f64::from(refused) * 3e-6;
            costs.learn(work(served, refused, took));
        }
        assert!(is_about(costs.sustained(0.0).unwrap(), 50_000.0));
        assert!(is_about(costs.refusing(), 3e-6), "{}", costs.refusing());
    }

    #[test]
    fn what_was_not_done_all_the_time_corrects_what_is_too_high() {
        let mut costs = Costs::default();
        costs.learn(work(1000, 0, 0.04));
        let idle = |served| Work { is_all: false, ..work(served, 0, 0.02) };
        costs.learn(idle(100));
        assert!(is_about(costs.sustained(0.0).unwrap(), 25_000.0));
        for _ in 0..200 {
            costs.learn(idle(800));
        }
        assert!(is_about(costs.sustained(0.0).unwrap(), 40_000.0));
    }

    #[test]
    fn what_serving_costs_is_known_after_a_long_time_of_refusals() {
        let mut costs = Costs::default();
        costs.learn(work(1000, 0, 0.02));
        for _ in 0..100_000 {
            costs.learn(work(0, 5000, 0.02));
        }
        assert!(is_about(costs.sustained(0.0).unwrap(), 50_000.0));
        assert!(is_about(costs.refusing(), 4e-6), "{}", costs.refusing());
    }
}
