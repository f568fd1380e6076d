//! What a client is sent: `command/reply`, `api/response`, events, log lines and notices.

use bytes::Bytes;
use chappe_event::{Event, LogLine, form};

use crate::subscription::Format;

/// The first frame of every connection.
pub const AUTH_REQUEST: &str = "Content-Type: auth/request\n\n";

/// What a connection is told before the server ends it.
pub const GOODBYE: &str = "Disconnected, goodbye.\n";
pub const SHUTDOWN: &str = "The system is being shut down.\n";

/// The answer to a command. `text` is one line.
pub fn reply(text: &str) -> Bytes {
    format!("Content-Type: command/reply\nReply-Text: {text}\n\n").into()
}

/// The answer to `userauth`; `allowed` are header lines.
pub fn user_accepted(allowed: &str) -> Bytes {
    format!("Content-Type: command/reply\nReply-Text: +OK accepted\n{allowed}\n").into()
}

/// The answer to `bgapi`, which says the job's identifier a second time, as a header.
pub fn job_reply(job: &str) -> Bytes {
    format!("Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n").into()
}

/// What an API command said.
pub fn api_response(text: &str) -> Bytes {
    // FreeSWITCH mod_event_socket.c api_exec: there is no response without a body.
    let text = if text.is_empty() { "-ERR no reply\n" } else { text };
    format!("Content-Type: api/response\nContent-Length: {}\n\n{text}", text.len()).into()
}

/// The last frame of a connection.
pub fn disconnect_notice(text: &str) -> Bytes {
    format!("Content-Type: text/disconnect-notice\nContent-Length: {}\n\n{text}", text.len()).into()
}

/// The only frame for an address that is not let in.
pub fn rude_rejection() -> Bytes {
    let text = "Access Denied, go away.\n";
    format!("Content-Type: text/rude-rejection\nContent-Length: {}\n\n{text}", text.len()).into()
}

/// An event in one of the three formats.
pub fn event(event: &Event, format: Format) -> Bytes {
    let mut text = String::new();
    let mut body = Vec::new();
    match format {
        // The body's octets are nobody's to change; the other forms are text.
        Format::Plain => form::plain_octets(event, form::Encode::Percent, &mut body),
        Format::Json => form::json(event, &mut text),
        Format::Xml => form::xml(event, &mut text),
    }
    body.extend_from_slice(text.as_bytes());
    let head = format!("Content-Length: {}\nContent-Type: text/event-{}\n\n", body.len(), format.name());
    [head.as_bytes(), &body].concat().into()
}

/// A line of the log.
pub fn log(line: &LogLine) -> Bytes {
    let mut body = line.formatted();
    if !body.ends_with('\n') {
        body.push('\n');
    }
    // FreeSWITCH's text channels: 0 is the log, 1 the log without time and place.
    let (length, level, channel) = (body.len(), line.level as u8, u8::from(line.clean));
    let user_data = line.user_data.as_deref().unwrap_or_default();
    format!(
        "Content-Type: log/data\nContent-Length: {length}\nLog-Level: {level}\nText-Channel: {channel}\n\
         Log-File: {}\nLog-Func: {}\nLog-Line: {}\nUser-Data: {user_data}\n\n{body}",
        line.file, line.func, line.line,
    )
    .into()
}
