//! What DNS has said, for as long as it holds. No I/O.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::choose::Found;
use crate::config::Hop;

/// Answers kept at most. When there are as many, those that have run out make room, else the one that would run out first.
const LIMIT: usize = 4096;
/// However long DNS says: a server that moved is to be found within the hour.
const LONGEST: Duration = Duration::from_secs(3600);
/// How long it is remembered that nothing was found.
const NOTHING: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct Cache {
    answers: HashMap<Hop, (Instant, Arc<Found>)>,
}

impl Cache {
    pub fn get(&self, hop: &Hop, now: Instant) -> Option<Arc<Found>> {
        self.answers.get(hop).filter(|(until, _)| *until > now).map(|(_, found)| found.clone())
    }

    pub fn keep(&mut self, hop: Hop, found: Arc<Found>, ttl: Duration, now: Instant) {
        let ttl = if found.0.is_empty() { NOTHING } else { ttl.min(LONGEST) };
        if self.answers.len() >= LIMIT {
            self.answers.retain(|_, (until, _)| *until > now);
        }
        if self.answers.len() >= LIMIT {
            let first = self.answers.iter().min_by_key(|(_, (until, _))| *until).map(|(hop, _)| hop.clone());
            first.and_then(|hop| self.answers.remove(&hop));
        }
        self.answers.insert(hop, (now + ttl, found));
    }
}

#[cfg(test)]
mod tests {
    use super::super::choose::Service;
    use super::*;
    use chappe_sip_proto::Transport;

    fn hop(name: usize) -> Hop {
        Hop { host: format!("h{name}"), port: None, transport: None }
    }

    fn something() -> Arc<Found> {
        let service = Service { transport: Transport::Udp, fixed: false, servers: Vec::new() };
        Arc::new(Found(vec![service]))
    }

    #[test]
    fn an_answer_holds_as_long_as_dns_says_and_nothing_for_seconds() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let seconds = Duration::from_secs;
        cache.keep(hop(1), something(), seconds(60), now);
        cache.keep(hop(2), Arc::default(), seconds(60), now);
        cache.keep(hop(3), something(), seconds(100_000), now);
        let known = |after| [1, 2, 3].map(|name| cache.get(&hop(name), now + seconds(after)).is_some());
        assert_eq!(known(4), [true, true, true]);
        assert_eq!(known(5), [true, false, true]);
        assert_eq!(known(60), [false, false, true]);
        assert_eq!(known(3600), [false, false, false]);
    }

    #[test]
    fn it_is_bounded() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for name in 0..LIMIT + 100 {
            cache.keep(hop(name), something(), Duration::from_secs(60 + name as u64), now);
        }
        assert_eq!(cache.answers.len(), LIMIT);
        assert!(cache.get(&hop(0), now).is_none() && cache.get(&hop(LIMIT), now).is_some());
    }
}
