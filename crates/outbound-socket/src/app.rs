//! The app.

use std::sync::Arc;

use chappe_chat::{App, AppRow, Outcome, Ran, Router};
use chappe_event::Event;

use crate::{MODULE, Outbound, SocketError, Target};

/// `socket` in a chatplan.
pub struct SocketApp(pub Arc<Outbound>);

pub(crate) const SYNTAX: &str = "<host>[:<port>][/<path>][|<host>...] [async] [full]";

pub const APP: AppRow = AppRow {
    name: "socket",
    syntax: SYNTAX,
    doc: "Connect to a program and let it handle the message, over the event socket's protocol; the next action runs \
          when it closes the connection. With `full` it may do all that a client of the event socket may.",
    takes: false,
    module: MODULE,
};

impl App for SocketApp {
    fn row(&self) -> &AppRow {
        &APP
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, router: &'a Arc<Router>) -> Ran<'a> {
        let data = data.unwrap_or_default();
        let started =
            Target::parse(data).and_then(|target| self.0.start(target, message.clone(), router.clone()));
        match started {
            Ok(handled) => Ran::Later(Box::pin(async move {
                let Ok((changed, outcome)) = handled.await else {
                    return failed(data, &SocketError::Lost);
                };
                *message = changed;
                outcome.unwrap_or_else(|error| failed(data, &error))
            })),
            Err(error) => Ran::Now(failed(data, &error)),
        }
    }
}

fn failed(data: &str, error: &SocketError) -> Outcome {
    tracing::error!("failed to have `socket {data}` handle a message: {error}");
    Outcome::Failed(error.delivery())
}
