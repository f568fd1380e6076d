//! `status`: how the server is.

use std::sync::Arc;
use std::time::Duration;

use chappe_api::{Answer, Call, Row};

use super::message;
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "status", syntax: "", doc: "Show current status", module: "mod_commands" };

/// FreeSWITCH's lines at their places, then what there is of messages.
pub(super) fn run(_: &Call<'_>, server: &Arc<Server>) -> Answer {
    let mut text = as_freeswitch(server);
    let counting = message::counted(server.clone());
    Answer::Later(Box::pin(async move {
        text.push_str(&counting.await);
        text
    }))
}

/// FreeSWITCH mod_commands.c status_function, line by line, since monitoring reads it by them. Sessions are calls: there
/// are none.
fn as_freeswitch(server: &Server) -> String {
    let ready = if server.is_ready() { "ready" } else { "not ready" };
    format!(
        "UP {}\n\
         FreeSWITCH (Version {}) is {ready}\n\
         0 session(s) since startup\n\
         0 session(s) - peak 0, last 5min 0 \n\
         0 session(s) per Sec out of max 0, peak 0, last 5min 0 \n\
         0 session(s) max\n\
         min idle cpu 0.00/{:.2}\n",
        duration(server.started.elapsed()),
        crate::version::FULL,
        server.ground.idle.percent(),
    )
}

/// FreeSWITCH switch_core_measure_time: years of 365 days, every unit named, zero or not.
pub(crate) fn duration(up: Duration) -> String {
    let seconds = up.as_secs();
    let units = [
        (seconds / 31_536_000, "year"),
        (seconds / 86_400 % 365, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
        (u64::from(up.subsec_millis()), "millisecond"),
        (u64::from(up.subsec_micros() % 1_000), "microsecond"),
    ];
    let named = units.map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_named() {
        let up = Duration::from_micros(((366 * 24 + 2) * 3_600 + 61) * 1_000_000 + 5_001);
        assert_eq!(duration(up), "1 year, 1 day, 2 hours, 1 minute, 1 second, 5 milliseconds, 1 microsecond");
    }
}
