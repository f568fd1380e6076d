//! `send`: the message as it is now, past the rest of the chatplan.

use std::sync::Arc;

use chappe_event::{Event, header};

use super::MODULE;
use crate::{App, AppRow, Delivery, MessageName, Outcome, Ran, Router, flow};

pub(super) struct Send;

const ROW: AppRow = AppRow {
    name: "send",
    syntax: "[<chat interface>]",
    doc: "Send the message as it is now.",
    takes: true,
    module: MODULE,
};

impl App for Send {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, router: &'a Arc<Router>) -> Ran<'a> {
        message.add(header::SKIP_GLOBAL_PROCESS, "true");
        let mut copy = message.clone();
        let number = message.count_copy();
        // The first copy is the message itself.
        if let Some(id) = message.get(header::MESSAGE_ID).filter(|_| number > 1) {
            copy.add(header::MESSAGE_ID, MessageName::of_copy(id, number));
        }
        if let Some(dest_proto) =
            data.filter(|data| !data.is_empty()).or_else(|| message.get(header::DEST_PROTO))
        {
            copy.add(header::DEST_PROTO, dest_proto);
        }
        let router = router.clone();
        Ran::Now(Outcome::Sending(Box::pin(async move {
            let ended = flow::run(&router, copy).await;
            ended.delivery.unwrap_or(Delivery::Accepted)
        })))
    }
}
