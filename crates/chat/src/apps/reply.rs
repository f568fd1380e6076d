//! `reply`: an answer to the sender.

use std::sync::Arc;

use bytes::Bytes;
use chappe_event::{Event, header};

use super::MODULE;
use crate::{App, AppRow, MessageName, Outcome, Ran, Router, delivery, imdn, router};

pub(super) struct Reply;

const ROW: AppRow = AppRow {
    name: "reply",
    syntax: "[<text>]",
    doc: "Send a text back to the sender.",
    takes: true,
    module: MODULE,
};

impl App for Reply {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, router: &'a Arc<Router>) -> Ran<'a> {
        let number = message.count_copy();
        let Some(proto) = message.get(header::PROTO) else { return Ran::Now(Outcome::Continue) };
        // A device that says of each message that it arrived would say so of the reply, and be replied to, for ever.
        // Deviation, as the next: FreeSWITCH replies.
        let as_freeswitch = router.quirks().reports;
        if !as_freeswitch && imdn::is_notification(message) {
            return Ran::Now(Outcome::Continue);
        }
        // FreeSWITCH switch_ivr.c `switch_ivr_create_message_reply`.
        let mut reply = message.reply();
        if let Some(id) = message.get(header::MESSAGE_ID) {
            reply.add(header::MESSAGE_ID, MessageName::of_copy(id, number));
        }
        reply.add(header::PROTO, router::GLOBAL_SMS);
        if let Some(text) = data.filter(|text| !text.is_empty()) {
            reply.set_body(Some(Bytes::copy_from_slice(text.as_bytes())));
            // Deviation: FreeSWITCH calls the text CPIM too, which nobody can read.
            if !as_freeswitch && imdn::is_cpim(message) {
                reply.set(header::TYPE, "text/plain");
            }
        }
        delivery::detach(router, proto, reply);
        Ran::Now(Outcome::Continue)
    }
}
