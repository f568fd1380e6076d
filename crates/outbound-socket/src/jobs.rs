//! Background jobs of a program that handles a message.

use std::sync::Arc;

use bytes::Bytes;
use chappe_api::Registry;
use chappe_event::{Bus, Calling, EventName, header};
use chappe_event_socket::subscription::JOB_OWNER;

/// FreeSWITCH says where it makes the event.
const CALLING: Calling = Calling { file: "mod_event_socket.c", function: "api_exec", line: 1559 };

/// Runs the command to its end, whatever becomes of the connection, and tells what it said, and whose job it was.
pub(crate) async fn run(bus: Arc<Bus>, registry: Arc<Registry>, job: String, line: String, owner: Arc<str>) {
    let text = registry.execute(&line, None).text().await;
    let (command, args) = line.split_once(' ').unwrap_or((&line, ""));
    let mut event = bus.event(EventName::BackgroundJob, CALLING);
    event.add(header::JOB_UUID, &job);
    event.add(header::JOB_COMMAND, command);
    event.add(header::JOB_COMMAND_ARG, args);
    event.add(JOB_OWNER, &owner);
    event.set_body(Some(Bytes::from(text)));
    bus.fire(event);
}
