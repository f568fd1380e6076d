//! What the one who types asks of a session.

use tokio::sync::{mpsc, oneshot};

use crate::completion::Completion;

/// A request, and where its answer goes.
pub enum Request {
    Line { text: String, to: oneshot::Sender<Answer> },
    Complete { before: String, to: oneshot::Sender<Completion> },
}

/// What came of a line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// Ends with a line feed, unless it is empty or meant for a program.
    pub text: String,
    /// Whether that was the last line.
    pub leave: bool,
}

impl Answer {
    pub fn text(text: String) -> Self {
        Self { text, leave: false }
    }

    pub fn leave() -> Self {
        Self { text: String::new(), leave: true }
    }
}

/// The session, as seen from the thread on which somebody types. Its calls block that thread.
#[derive(Clone)]
pub struct Handle(mpsc::Sender<Request>);

impl Handle {
    /// A handle, and the end that the session listens to. One request waits; who makes more waits, too.
    pub fn new() -> (Self, mpsc::Receiver<Request>) {
        let (sender, requests) = mpsc::channel(1);
        (Self(sender), requests)
    }

    /// Has a line carried out. When the session is over, that was the last one.
    pub fn line(&self, text: &str) -> Answer {
        let (to, answer) = oneshot::channel();
        let sent = self.0.blocking_send(Request::Line { text: text.to_owned(), to });
        match sent.map(|()| answer.blocking_recv()) {
            Ok(Ok(answer)) => answer,
            _ => Answer::leave(),
        }
    }

    /// What may stand before the cursor.
    pub fn complete(&self, before: &str) -> Completion {
        let (to, completion) = oneshot::channel();
        let sent = self.0.blocking_send(Request::Complete { before: before.to_owned(), to });
        sent.ok().and_then(|()| completion.blocking_recv().ok()).unwrap_or_default()
    }

    /// Whether nobody listens any more.
    pub fn is_over(&self) -> bool {
        self.0.is_closed()
    }
}
