//! `sched_api`: has a command run later, once or again and again.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::scheduler::MAX_TASKS;
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "sched_api",
    syntax: "[+@]<time> <group_name> <command_string>[&]",
    doc: "Schedule an api command",
    module: "mod_commands",
};

/// The longest time from now on that is taken for one: a hundred years.
const LONGEST: i64 = 100 * 365 * 86_400;

/// FreeSWITCH mod_commands.c sched_api_function. The `&` that gives a task a thread of its own is taken off: every task
/// runs by itself.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let bad = || format!("-ERR Invalid syntax. USAGE: {}\n", ROW.syntax).into();
    let mut words = call.args.splitn(3, ' ');
    let (Some(time), Some(group), Some(command)) = (words.next(), words.next(), words.next()) else {
        return bad();
    };
    let now = server.scheduler.now();
    let Some((runtime, repeat)) = times(time, now) else { return bad() };
    let command = command.strip_suffix('&').unwrap_or(command);
    match server.scheduler.add(runtime, repeat, group, command) {
        Some(id) => format!("+OK Added: {id}\n").into(),
        None => format!("-ERR {MAX_TASKS} tasks wait already\n").into(),
    }
}

/// When a task runs first, and the seconds until it does again.
///
/// FreeSWITCH switch_scheduler.c: a time before now is the length of an interval. Deviation: one that is negative or
/// no number at all is refused.
fn times(text: &str, now: i64) -> Option<(i64, u32)> {
    let number = |text: &str| text.parse::<i64>().ok().filter(|seconds| *seconds >= 0);
    let interval = |seconds: i64| {
        let repeat = u32::try_from(seconds).ok().filter(|seconds| i64::from(*seconds) <= LONGEST)?;
        Some((now + i64::from(repeat), repeat))
    };
    if let Some(text) = text.strip_prefix('+') {
        return number(text).filter(|seconds| *seconds <= LONGEST).map(|seconds| (now + seconds, 0));
    }
    if let Some(text) = text.strip_prefix('@') {
        return interval(number(text)?);
    }
    match number(text)? {
        interval_length if interval_length < now => interval(interval_length),
        time => Some(time).filter(|time| *time <= now + LONGEST).map(|time| (time, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let now = 1_700_000_000;
        for (text, expected) in [
            ("+10", Some((now + 10, 0))),
            ("+0", Some((now, 0))),
            ("@30", Some((now + 30, 30))),
            ("60", Some((now + 60, 60))),
            ("0", Some((now, 0))),
            ("1700000100", Some((now + 100, 0))),
            ("1700000000", Some((now, 0))),
            ("+x", None),
            ("x", None),
            ("-5", None),
            ("+-5", None),
            ("@99999999999", None),
            ("9999999999999999", None),
            ("", None),
        ] {
            assert_eq!(times(text, now), expected, "{text}");
        }
    }
}
