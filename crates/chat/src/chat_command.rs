//! The API command `chat`. FreeSWITCH mod_dptools.c `chat_api_function`.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use chappe_api::{Answer, Call, Command, Registry, Row};
use chappe_event::{Event, EventName, header};

use crate::{Router, flow, originate};

/// Adds the router's API commands.
pub fn register(router: &Arc<Router>, registry: &Registry) {
    registry.add(Arc::new(Chat { router: Arc::downgrade(router) }));
}

/// Their rows.
pub fn command_rows() -> [Row; 1] {
    [ROW]
}

struct Chat {
    router: Weak<Router>,
}

const ROW: Row = Row {
    name: "chat",
    syntax: "<proto>|<from>|<to>|<message>|[<content-type>]|[chatplan]",
    doc: "Send a message and wait for the outcome: past the chatplan, or with the last word through it.",
    module: "mod_dptools",
};

impl Command for Chat {
    fn row(&self) -> &Row {
        &ROW
    }

    fn run(&self, call: Call<'_>) -> Answer {
        let (Some(message), Some(router)) = (message(call.args), self.router.upgrade()) else {
            return "Invalid".into();
        };
        let mut sending = Box::pin(async move {
            let sent = flow::run(&router, message).await.succeeded;
            if sent { "Sent" } else { "Error! Message Not Sent" }.to_owned()
        });
        match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(text) => Answer::Ready(text),
            Poll::Pending => Answer::Later(sending),
        }
    }
}

/// The message that the words make; `None` when there are too few, or the last one is another.
fn message(args: &str) -> Option<Event> {
    let mut words = args.splitn(6, '|').map(unquoted);
    let [proto, from, to, body] = [words.next()?, words.next()?, words.next()?, words.next()?];
    let kind = words.next().unwrap_or_default();
    let through_the_plan = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("chatplan") => true,
        Some(_) => return None,
    };
    let mut message = Event::new(EventName::Message);
    message.add(header::PROTO, "global");
    message.add(header::FROM, from);
    message.add(header::TO, to);
    if !kind.is_empty() || !through_the_plan {
        message.add(header::TYPE, kind);
    }
    message.add(header::SKIP_GLOBAL_PROCESS, "true");
    message.add(header::BLOCKING, "true");
    message.add(header::DEST_PROTO, proto);
    message.set_body(Some(Bytes::copy_from_slice(body.as_bytes())));
    Some(if through_the_plan { originate::message(&message) } else { message })
}

/// A word without the blanks and the quotes around it.
fn unquoted(word: &str) -> &str {
    let word = word.trim_matches(' ');
    word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')).unwrap_or(word)
}
