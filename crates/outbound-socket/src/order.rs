//! `sendmsg`: what a program wants done with the message. FreeSWITCH switch_ivr.c switch_ivr_parse_event.

use chappe_event_socket::command::Command;

/// How often one order may have its app run.
const MAX_LOOPS: u32 = 100;

/// FreeSWITCH's cause of an ordinary end.
const NORMAL_CLEARING: &str = "NORMAL_CLEARING";

/// One order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Execute(Execute),
    /// The program is done: the message was dealt with.
    Hangup {
        cause: String,
    },
}

/// An app to run on the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Execute {
    pub(crate) app: String,
    pub(crate) data: Option<String>,
    pub(crate) loops: u32,
    /// What the events about it call it; the program chooses, or we do.
    pub(crate) uuid: Option<String>,
    pub(crate) uuid_name: Option<String>,
}

/// Why an order can't be followed; the text of the reply after `-ERR `.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum OrderError {
    #[error("missing call-command")]
    NoCommand,
    #[error("missing execute-app-name")]
    NoApp,
    #[error("a message knows no call-command {0}")]
    UnknownCommand(String),
}

impl Order {
    pub(crate) fn read(command: &Command) -> Result<Self, OrderError> {
        let header = |name| command.header(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let kind = header("call-command").ok_or(OrderError::NoCommand)?;
        if kind.eq_ignore_ascii_case("hangup") {
            return Ok(Self::hangup(header("hangup-cause")));
        }
        if !kind.eq_ignore_ascii_case("execute") {
            return Err(OrderError::UnknownCommand(kind));
        }
        let app = header("execute-app-name").ok_or(OrderError::NoApp)?;
        let data = header("execute-app-arg").or_else(|| body(command));
        // Programs written for calls say the end as an app, too.
        if app.eq_ignore_ascii_case("hangup") {
            return Ok(Self::hangup(data));
        }
        Ok(Self::Execute(Execute {
            app,
            data,
            loops: header("loops").map_or(1, |loops| times(&loops)),
            uuid: header("event-uuid"),
            uuid_name: header("event-uuid-name"),
        }))
    }

    /// How much memory it takes while it waits, roughly.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Execute(execute) => execute.app.len() + execute.data.as_ref().map_or(0, String::len),
            Self::Hangup { cause } => cause.len(),
        }
    }

    fn hangup(cause: Option<String>) -> Self {
        Self::Hangup { cause: cause.unwrap_or_else(|| NORMAL_CLEARING.to_owned()) }
    }
}

/// The app's data, where it is too long or has too many lines for a header.
fn body(command: &Command) -> Option<String> {
    command.header("content-type").filter(|kind| kind.eq_ignore_ascii_case("text/plain"))?;
    let body = command.body.as_deref().filter(|body| !body.is_empty())?;
    Some(String::from_utf8_lossy(body).into_owned())
}

/// Deviation: FreeSWITCH does not repeat an app that took less than half a second, which is how it keeps a short prompt
/// from being repeated for ever; here the number is bounded instead, and holds. Less than none is as often as may be.
fn times(loops: &str) -> u32 {
    u32::try_from(chappe_event::leading_number(loops)).unwrap_or(MAX_LOOPS).min(MAX_LOOPS)
}

#[cfg(test)]
mod tests {
    use chappe_event_socket::command::{Limits, Parser};

    use super::*;

    fn read(text: &str) -> String {
        let mut parser = Parser::new(Limits::AFTER_AUTH);
        parser.push(format!("sendmsg\n{text}").as_bytes());
        let command = parser.take().expect("readable").expect("whole");
        match Order::read(&command) {
            Ok(Order::Hangup { cause }) => format!("hangup {cause}"),
            Ok(Order::Execute(Execute { app, data, loops, uuid, uuid_name })) => {
                let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
                format!("{app}({}) {loops} {} {}", text(data), text(uuid), text(uuid_name))
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn orders() {
        for (text, expected) in [
            ("call-command: execute\nexecute-app-name: reply\nexecute-app-arg: a b\n\n", "reply(a b) 1 - -"),
            (
                "Call-Command: EXECUTE\nexecute-app-name: info\nloops: 3\nEvent-UUID: u\nevent-uuid-name: n\n\n",
                "info(-) 3 u n",
            ),
            ("call-command: execute\nexecute-app-name: info\nloops: -1\n\n", "info(-) 100 - -"),
            ("call-command: execute\nexecute-app-name: info\nloops: 0\n\n", "info(-) 0 - -"),
            (
                "call-command: execute\nexecute-app-name: reply\ncontent-type: text/plain\ncontent-length: 3\n\na\nb",
                "reply(a\nb) 1 - -",
            ),
            (
                "call-command: execute\nexecute-app-name: reply\ncontent-type: text/html\ncontent-length: 3\n\na\nb",
                "reply(-) 1 - -",
            ),
            ("call-command: hangup\n\n", "hangup NORMAL_CLEARING"),
            ("call-command: hangup\nhangup-cause: USER_BUSY\n\n", "hangup USER_BUSY"),
            ("call-command: execute\nexecute-app-name: hangup\n\n", "hangup NORMAL_CLEARING"),
            ("call-command: execute\n\n", "missing execute-app-name"),
            ("a: b\n\n", "missing call-command"),
            ("call-command: unicast\n\n", "a message knows no call-command unicast"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }
}
