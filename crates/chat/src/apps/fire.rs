//! `fire`: the message as an event.

use std::sync::Arc;

use chappe_event::Event;

use super::MODULE;
use crate::{App, AppRow, Outcome, Ran, Router};

pub(super) struct Fire;

const ROW: AppRow = AppRow {
    name: "fire",
    syntax: "",
    doc: "Fire the message as it is now as an event, for whoever listens.",
    takes: true,
    module: MODULE,
};

impl App for Fire {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn run<'a>(&'a self, message: &'a mut Event, _data: Option<&'a str>, router: &'a Arc<Router>) -> Ran<'a> {
        if router.bus().wanted(message.name(), message.subclass()) {
            router.bus().fire(message.clone());
        }
        Ran::Now(Outcome::Continue)
    }
}
