//! `auth PASSWORD` and `userauth USER@DOMAIN:PASSWORD`, the only commands (with `exit`) before which nothing else counts.

use super::{Output, Session, reply, strip};
use crate::account::{Account, Permissions};
use crate::frame;

/// Commands that are none, after which a client that has not said who it is has nothing to look for here.
const MAX_UNKNOWN: u8 = 10;

pub(super) fn handle(session: &mut Session, line: &str, out: &mut Vec<Output>) {
    if let Some(password) = strip(line, "auth ") {
        if same(password.as_bytes(), session.password.as_bytes()) {
            welcome(session, Permissions::ALL, out);
            reply(out, "+OK accepted");
        } else {
            refuse(None, out);
        }
    } else if let Some(user) = strip(line, "userauth ") {
        user_auth(session, user, out);
    } else if is_of_another_protocol(line) {
        out.push(Output::Stranger);
        out.push(Output::Close(frame::disconnect_notice(frame::GOODBYE)));
    } else {
        reply(out, "-ERR command not found");
        session.unknown += 1;
        if session.unknown >= MAX_UNKNOWN {
            out.push(Output::Close(frame::disconnect_notice(frame::GOODBYE)));
        }
    }
}

/// A page in a browser can make it POST to this port: what follows such a line must not be heeded.
fn is_of_another_protocol(line: &str) -> bool {
    let last = line.trim_end().rsplit(' ').next().unwrap_or_default();
    ["HTTP/", "SIP/", "RTSP/"].iter().any(|protocol| strip(last, protocol).is_some())
}

fn user_auth(session: &mut Session, text: &str, out: &mut Vec<Output>) {
    let (name, domain, password) = parse(text);
    let account = (session.accounts)(name, domain).filter(|_| !name.is_empty() && !domain.is_empty());
    let known = account.filter(|account| {
        // Whether there is such a user takes no other time to tell.
        let expected = account.password.as_deref().unwrap_or_default();
        same(password.as_bytes(), expected.as_bytes()) && !expected.is_empty()
    });
    match known {
        Some(account) => {
            welcome(session, Permissions::of(&account), out);
            out.push(Output::Reply(frame::user_accepted(&allowed(&account))));
        }
        None => refuse(Some(format!("{name}@{domain}")), out),
    }
}

/// `user@domain:password` or `user:password@domain`.
fn parse(text: &str) -> (&str, &str, &str) {
    let (user, rest) = text.split_once('@').unwrap_or((text, ""));
    let (domain, after_domain) = rest.split_once(':').unwrap_or((rest, ""));
    match user.split_once(':') {
        Some((user, password)) => (user, domain, password),
        None => (user, domain, after_domain),
    }
}

/// What such a client is told that it may do.
fn allowed(account: &Account) -> String {
    let or_all = |names: &Option<String>| match names {
        Some(names) => names.replace(['\r', '\n'], " "),
        None => "all".to_owned(),
    };
    format!(
        "Allowed-Events: {}\nAllowed-API: {}\nAllowed-LOG: {}\n",
        or_all(&account.events),
        or_all(&account.api),
        account.log
    )
}

fn welcome(session: &mut Session, permissions: Permissions, out: &mut Vec<Output>) {
    session.authenticated = true;
    session.permissions = permissions;
    out.push(Output::Authenticated);
}

fn refuse(user: Option<String>, out: &mut Vec<Output>) {
    out.push(Output::AuthFailed { user });
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
