//! `auth PASSWORD`, the only command (with `exit`) before which nothing else counts.

use super::{Output, Session, reply, strip};
use crate::frame;

pub(super) fn handle(session: &mut Session, line: &str, out: &mut Vec<Output>) {
    if let Some(password) = strip(line, "auth ") {
        if same(password.as_bytes(), session.password.as_bytes()) {
            session.authenticated = true;
            out.push(Output::Authenticated);
            reply(out, "+OK accepted");
        } else {
            refuse(out);
        }
    } else if strip(line, "userauth ").is_some() {
        // Deviation: users of the directory have no access of their own to the event socket.
        refuse(out);
    } else {
        reply(out, "-ERR command not found");
    }
}

fn refuse(out: &mut Vec<Output>) {
    out.push(Output::AuthFailed);
    reply(out, "-ERR invalid");
    out.push(Output::Close(frame::disconnect_notice(frame::GOODBYE)));
}

/// Compares in a time that depends on the length of what was given alone, so that how long a refusal takes tells nothing
/// of the password.
fn same(given: &[u8], expected: &[u8]) -> bool {
    let mut difference = u8::from(given.len() != expected.len());
    for (at, octet) in given.iter().enumerate() {
        difference |= octet ^ expected.get(at).copied().unwrap_or_default();
    }
    std::hint::black_box(difference) == 0
}
