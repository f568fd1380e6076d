//! `unset`: a header of the message, no more.

use std::sync::Arc;

use chappe_event::Event;

use super::MODULE;
use crate::{App, AppRow, Outcome, Ran, Router};

pub(super) struct Unset;

const ROW: AppRow = AppRow {
    name: "unset",
    syntax: "<name>",
    doc: "Remove a header of the message.",
    takes: false,
    module: MODULE,
};

impl App for Unset {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, _router: &'a Arc<Router>) -> Ran<'a> {
        if let Some(name) = data {
            message.remove(name);
        }
        Ran::Now(Outcome::Continue)
    }
}
