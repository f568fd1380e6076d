//! What the profile's counters have not been told yet.

use std::mem::take;
use std::sync::atomic::Ordering;

use crate::profile::Counters;

/// Counts of one shard. The counters are told for many messages at once, before their datagrams are sent; what leaves by connections may
/// be a turn ahead of them. Changing what other threads may read waits for all that was written before, most of it to memory that is in
/// no cache.
#[derive(Default)]
pub struct Tally {
    pub requests: u64,
    pub sent: u64,
}

impl Tally {
    pub fn tell(&mut self, counters: &Counters) {
        for (count, counter) in [(&mut self.requests, &counters.requests), (&mut self.sent, &counters.sent)] {
            if *count > 0 {
                counter.fetch_add(take(count), Ordering::Relaxed);
            }
        }
    }
}
