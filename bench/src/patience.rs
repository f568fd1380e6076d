//! How a load waits for what is on its way to it.

use std::hint;
use std::time::{Duration, Instant};

/// From one look to the next.
pub const PAUSE: Duration = Duration::from_micros(3);

/// A thread that sleeps is woken by whoever sends to it: on loopback that is the server, whose CPU time it takes, and it takes its
/// time. Over a network it would be the work of the client's machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// It sleeps: others may need its core.
    Sleeps,
    /// It looks again and again.
    Watches,
}

/// Lets a moment pass between two looks, at most until `next`.
pub fn pause(next: Instant) {
    let end = next.min(Instant::now() + PAUSE);
    while Instant::now() < end {
        hint::spin_loop();
    }
}
