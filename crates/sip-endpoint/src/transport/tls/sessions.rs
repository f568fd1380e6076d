//! TLS sessions that may be resumed, for as long as `tls-timeout` says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};

/// Sessions that are remembered; the oldest is forgotten for another one.
const SESSIONS: usize = 1024;
/// Octets of the time before each value.
const TIME: usize = 8;

/// Remembers sessions with the time they were made.
#[derive(Debug)]
pub struct Sessions {
    kept: Arc<ServerSessionMemoryCache>,
    lifetime: Duration,
    start: Instant,
}

impl Sessions {
    pub fn new(lifetime: Duration) -> Self {
        Self { kept: ServerSessionMemoryCache::new(SESSIONS), lifetime, start: Instant::now() }
    }

    fn fresh(&self, mut value: Vec<u8>) -> Option<Vec<u8>> {
        let (time, _) = value.split_first_chunk::<TIME>()?;
        let made = Duration::from_millis(u64::from_be_bytes(*time));
        if self.start.elapsed().saturating_sub(made) > self.lifetime {
            return None;
        }
        value.drain(..TIME);
        Some(value)
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut timed = now.to_be_bytes().to_vec();
        timed.extend(value);
        self.kept.put(key, timed)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.fresh(self.kept.get(key)?)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.fresh(self.kept.take(key)?)
    }

    fn can_cache(&self) -> bool {
        !self.lifetime.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_good_for_its_time() {
        for (lifetime, expected) in [(3600, Some(vec![7])), (5, None)] {
            let lifetime = Duration::from_secs(lifetime);
            let now = Instant::now();
            let Some(start) = now.checked_sub(Duration::from_secs(60)) else { return };
            let sessions = Sessions { kept: ServerSessionMemoryCache::new(8), lifetime, start };
            let mut made_at_the_start = 0u64.to_be_bytes().to_vec();
            made_at_the_start.push(7);
            sessions.kept.put(vec![1], made_at_the_start);
            assert_eq!(sessions.take(&[1]), expected);
        }
    }
}
