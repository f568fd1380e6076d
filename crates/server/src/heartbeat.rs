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

/// FreeSWITCH switch_core.c send_heartbeat.
fn fire(server: &Server) {
    if !server.bus.wanted(EventName::Heartbeat, None) {
        return;
    }
    let up = server.started.elapsed();
    let mut event = Event::new(EventName::Heartbeat);
    event.add("Event-Info", if server.is_ready() { "System Ready" } else { "System Not Ready" });
    event.add("Up-Time", uptime_words(up));
    event.add("FreeSWITCH-Version", version::FULL);
    event.add_display("Uptime-msec", up.as_millis());
    for name in
        ["Session-Count", "Max-Sessions", "Session-Per-Sec", "Session-Per-Sec-Last", "Session-Since-Startup"]
    {
        event.add(name, "0");
    }
    event.add_display("Idle-CPU", format_args!("{:.6}", server.ground.idle.percent()));
    server.bus.fire(event);
}
