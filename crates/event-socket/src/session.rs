//! One client's side of the protocol, without a socket: commands in, frames and wishes out.

use std::sync::Arc;

use bytes::Bytes;
use chappe_event::{Event, LogLevel};

use crate::account::{Accounts, Permissions};
use crate::command::Command;
use crate::frame;
use crate::subscription::Subscription;

mod auth;
mod events;
mod filters;
mod jobs;
mod logs;
mod sendevent;

/// What a command leads to, to be done in this order. A command that is not done yet holds up those after it, since
/// replies come in the order of the commands.
#[derive(Debug)]
pub enum Output {
    /// Write this frame.
    Reply(Bytes),
    /// Run the API command, then write its text as [`frame::api_response`].
    Api { line: String, console: bool },
    /// Run the API command beside whatever follows, then fire a BACKGROUND_JOB event.
    Job { job: String, line: String },
    /// Fire an event that the client sent.
    Fire(Box<Event>),
    /// The client gave the password.
    Authenticated,
    /// The client gave a wrong one, for that user (`None`: the event socket's own): [`Output::Reply`] and
    /// [`Output::Close`] follow.
    AuthFailed { user: Option<String> },
    /// The client speaks another protocol: [`Output::Close`] follows.
    Stranger,
    /// From here on the client hears what [`Session::subscription`] says.
    Subscribed,
    /// From here on the client is sent log lines up to this level.
    Log(Option<LogLevel>),
    /// Forget the events that wait to be written.
    FlushEvents,
    /// Forget the log lines that wait to be written.
    FlushLogs,
    /// Write this frame, then end the connection.
    Close(Bytes),
}

/// The state of one connection.
pub struct Session {
    password: Arc<str>,
    accounts: Accounts,
    authenticated: bool,
    permissions: Permissions,
    /// Commands that were none, before the client was authenticated.
    unknown: u8,
    pub subscription: Subscription,
    log_level: Option<LogLevel>,
    new_uuid: Box<dyn FnMut() -> String + Send>,
}

type Handler = fn(&mut Session, &Command, &str, &mut Vec<Output>);

/// Commands by how their line starts, whatever its case; the first that fits is meant
/// (FreeSWITCH mod_event_socket.c parse_command).
const COMMANDS: &[(&str, Handler)] = &[
    ("filter ", filters::filter),
    ("myevents ", events::myevents),
    ("divert_events", |_, _, _, out| reply(out, "-ERR not controlling a session.")),
    ("sendmsg", sendevent::sendmsg),
    ("sendevent", sendevent::sendevent),
    ("api ", jobs::api),
    ("bgapi ", jobs::bgapi),
    ("log", logs::log),
    ("linger", |_, _, _, out| reply(out, "-ERR not controlling a session")),
    ("nolinger", |_, _, _, out| reply(out, "-ERR not controlling a session")),
    ("nolog", logs::nolog),
    ("event", events::event),
    ("nixevent", events::nixevent),
    ("noevents", events::noevents),
];

impl Session {
    /// `new_uuid` makes the identifiers of jobs and events.
    pub fn new(password: Arc<str>, new_uuid: Box<dyn FnMut() -> String + Send>) -> Self {
        Self {
            password,
            accounts: Arc::new(|_, _| None),
            authenticated: false,
            permissions: Permissions::ALL,
            unknown: 0,
            subscription: Subscription::default(),
            log_level: None,
            new_uuid,
        }
    }

    /// The users who may use `userauth`; without this nobody may.
    #[must_use]
    pub fn with_accounts(mut self, accounts: Accounts) -> Self {
        self.accounts = accounts;
        self
    }

    /// A client that needs no password: the server has connected to it.
    pub fn trusted(new_uuid: Box<dyn FnMut() -> String + Send>) -> Self {
        Self { authenticated: true, ..Self::new("".into(), new_uuid) }
    }

    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// What the client is greeted with.
    pub fn greeting(&self) -> Bytes {
        Bytes::from_static(frame::AUTH_REQUEST.as_bytes())
    }

    /// Takes one command and appends what it leads to.
    pub fn handle(&mut self, command: &Command, out: &mut Vec<Output>) {
        let line = command.line.as_str();
        if strip(line, "exit").is_some() || strip(line, "...").is_some() {
            reply(out, "+OK bye");
            out.push(Output::Close(frame::disconnect_notice(frame::GOODBYE)));
        } else if !self.authenticated {
            auth::handle(self, line, out);
        } else {
            let known = COMMANDS.iter().find_map(|(start, handler)| Some((handler, strip(line, start)?)));
            match known {
                Some((handler, rest)) => handler(self, command, rest, out),
                None => reply(out, "-ERR command not found"),
            }
        }
    }
}

/// What follows `start`, which is compared without regard to case.
fn strip<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    let found = line.get(..start.len())?;
    found.eq_ignore_ascii_case(start).then(|| &line[start.len()..])
}

fn denied(out: &mut Vec<Output>) {
    reply(out, "-ERR permission denied");
}

fn reply(out: &mut Vec<Output>, text: &str) {
    out.push(Output::Reply(frame::reply(text)));
}
