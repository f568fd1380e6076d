//! Commands whose replies are outstanding, in the order in which they were given.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::request::Answer;
use crate::completion::Completion;
use crate::show;

/// Who waits for a reply.
pub(super) enum Waiter {
    /// The one who typed the line.
    Line(oneshot::Sender<Answer>),
    /// Somebody who waits no longer, but wants to see it.
    Late,
    Completion {
        to: oneshot::Sender<Completion>,
        before: String,
    },
    /// Nobody, as long as it is no failure.
    Quiet,
    Nobody,
}

pub(super) struct Pending {
    pub(super) to: Waiter,
    deadline: Option<Instant>,
    /// The command, if a new connection has to repeat it.
    pub(super) standing: Option<String>,
}

impl Pending {
    pub(super) fn answer(to: oneshot::Sender<Answer>, deadline: Option<Instant>) -> Self {
        Self { to: Waiter::Line(to), deadline, standing: None }
    }

    pub(super) fn completion(to: oneshot::Sender<Completion>, before: String, deadline: Instant) -> Self {
        Self { to: Waiter::Completion { to, before }, deadline: Some(deadline), standing: None }
    }

    /// A command of the console's own, whose reply is shown.
    pub(super) fn news(line: &str) -> Self {
        Self { to: Waiter::Late, deadline: None, standing: Some(line.to_owned()) }
    }

    /// A command of the console's own, whose reply is shown when it is a failure.
    pub(super) fn quiet() -> Self {
        Self { to: Waiter::Quiet, deadline: None, standing: None }
    }

    pub(super) fn standing(mut self, line: &str) -> Self {
        self.standing = Some(line.to_owned());
        self
    }

    /// When waiting for the reply ends; `None` when nobody minds.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Lets the one who waits go on; the reply's place in the queue stays.
    pub(super) fn release(&mut self, text: &str) {
        self.deadline = None;
        self.to = match std::mem::replace(&mut self.to, Waiter::Nobody) {
            Waiter::Line(to) => {
                // Whoever asked may have left.
                let _ = to.send(Answer::text(text.to_owned()));
                Waiter::Late
            }
            Waiter::Completion { .. } => Waiter::Nobody,
            other => other,
        };
    }

    /// There will be no reply.
    pub(super) fn fail(self, why: &str) {
        if let Waiter::Line(to) = self.to {
            let _ = to.send(Answer::text(show::ended(why)));
        }
    }
}
