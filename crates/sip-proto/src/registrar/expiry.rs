use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::stamp::Stamp;

/// Below that many times nothing is tidied up.
const FEW: usize = 64;

/// When users are to be looked at, by the hash of their names.
///
/// A user has one time that counts, which the user knows; it is no later than the first of the bindings runs out. A
/// refresh, which moves that on, changes nothing here: when the old time comes, the user is noted anew. So a refresh costs
/// nothing, a look the logarithm of how many there are. Times that count for nobody are left by those who have gone and
/// by bindings that were made shorter; once they outnumber the others, all is made anew
/// ([`is_untidy`](Self::is_untidy)), which costs each of them a constant share.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    times: BinaryHeap<Reverse<(Stamp, u64)>>,
}

impl Expiry {
    /// What a time costs, in bytes.
    #[cfg(test)]
    pub(super) const ENTRY: usize = size_of::<Reverse<(Stamp, u64)>>();

    /// Notes the user with this hash.
    pub(super) fn arm(&mut self, at: Stamp, hash: u64) {
        self.times.push(Reverse((at, hash)));
    }

    /// The earliest time that has come, and whose it was.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Stamp, u64)> {
        let due = self.next().is_some_and(|at| at <= now);
        if due { self.times.pop().map(|Reverse(time)| time) } else { None }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.times.peek().map(|Reverse((at, _))| at.instant())
    }

    /// Whether more than half of the times count for none of so many users.
    pub(super) fn is_untidy(&self, users: usize) -> bool {
        self.times.len() > 2 * users + FEW
    }

    pub(super) fn replace(&mut self, times: Vec<(Stamp, u64)>) {
        self.times = times.into_iter().map(Reverse).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_sim::Clock;
    use std::time::Duration;

    #[test]
    fn times_come_in_order_and_not_before() {
        let start = Clock::new().now();
        let at = |second| start + Duration::from_secs(second);
        let mut expiry = Expiry::default();
        [(3, 30), (1, 10), (2, 20), (1, 11)]
            .into_iter()
            .for_each(|(second, user)| expiry.arm(Stamp::of(at(second)), user));
        assert_eq!((expiry.pop(start), expiry.next()), (None, Some(at(1))));
        let come: Vec<_> = std::iter::from_fn(|| expiry.pop(at(2))).map(|(_, user)| user).collect();
        assert_eq!((come, expiry.next()), (vec![10, 11, 20], Some(at(3))));
    }
}
