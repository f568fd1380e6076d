//! What an app is: a row that describes it and a way to run it on a message.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chappe_event::Event;

use crate::{Delivery, Router};

/// What help, completion and `show chat_app` know of an app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AppRow {
    /// The word that a chatplan's `application` says; looked up without regard to case.
    pub name: &'static str,
    /// Its data; empty when it takes none.
    pub syntax: &'static str,
    /// One line on what it does.
    pub doc: &'static str,
    /// Running it means that the message was dealt with: it is not also delivered point to point.
    pub takes: bool,
    /// The FreeSWITCH module that brings it, `mod_sms` for instance.
    pub module: &'static str,
}

/// One app.
pub trait App: Send + Sync {
    fn row(&self) -> &AppRow;

    /// Whether a run may take long, so that the message is worth taking over meanwhile.
    fn is_slow(&self) -> bool {
        false
    }

    /// Runs the app on `message`; `data` is what the action says, expanded. Must not block: what takes time goes into
    /// [`Ran::Later`].
    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, router: &'a Arc<Router>) -> Ran<'a>;
}

/// An app's run, finished or still going.
pub enum Ran<'a> {
    Now(Outcome),
    Later(Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>),
}

/// What an app's run means for the message.
pub enum Outcome {
    /// The next action runs.
    Continue,
    /// No further action runs.
    Stop,
    /// The next action runs, and the message was dealt with, though the app's [`AppRow::takes`] does not say so.
    Dealt,
    /// The next action runs, the message was dealt with, and the sender is told what becomes of this delivery.
    Sending(Sending),
    /// The app could not do its work: no further action runs, the message goes no further, and this is what the sender
    /// is told. With [`Quirks::deliver_after_match`](crate::Quirks) the message goes on nevertheless.
    Failed(Delivery),
    /// As [`Outcome::Failed`], whatever the quirks are: what a limit refuses goes no further.
    Refused(Delivery),
    /// The next action runs, and this is dropped once the message's way is over.
    Hold(Hold),
}

/// What is let go by being dropped: a place among the messages under way.
pub type Hold = Box<dyn Any + Send>;

/// A delivery under way.
pub type Sending = Pin<Box<dyn Future<Output = Delivery> + Send>>;
