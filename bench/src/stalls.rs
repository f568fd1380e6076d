//! What the machine does by itself: how long a core is taken from a thread that does nothing but read the clock.
//!
//! A stall of the machine ends up in the latency of whatever was on its way. A reader who knows how many there are, and how
//! long, can tell what of a p99 is the server's.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::machine;
use crate::spread::Spread;

/// How long the clock is read in a round.
const LENGTH: Duration = Duration::from_secs(1);
/// A longer time between two readings is a gap; an interrupt takes less.
const GAP: Duration = Duration::from_micros(100);

/// What was taken of one core in one round.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stalls {
    core: usize,
    /// The part of the time that was in gaps.
    share: f64,
    longest: Duration,
}

/// Reads the clock on all of these cores at once. Nothing else should run meanwhile.
pub fn measure(cores: &[usize]) -> Result<Vec<Stalls>, BenchError> {
    let watched = cores.iter().map(|&core| thread::spawn(move || watch(core)));
    let watched: Vec<_> = watched.collect();
    watched
        .into_iter()
        .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        .collect()
}

fn watch(core: usize) -> Result<Stalls, BenchError> {
    machine::pin(core).map_err(BenchError::system("keep a thread on a core"))?;
    let start = Instant::now();
    let readings = std::iter::repeat_with(|| start.elapsed()).take_while(|time| *time < LENGTH);
    Ok(Stalls::of(core, readings))
}

impl Stalls {
    /// Of the readings of a clock that began at 0 and end at [`LENGTH`].
    fn of(core: usize, readings: impl Iterator<Item = Duration>) -> Self {
        let (mut last, mut sum, mut longest) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        for time in readings {
            let gap = time - last;
            last = time;
            if gap > GAP {
                sum += gap;
                longest = longest.max(gap);
            }
        }
        Self { core, share: sum.div_duration_f64(last.max(GAP)), longest }
    }
}

/// Of all rounds, as Markdown.
pub fn markdown(rounds: &[Stalls]) -> String {
    let mut out = String::from(
        "| what the machine does by itself: a core taken for more than 100 µs at once | share of the time | the longest |\n|---|---|---|\n",
    );
    let mut cores: Vec<usize> = rounds.iter().map(|stalls| stalls.core).collect();
    cores.sort_unstable();
    cores.dedup();
    for core in cores {
        let of_core = || rounds.iter().filter(|stalls| stalls.core == core);
        let share = Spread::of(of_core().map(|stalls| 100.0 * stalls.share)).told(2, " %");
        let longest = Spread::of(of_core().map(|stalls| stalls.longest.as_secs_f64() * 1e3)).told(2, " ms");
        // Writing to a String does not fail.
        let _ = writeln!(out, "| core {core} | {share} | {longest} |");
    }
    out.push_str(REMARK);
    out
}

const REMARK: &str = "\nTaken from a thread that only reads the clock, on both cores at once for a second at the beginning of each round, while \
    nothing else of this program is at work. What lay in a socket meanwhile was late by as much: a p99 of the size of these stalls \
    says more about the machine than about the server.\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_an_interrupt_is_a_gap() {
        let readings = [10, 100, 200, 1200, 1250, 1351, 10_000].map(Duration::from_micros);
        let stalls = Stalls::of(1, readings.into_iter());
        assert_eq!(stalls.longest, Duration::from_micros(8649));
        let taken = (1000.0 + 101.0 + 8649.0) / 10_000.0;
        assert!((stalls.share - taken).abs() < 1e-9, "{}", stalls.share);
        assert_eq!(Stalls::of(1, [].into_iter()), Stalls { core: 1, share: 0.0, longest: Duration::ZERO });
    }

    #[test]
    fn each_core_has_its_line() {
        let stalls = |core, share, millis| Stalls { core, share, longest: Duration::from_millis(millis) };
        let text = markdown(&[stalls(1, 0.1, 3), stalls(0, 0.0, 0), stalls(1, 0.3, 9), stalls(0, 0.0, 0)]);
        assert!(text.contains("| core 0 | 0.00 % | 0.00 ms |\n| core 1 | 20.00 % (10.00 to 30.00) | 6.00 ms (3.00 to 9.00) |"), "{text}");
    }
}
