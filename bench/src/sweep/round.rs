//! The same loads several times, for what a machine can do changes.

use super::Step;
use crate::spread::median;

/// The capacity, and what became of each load.
pub struct Round {
    pub capacity: f64,
    pub cost: f64,
    pub steps: Vec<Step>,
}

impl Round {
    /// The medians of all rounds.
    pub fn median(rounds: Vec<Self>) -> (f64, f64, Vec<Step>) {
        let of = |what: fn(&Self) -> f64| median(rounds.iter().map(what));
        let (capacity, cost) = (of(|round| round.capacity), of(|round| round.cost));
        let count = rounds.first().map_or(0, |round| round.steps.len());
        let steps = (0..count).map(|step| Step::median(rounds.iter().map(|round| &round.steps[step])));
        (capacity, cost, steps.collect())
    }
}

impl Step {
    /// Each figure's median, of steps with the same load.
    fn median<'s>(steps: impl Iterator<Item = &'s Self> + Clone) -> Self {
        let of = |what: fn(&Self) -> f64| median(steps.clone().map(what));
        Self {
            times: of(|step| step.times),
            part: of(|step| step.part),
            offered: of(|step| step.offered),
            again: of(|step| step.again),
            goodput: of(|step| step.goodput),
            refused: of(|step| step.refused),
            p50: of(|step| step.p50),
            p99: of(|step| step.p99),
            cpu: of(|step| step.cpu),
            memory: steps.clone().map(|step| step.memory).max().unwrap_or_default(),
            late: of(|step| step.late),
        }
    }
}
