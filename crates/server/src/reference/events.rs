//! Every kind of event.

use std::fmt::Write;

use chappe_event::EventRow;

use super::{MADE, cell, code};

pub fn page() -> String {
    let mut text = format!(
        "{MADE}# Events\n\nWhat `event plain NAME` on the event socket subscribes to, and what scripts and hooks hear; a CUSTOM \
         event by its subclass, `event plain CUSTOM sofia::register`. Every event also has Event-Name, Core-UUID, \
         FreeSWITCH-Hostname, FreeSWITCH-Switchname, FreeSWITCH-IPv4, FreeSWITCH-IPv6, Event-Date-Local, Event-Date-GMT, \
         Event-Date-Timestamp, Event-Calling-File, Event-Calling-Function, Event-Calling-Line-Number and Event-Sequence. An \
         event that nobody listens to is not made.\n\n"
    );
    let (heeded, fired): (Vec<EventRow>, Vec<EventRow>) =
        crate::events::rows().into_iter().partition(|row| row.heeded);
    table(&mut text, "event", "when", "headers", &fired);
    text.push_str("\n## Events that ask for something\n\nWhoever fires one, by `sendevent` or in a script, has it done.\n\n");
    table(&mut text, "event", "what it does", "headers it needs", &heeded);
    text
}

fn table(text: &mut String, name: &str, when: &str, headers: &str, rows: &[EventRow]) {
    // Writing to a String does not fail.
    let _ = write!(text, "| {name} | {when} | {headers} |\n|---|---|---|\n");
    for row in rows {
        let name = match row.subclass {
            Some(subclass) => format!("{} {}", code(row.name.as_str()), code(subclass)),
            None => code(row.name.as_str()),
        };
        let _ = writeln!(text, "| {name} | {} | {} |", cell(row.when), row.headers.join(", "));
    }
}
