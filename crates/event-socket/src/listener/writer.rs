//! The writing half of a connection.

use std::sync::Arc;

use chappe_event::{LogLevel, LogLine};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;

use super::hub::Member;
use super::outbox::Next;
use super::{EventSocketDeps, calling};
use crate::frame;

/// Frames are joined up to this many octets before they are written.
const WRITE_OCTETS: usize = 64 * 1024;

/// Writes what comes into the member's outbox until that is closed or the client is gone.
pub async fn write(mut socket: OwnedWriteHalf, member: Arc<Member>, deps: EventSocketDeps) {
    let mut buffer = Vec::with_capacity(WRITE_OCTETS);
    loop {
        let mut next = Some(member.outbox.next().await);
        let mut closed = false;
        while let Some(ready) = next {
            match ready {
                Next::Reply(frame) => buffer.extend_from_slice(&frame),
                Next::Item(item) => buffer.extend_from_slice(&item.frame()),
                Next::Missed { events, lines } => tell_missed(&mut buffer, &member, &deps, events, lines),
                Next::Closed => closed = true,
            }
            if closed || buffer.len() >= WRITE_OCTETS {
                break;
            }
            next = member.outbox.take();
        }
        if socket.write_all(&buffer).await.is_err() {
            return;
        }
        if closed {
            // It is of no interest whether the client is still there.
            return drop(socket.shutdown().await);
        }
        buffer.clear();
        buffer.shrink_to(WRITE_OCTETS);
    }
}

/// A client that was too slow hears what it missed: in the log frame it subscribed to, or as an event.
fn tell_missed(buffer: &mut Vec<u8>, member: &Member, deps: &EventSocketDeps, events: u64, lines: u64) {
    tracing::warn!(peer = %member.peer, events, lines, "event socket client is too slow and missed some");
    if events > 0 {
        let mut event = deps.bus.custom("event_socket::missed", calling("tell_missed", line!()));
        event.add("Missed-Events", events.to_string());
        buffer.extend_from_slice(&frame::event(&event, member.format()));
    }
    if lines > 0 {
        buffer.extend_from_slice(&frame::log(&LogLine {
            level: LogLevel::Crit,
            file: "mod_event_socket.c".into(),
            func: "socket_logger".into(),
            line: line!(),
            at_micros: deps.clock.unix_micros(),
            text: format!("Lost [{lines}] log lines!"),
            ..LogLine::default()
        }));
    }
}
