//! `message`: the messages that are kept because they could not be delivered at once.
//!
//! Texts of messages are nobody's business but their recipients': no command shows them.

mod acts;
mod counted;
mod next;
mod page;
mod request;
mod story;
mod times;

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_store::{Micros, Store, StoreError};
use jiff::tz::TimeZone;

use self::request::{Request, Target};
use crate::server::Server;

pub(super) use counted::counted;
pub(super) use page::{Listing, MOST, page};
pub(super) use request::after as words_after;

pub(super) const ROW: Row = Row {
    name: "message",
    syntax: request::SYNTAX,
    doc: "Show, list, retry and cancel messages that are kept",
    module: "mod_commands",
};

/// Where messages are kept, or what is said instead.
pub(super) fn store(server: &Server) -> Result<Arc<dyn Store>, Answer> {
    let store = server.router.queue().store();
    store.ok_or_else(|| format!("-ERR {}\n", why_no_store(server)).into())
}

fn why_no_store(server: &Server) -> &'static str {
    match server.store {
        None => "messages are not kept: store is none in sms.conf",
        Some(_) => "the store is being opened: try again in a moment",
    }
}

/// What every subcommand works with.
struct Desk {
    server: Arc<Server>,
    store: Arc<dyn Store>,
}

impl Desk {
    fn now(&self) -> Micros {
        self.server.ground.clock.unix_micros()
    }

    fn zone(&self) -> TimeZone {
        self.server.ground.clock.zone().clone()
    }
}

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return Answer::usage(&ROW);
    }
    let request = match Request::parse(call.args) {
        Ok(request) => request,
        Err(wrong) => return format!("-ERR {wrong}\n").into(),
    };
    let store = match store(server) {
        Ok(store) => store,
        Err(answer) => return answer,
    };
    let desk = Desk { server: server.clone(), store };
    Answer::Later(Box::pin(async move {
        answer(desk, request).await.unwrap_or_else(|error| format!("-ERR {error}\n"))
    }))
}

async fn answer(desk: Desk, request: Request) -> Result<String, StoreError> {
    match request {
        Request::Show(id) => story::tell(&desk, &id).await,
        Request::List(listing) => Ok(page(&*desk.store, listing, &desk.zone()).await?.text(",")),
        Request::Retry(Target::Message(id)) => acts::retry(&desk, &id).await,
        Request::Retry(Target::Recipient(recipient)) => Ok(acts::retry_all(&desk, &recipient)),
        Request::Cancel(Target::Message(id)) => acts::cancel(&desk, &id).await,
        Request::Cancel(Target::Recipient(recipient)) => acts::cancel_all(&desk, &recipient).await,
        Request::Purge(seconds) => acts::purge(&desk, seconds).await,
        Request::Waiting(recipient) => Ok(desk.server.router.queue().waiting(&recipient).to_string()),
        Request::Status => {
            let counts = desk.store.counts().await;
            Ok(counted::table(&desk.server.store_place, &counts, desk.store.trouble().as_ref()))
        }
    }
}

/// A text that came from outside, without what a terminal would act on or a list would break at.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_spelled_out() {
        assert_eq!(plain("Büro \u{1b}[2J\r\n\u{9b}"), "Büro \\u{1b}[2J\\r\\n\\u{9b}");
    }
}
