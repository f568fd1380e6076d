//! `final`: nothing more happens to the message.

use std::sync::Arc;

use chappe_event::{Event, header};

use super::MODULE;
use crate::{App, AppRow, Outcome, Ran, Router};

pub(super) struct Final;

const ROW: AppRow = AppRow {
    name: "final",
    syntax: "",
    doc: "End the message here: no further app runs, and it is not delivered point to point.",
    takes: true,
    module: MODULE,
};

impl App for Final {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn run<'a>(
        &'a self,
        message: &'a mut Event,
        _data: Option<&'a str>,
        _router: &'a Arc<Router>,
    ) -> Ran<'a> {
        message.add(header::FINAL_DELIVERY, "true");
        message.set_no_chat_exec();
        Ran::Now(Outcome::Stop)
    }
}
