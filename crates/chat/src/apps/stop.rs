//! `stop`: no further app runs.

use std::sync::Arc;

use chappe_event::Event;

use super::MODULE;
use crate::{App, AppRow, Outcome, Ran, Router};

pub(super) struct Stop;

const ROW: AppRow = AppRow {
    name: "stop",
    syntax: "",
    doc: "Run no further app on the message.",
    takes: true,
    module: MODULE,
};

impl App for Stop {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn run<'a>(
        &'a self,
        message: &'a mut Event,
        _data: Option<&'a str>,
        _router: &'a Arc<Router>,
    ) -> Ran<'a> {
        message.set_no_chat_exec();
        Ran::Now(Outcome::Stop)
    }
}
