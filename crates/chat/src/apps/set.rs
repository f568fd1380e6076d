//! `set`: a header of the message.

use std::sync::Arc;

use chappe_event::{Event, Name};

use super::MODULE;
use crate::{App, AppRow, Outcome, Ran, Router};

pub(super) struct Set;

const ROW: AppRow = AppRow {
    name: "set",
    syntax: "<name>=[<value>]",
    doc: "Set a header of the message; without a value remove it.",
    takes: false,
    module: MODULE,
};

impl App for Set {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, _router: &'a Arc<Router>) -> Ran<'a> {
        let (name, value) = data.map(|data| data.split_once('=').unwrap_or((data, ""))).unwrap_or_default();
        if !name.is_empty() {
            message.add(Name::copied(name), value);
        }
        Ran::Now(Outcome::Continue)
    }
}
