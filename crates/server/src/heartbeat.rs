//! The pulse: how idle the machine is, once a second, and the event HEARTBEAT.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_event::{Event, EventName};

use crate::commands::uptime_words;
use crate::idle::Ticks;
use crate::server::Server;
use crate::version;

const LOOK: Duration = Duration::from_secs(1);

/// Beats until the server's runtime ends.
pub async fn beat(server: Arc<Server>) {
    let mut seen = server.ground.idle.look(Ticks::default());
    let mut last = Instant::now();
    let mut seconds = tokio::time::interval(LOOK);
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        seen = server.ground.idle.look(seen);
        if last.elapsed() >= server.configuration().switch.heartbeat {
            last = Instant::now();
            fire(&server);
        }
    }
}

fn fire(server: &Server) {
    if server.bus.wanted(EventName::Heartbeat, None) {
        server.bus.fire(event(server.is_ready(), server.started.elapsed(), server.ground.idle.percent()));
    }
}

/// Sessions are calls: there are none.
const SESSIONS: [&str; 9] = [
    "Session-Count",
    "Max-Sessions",
    "Session-Per-Sec",
    "Session-Per-Sec-Last",
    "Session-Per-Sec-Max",
    "Session-Per-Sec-FiveMin",
    "Session-Since-Startup",
    "Session-Peak-Max",
    "Session-Peak-FiveMin",
];

/// FreeSWITCH switch_core.c send_heartbeat.
fn event(ready: bool, up: Duration, idle: impl Into<f64>) -> Event {
    let mut event = Event::new(EventName::Heartbeat);
    event.add("Event-Info", if ready { "System Ready" } else { "System Not Ready" });
    event.add("Up-Time", uptime_words(up));
    event.add("FreeSWITCH-Version", version::FULL);
    event.add_display("Uptime-msec", up.as_millis());
    for name in SESSIONS {
        event.add(name, "0");
    }
    event.add_display("Idle-CPU", format_args!("{:.6}", idle.into()));
    event
}

#[cfg(test)]
mod tests {
    use chappe_event::form::{Encode, plain};

    use super::*;

    #[test]
    fn the_headers_are_freeswitchs_in_its_order() {
        let event = event(true, Duration::from_millis(1_500), 99.5_f32);
        let mut text = String::new();
        plain(&event, Encode::Percent, &mut text);
        let expected = [
            "Event-Info: System%20Ready",
            "Up-Time: 0%20years",
            "FreeSWITCH-Version: ",
            "Uptime-msec: 1500",
            "Session-Count: 0",
            "Max-Sessions: 0",
            "Session-Per-Sec: 0",
            "Session-Per-Sec-Last: 0",
            "Session-Per-Sec-Max: 0",
            "Session-Per-Sec-FiveMin: 0",
            "Session-Since-Startup: 0",
            "Session-Peak-Max: 0",
            "Session-Peak-FiveMin: 0",
            "Idle-CPU: 99.500000",
        ];
        let lines: Vec<_> = text.lines().skip_while(|line| !line.starts_with("Event-Info")).collect();
        assert!(lines.len() >= expected.len(), "{text}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}, not {expected}");
        }
    }
}
