//! What one message may cost.

/// Actions that one message collects or runs inline, loops counted out.
pub const MAX_ACTIONS: usize = 1_000;

/// The most that an action's `loop` counts.
pub const MAX_LOOP: u32 = 1_000;

/// Octets of a text after expansion, 256 KiB.
pub const MAX_EXPANDED: usize = 1 << 18;
