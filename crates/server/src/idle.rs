//! How idle the machine is, as log lines, `status` and heartbeats say.

use std::sync::atomic::{AtomicU32, Ordering};

/// The share of time the processors had nothing to do between the last two looks, in percent.
pub struct IdleCpu {
    /// Hundredths of a percent.
    hundredths: AtomicU32,
}

/// Clock ticks since the machine started.
#[derive(Clone, Copy, Default)]
pub struct Ticks {
    idle: u64,
    all: u64,
}

impl Default for IdleCpu {
    fn default() -> Self {
        Self { hundredths: AtomicU32::new(10_000) }
    }
}

impl IdleCpu {
    pub fn percent(&self) -> f32 {
        self.hundredths.load(Ordering::Relaxed) as f32 / 100.0
    }

    /// Looks again, `before` being what was seen last time.
    pub fn look(&self, before: Ticks) -> Ticks {
        let seen = Ticks::parse(&std::fs::read_to_string("/proc/stat").unwrap_or_default()).unwrap_or(before);
        let all = seen.all.saturating_sub(before.all);
        if let Some(share) = (seen.idle.saturating_sub(before.idle) * 10_000).checked_div(all) {
            self.hundredths.store(u32::try_from(share).unwrap_or(10_000).min(10_000), Ordering::Relaxed);
        }
        seen
    }
}

impl Ticks {
    /// The first line of /proc/stat: `cpu user nice system idle iowait ...`.
    fn parse(stat: &str) -> Option<Self> {
        let mut columns = stat.lines().next()?.split_whitespace();
        (columns.next()? == "cpu").then_some(())?;
        let ticks: Vec<u64> = columns.map_while(|column| column.parse().ok()).collect();
        // The two last columns, the guests', are in the first two already.
        let all = ticks.iter().take(8).sum();
        Some(Self { idle: ticks.get(3)? + ticks.get(4).unwrap_or(&0), all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_what_is_not_worked() {
        let ticks = Ticks::parse("cpu  10 0 20 60 10 0 0 0 5 0\ncpu0 1 2 3 4\n").expect("a line");
        assert_eq!((ticks.idle, ticks.all), (70, 100));
        assert!(Ticks::parse("intr 1 2").is_none());
    }

    #[test]
    fn nothing_seen_changes_nothing() {
        let idle = IdleCpu::default();
        assert_eq!(idle.percent(), 100.0);
        idle.look(Ticks::default());
        assert!((0.0..=100.0).contains(&idle.percent()));
    }
}
