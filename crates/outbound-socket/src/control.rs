//! A program's side of the protocol, without a socket: commands in, steps out. FreeSWITCH mod_event_socket.c
//! parse_command, what it has for connections that handle a call.

use std::sync::Arc;
use std::time::Duration;

use chappe_event::EventName;
use chappe_event_socket::command::Command;
use chappe_event_socket::session::{Output, Session};
use chappe_event_socket::subscription::Format;

use crate::order::Order;
use crate::target::Mode;

/// What a command leads to, in this order.
#[derive(Debug)]
pub(crate) enum Step {
    /// As for any client of the event socket.
    Output(Output),
    /// Answer `command/reply` with this text.
    Reply(String),
    /// Answer with the message's headers.
    Describe,
    /// Answer with one of them.
    Tell(String),
    /// Do this with the message. `wait`: the answer comes when it is done.
    Order { order: Order, wait: bool },
    /// The program leaves.
    Leave,
}

/// How long a program stays when its message is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Linger {
    No,
    /// As long as it may.
    Yes,
    For(Duration),
}

/// The state of one connection.
pub(crate) struct Control {
    pub(crate) session: Session,
    pub(crate) linger: Linger,
    mode: Mode,
    id: Arc<str>,
    /// The message is in the program's hands no longer.
    over: bool,
}

/// The events of a call that have a meaning here, and what becomes of the message.
const MY_EVENTS: [EventName; 6] = [
    EventName::ChannelExecute,
    EventName::ChannelExecuteComplete,
    EventName::ChannelHangup,
    EventName::ChannelHangupComplete,
    EventName::Message,
    EventName::Custom,
];

const DELIVERY_REPORT: &str = "SMS::DELIVERY_REPORT";

impl Control {
    /// `id` is the message's `Unique-ID`.
    pub(crate) fn new(id: Arc<str>, mode: Mode, new_uuid: Box<dyn FnMut() -> String + Send>) -> Self {
        Self { session: Session::trusted(new_uuid), linger: Linger::No, mode, id, over: false }
    }

    /// From here on there is no message to give orders about.
    pub(crate) fn end_message(&mut self) {
        self.over = true;
    }

    /// Takes one command and appends what it leads to.
    pub(crate) fn handle(&mut self, command: &Command, out: &mut Vec<Step>) {
        let line = command.line.as_str();
        let is = |start: &str| strip(line, start);
        if is("exit").is_some() || is("...").is_some() {
            out.extend([reply("+OK bye"), Step::Leave]);
        } else if is("resume").is_some() {
            // The chatplan goes on in any case.
            out.push(reply("+OK"));
        } else if is("connect").is_some() {
            out.push(Step::Describe);
        } else if let Some(rest) = is("getvar") {
            out.push(Step::Tell(rest.trim_start_matches(' ').to_owned()));
        } else if let Some(rest) = is("myevents") {
            self.my_events(rest, out);
        } else if let Some(rest) = is("divert_events") {
            self.divert_events(rest, out);
        } else if let Some(rest) = is("sendmsg") {
            out.push(self.order(command, rest));
        } else if !self.mode.full && is("filter ").is_none() {
            out.push(reply("-ERR command not found"));
        } else if let Some(rest) = is("linger") {
            out.push(self.stay(rest));
        } else if is("nolinger").is_some() {
            self.linger = Linger::No;
            out.push(reply("+OK will not linger"));
        } else {
            let mut outputs = Vec::new();
            self.session.handle(command, &mut outputs);
            out.extend(outputs.into_iter().map(Step::Output));
        }
    }

    /// `myevents [plain|json|xml]`: the events of this message, and no others.
    fn my_events(&mut self, rest: &str, out: &mut Vec<Step>) {
        let subscription = &mut self.session.subscription;
        if subscription.only.is_some() {
            // FreeSWITCH's spelling, which scripts compare.
            return out.push(reply("-ERR aready enabled."));
        }
        MY_EVENTS.into_iter().for_each(|name| subscription.add(name));
        subscription.add_subclass(DELIVERY_REPORT);
        subscription.listen();
        subscription.only = Some(self.id.clone());
        if let Some(format) = rest.split(' ').find_map(Format::parse) {
            subscription.format = format;
        }
        out.extend([Step::Output(Output::Subscribed), reply("+OK Events Enabled")]);
    }

    /// `divert_events on|off`: events that others send to this message (`sendevent` with its `Unique-ID`).
    fn divert_events(&mut self, rest: &str, out: &mut Vec<Step>) {
        let text = match rest.trim_matches(' ') {
            "" => return out.push(reply("-ERR missing value.")),
            on if on.eq_ignore_ascii_case("on") => {
                self.session.subscription.diverted = Some(self.id.clone());
                "+OK events diverted"
            }
            _ => {
                self.session.subscription.diverted = None;
                "+OK events not diverted"
            }
        };
        out.extend([Step::Output(Output::Subscribed), reply(text)]);
    }

    /// `sendmsg [UUID]`
    fn order(&self, command: &Command, rest: &str) -> Step {
        let given = rest.trim_matches(' ');
        let id = if given.is_empty() { command.header("session-id").unwrap_or_default() } else { given };
        if self.over || !(id.is_empty() || id == &*self.id) {
            return reply(&format!("-ERR invalid session id [{id}]"));
        }
        let asynchronous =
            self.mode.asynchronous || command.header("async").is_some_and(chappe_event::is_true);
        match Order::read(command) {
            Ok(order) => Step::Order { order, wait: !asynchronous },
            Err(error) => reply(&format!("-ERR {error}")),
        }
    }

    /// `linger [SECONDS]`
    fn stay(&mut self, rest: &str) -> Step {
        match rest.trim_matches(' ') {
            "" => {
                self.linger = Linger::Yes;
                reply("+OK will linger")
            }
            seconds => {
                let seconds = u64::try_from(chappe_event::leading_number(seconds)).unwrap_or(0);
                self.linger = Linger::For(Duration::from_secs(seconds));
                reply(&format!("+OK will linger {seconds} seconds"))
            }
        }
    }
}

/// What follows `start`, which is compared without regard to case.
fn strip<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    let found = line.get(..start.len())?;
    found.eq_ignore_ascii_case(start).then(|| &line[start.len()..])
}

fn reply(text: &str) -> Step {
    Step::Reply(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNC: Mode = Mode { asynchronous: false, full: false };
    const FULL: Mode = Mode { asynchronous: true, full: true };

    fn control(mode: Mode) -> Control {
        Control::new("id".into(), mode, Box::new(|| "uuid".to_owned()))
    }

    /// What one command line leads to, in words.
    fn say(control: &mut Control, line: &str) -> String {
        let mut steps = Vec::new();
        control.handle(&Command { line: line.to_owned(), ..Command::default() }, &mut steps);
        steps.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    fn word(step: &Step) -> String {
        match step {
            Step::Output(Output::Reply(frame)) => {
                let text = String::from_utf8_lossy(frame).into_owned();
                let text = text.split_once("Reply-Text: ").map_or("", |(_, text)| text);
                text.trim_end().to_owned()
            }
            Step::Output(Output::Subscribed) => "subscribed".to_owned(),
            Step::Output(Output::Api { line, .. }) => format!("api {line}"),
            Step::Output(_) => "output".to_owned(),
            Step::Reply(text) => text.clone(),
            Step::Describe => "describe".to_owned(),
            Step::Tell(name) => format!("tell {name}"),
            Step::Order { order, wait } => format!("{order:?} {wait}"),
            Step::Leave => "leave".to_owned(),
        }
    }

    #[test]
    fn what_every_program_may() {
        for (line, expected) in [
            ("connect", "describe"),
            ("getvar from_user", "tell from_user"),
            ("resume", "+OK"),
            ("myevents", "subscribed, +OK Events Enabled"),
            ("divert_events on", "subscribed, +OK events diverted"),
            ("divert_events off", "subscribed, +OK events not diverted"),
            ("divert_events", "-ERR missing value."),
            ("filter a b", "subscribed, +OK filter added. [a]=[b]"),
            ("sendmsg", "-ERR missing call-command"),
            ("sendmsg id", "-ERR missing call-command"),
            ("sendmsg other", "-ERR invalid session id [other]"),
            ("exit", "+OK bye, leave"),
            ("api status", "-ERR command not found"),
            ("bgapi status", "-ERR command not found"),
            ("event plain ALL", "-ERR command not found"),
            ("sendevent MESSAGE", "-ERR command not found"),
            ("log debug", "-ERR command not found"),
            ("linger", "-ERR command not found"),
            ("auth ClueCon", "-ERR command not found"),
        ] {
            assert_eq!(say(&mut control(SYNC), line), expected, "{line}");
        }
    }

    #[test]
    fn what_full_adds() {
        for (line, expected) in [
            ("api status", "api status"),
            ("event plain ALL", "subscribed, +OK event listener enabled plain"),
            ("linger", "+OK will linger"),
            ("linger 7", "+OK will linger 7 seconds"),
            ("nolinger", "+OK will not linger"),
            ("nonsense", "-ERR command not found"),
        ] {
            assert_eq!(say(&mut control(FULL), line), expected, "{line}");
        }
    }

    #[test]
    fn my_events_are_this_messages() {
        let mut control = control(SYNC);
        assert_eq!(say(&mut control, "myevents json"), "subscribed, +OK Events Enabled");
        assert_eq!(say(&mut control, "myevents"), "-ERR aready enabled.");
        let subscription = &control.session.subscription;
        assert_eq!((subscription.format, subscription.only.as_deref()), (Format::Json, Some("id")));
        assert!(subscription.wants(EventName::ChannelExecuteComplete, None));
        assert!(subscription.wants(EventName::Custom, Some(DELIVERY_REPORT)));
        assert!(!subscription.wants(EventName::Custom, Some("sofia::register")));
    }

    #[test]
    fn who_waits() {
        let mut command = Command { line: "sendmsg".to_owned(), ..Command::default() };
        command.headers = vec![("call-command".to_owned(), "hangup".to_owned())];
        let waits = |mode, command: &Command| {
            let mut steps = Vec::new();
            control(mode).handle(command, &mut steps);
            matches!(steps[..], [Step::Order { wait: true, .. }])
        };
        assert!(waits(SYNC, &command));
        assert!(!waits(FULL, &command));
        command.headers.push(("async".to_owned(), "true".to_owned()));
        assert!(!waits(SYNC, &command));
    }

    #[test]
    fn a_message_that_is_over_takes_no_orders() {
        let mut control = control(FULL);
        control.end_message();
        assert_eq!(say(&mut control, "sendmsg"), "-ERR invalid session id []");
        assert_eq!(say(&mut control, "getvar a"), "tell a");
    }
}
