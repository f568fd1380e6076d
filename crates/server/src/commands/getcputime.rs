//! `getcputime`: how long the processors have worked for this server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "getcputime",
    syntax: "[reset]",
    doc: "Gets CPU time in milliseconds (user,kernel)",
    module: "mod_commands",
};

/// Linux counts in hundredths of a second for whoever asks (proc(5), USER_HZ).
const MILLISECONDS_A_TICK: u64 = 10;

/// What is counted from: the process's figures at the last `reset`.
static SINCE: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

pub(super) fn run(call: &Call<'_>, _: &Arc<Server>) -> Answer {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let Some(spent) = spent(&stat) else { return "-1, -1".into() };
    let passed = [0, 1].map(|at| spent[at].saturating_sub(SINCE[at].load(Ordering::Relaxed)));
    if call.args.starts_with("reset") {
        for (since, spent) in SINCE.iter().zip(spent) {
            since.store(spent, Ordering::Relaxed);
        }
    }
    format!("{}, {}", passed[0], passed[1]).into()
}

/// Milliseconds in the program and in the kernel: the fourteenth and fifteenth field of /proc/self/stat, of which the
/// second is the program's name in brackets.
fn spent(stat: &str) -> Option<[u64; 2]> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok().map(|ticks| ticks * MILLISECONDS_A_TICK);
    Some([next()?, next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells() {
        let stat = "12 (a ) b) S 1 12 12 0 -1 4194304 100 0 0 0 345 67 0 0 20 0 9 0 1 2 3";
        assert_eq!(spent(stat), Some([3450, 670]));
        assert_eq!(spent("12 (a) S 1"), None);
        assert_eq!(spent(""), None);
    }
}
