//! Limits: how many messages of a resource are under way, and how many came in an interval. FreeSWITCH mod_hash.c
//! limit_incr_hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::bounds::MAX_COUNTERS;
use crate::hash_table::name;

/// The counters of a backend. One that nobody uses is forgotten when the place is needed; when all
/// [`MAX_COUNTERS`] are in use, messages of further resources are over their limit.
#[derive(Default)]
pub struct Counters(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    resources: BTreeMap<String, Counter>,
    /// Grows with each reset, so that what was held before is not let go after.
    generation: u64,
    /// When unused counters were last looked for.
    cleaned: i64,
}

#[derive(Clone, Copy, Default)]
struct Counter {
    usage: u32,
    rate: u32,
    /// Seconds.
    interval: u32,
    /// When the interval began, in seconds since 1970.
    since: i64,
}

/// What is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// `None`: it is only counted.
    pub most: Option<u32>,
    /// 0: at a time; else in so many seconds.
    pub interval: u32,
}

/// How much a resource is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// At the moment.
    pub usage: u32,
    /// In the interval.
    pub rate: u32,
}

/// The limit is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Over {
    /// Seconds until there may be room again.
    pub retry_after: u32,
}

/// A place taken; given back when dropped.
pub struct Held {
    counters: Arc<Counters>,
    name: String,
    generation: u64,
}

/// A line of [`Counters::list`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) usage: Usage,
    pub(crate) interval: u32,
    pub(crate) since: i64,
}

impl Counters {
    /// Counts a message at `now`, in seconds since 1970, unless that is over the limit. With an interval every try is
    /// counted, so that whoever does not heed the limit stays over it until the interval ends. `again`: the message has
    /// a place already, and gets no second one.
    pub fn take(
        self: &Arc<Self>,
        realm: &str,
        resource: &str,
        limit: Limit,
        now: i64,
        again: bool,
    ) -> Result<(Usage, Option<Held>), Over> {
        let name = name(realm, resource);
        let mut counted = self.0.lock();
        let generation = counted.generation;
        let counter = counted.counter(&name, now).ok_or(Over { retry_after: 1 })?;
        counter.check(limit, now, again)?;
        if again {
            return Ok((counter.used(now), None));
        }
        counter.usage = counter.usage.saturating_add(1);
        let usage = counter.used(now);
        drop(counted);
        Ok((usage, Some(Held { counters: self.clone(), name, generation })))
    }

    pub fn usage(&self, realm: &str, resource: &str, now: i64) -> Usage {
        self.0
            .lock()
            .resources
            .get(&name(realm, resource))
            .map(|counter| counter.used(now))
            .unwrap_or_default()
    }

    /// Begins a resource's interval anew.
    pub fn reset_interval(&self, realm: &str, resource: &str, now: i64) {
        if let Some(counter) = self.0.lock().resources.get_mut(&name(realm, resource)) {
            counter.rate = 0;
            counter.since = now;
        }
    }

    /// Forgets everything.
    pub fn reset(&self) {
        let mut counted = self.0.lock();
        counted.resources.clear();
        counted.generation += 1;
    }

    /// How many resources are counted.
    pub fn len(&self) -> usize {
        self.0.lock().resources.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every resource, sorted.
    pub(crate) fn list(&self, now: i64) -> Vec<Line> {
        let counted = self.0.lock();
        let line = |(name, counter): (&String, &Counter)| Line {
            name: name.clone(),
            usage: counter.used(now),
            interval: counter.interval,
            since: counter.since,
        };
        counted.resources.iter().map(line).collect()
    }
}

impl Counted {
    /// The counter of that name, a new one if need be; `None` when there are too many in use.
    fn counter(&mut self, name: &str, now: i64) -> Option<&mut Counter> {
        if self.resources.len() >= MAX_COUNTERS && !self.resources.contains_key(name) {
            // Looked for once a second at most: it takes long, and whoever asks waits for it.
            if self.cleaned != now {
                self.cleaned = now;
                self.resources.retain(|_, counter| counter.used(now) != Usage::default());
            }
            if self.resources.len() >= MAX_COUNTERS {
                return None;
            }
        }
        Some(self.resources.entry(name.to_owned()).or_default())
    }
}

impl Counter {
    fn check(&mut self, limit: Limit, now: i64, again: bool) -> Result<(), Over> {
        if limit.interval == 0 {
            let wanted = self.usage.saturating_add(u32::from(!again));
            return if limit.most.is_some_and(|most| wanted > most) {
                Err(Over { retry_after: 1 })
            } else {
                Ok(())
            };
        }
        self.interval = limit.interval;
        if self.ends() <= now {
            self.since = now;
            self.rate = 0;
        }
        self.rate = self.rate.saturating_add(1);
        if limit.most.is_some_and(|most| self.rate > most) {
            let left = u32::try_from(self.ends() - now).unwrap_or(limit.interval);
            return Err(Over { retry_after: left.max(1) });
        }
        Ok(())
    }

    /// When the interval does.
    fn ends(&self) -> i64 {
        self.since.saturating_add(self.interval.into())
    }

    fn used(&self, now: i64) -> Usage {
        let rate = if self.ends() <= now { 0 } else { self.rate };
        Usage { usage: self.usage, rate }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counted = self.counters.0.lock();
        if counted.generation != self.generation {
            return;
        }
        let Some(counter) = counted.resources.get_mut(&self.name) else { return };
        counter.usage = counter.usage.saturating_sub(1);
        if counter.usage == 0 && counter.rate == 0 {
            counted.resources.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn at_a_time(most: u32) -> Limit {
        Limit { most: Some(most), interval: 0 }
    }

    #[test]
    fn messages_under_way() {
        let counters = Arc::new(Counters::default());
        let take = |again| counters.take("r", "x", at_a_time(2), NOW, again);
        let (usage, one) = take(false).unwrap_or_else(|_| panic!("room"));
        assert_eq!((usage.usage, one.is_some()), (1, true));
        let (usage, none) = take(true).unwrap_or_else(|_| panic!("the same message"));
        assert_eq!((usage.usage, none.is_none()), (1, true));
        let (_, two) = take(false).unwrap_or_else(|_| panic!("room"));
        assert_eq!(take(false).err(), Some(Over { retry_after: 1 }));
        assert!(counters.take("r", "y", at_a_time(1), NOW, false).is_ok());
        drop(one);
        assert_eq!(counters.usage("r", "x", NOW).usage, 1);
        assert!(take(false).is_ok());
        drop(two);
        assert_eq!(counters.usage("r", "x", NOW), Usage::default());
        assert!(counters.is_empty(), "unused ones are forgotten");
    }

    #[test]
    fn messages_in_an_interval() {
        let counters = Arc::new(Counters::default());
        let take = |now| {
            counters
                .take("r", "x", Limit { most: Some(2), interval: 60 }, now, false)
                .map(|taken| taken.0.rate)
        };
        assert_eq!(take(NOW), Ok(1));
        assert_eq!(take(NOW + 10), Ok(2));
        assert_eq!(take(NOW + 20), Err(Over { retry_after: 40 }));
        assert_eq!(take(NOW + 59), Err(Over { retry_after: 1 }));
        assert_eq!(counters.usage("r", "x", NOW + 59), Usage { usage: 0, rate: 4 });
        assert_eq!(counters.usage("r", "x", NOW + 60), Usage::default());
        assert_eq!(take(NOW + 60), Ok(1));
        counters.reset_interval("r", "x", NOW + 61);
        assert_eq!(take(NOW + 62), Ok(1));
    }

    #[test]
    fn what_is_only_counted() {
        let counters = Arc::new(Counters::default());
        let count = Limit { most: None, interval: 0 };
        let held: Vec<_> = (0..50)
            .map(|_| counters.take("r", "x", count, NOW, false).unwrap_or_else(|_| panic!("no limit")))
            .collect();
        assert_eq!(counters.usage("r", "x", NOW).usage, 50);
        counters.reset();
        let (_, one) = counters.take("r", "x", count, NOW, false).unwrap_or_else(|_| panic!("no limit"));
        drop(held);
        assert_eq!(counters.usage("r", "x", NOW).usage, 1, "what was held before the reset is not let go");
        drop(one);
    }

    #[test]
    fn there_are_bounds() {
        let counters = Arc::new(Counters::default());
        let limit = Limit { most: Some(1), interval: 10 };
        for n in 0..MAX_COUNTERS {
            assert!(counters.take("r", &n.to_string(), limit, NOW, false).is_ok());
        }
        assert!(counters.take("r", "one more", limit, NOW, false).is_err());
        assert!(counters.take("r", "one more", limit, NOW + 10, false).is_ok(), "the intervals are over");
        assert_eq!(counters.len(), 1);
    }
}
