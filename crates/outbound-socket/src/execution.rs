//! Running apps on the message for a program, and what came of them.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chappe_chat::{Delivery, Hold, Outcome, Router, Sending, Verdict, best_of};
use chappe_event::{Bus, Event};
use parking_lot::Mutex;

use crate::channel::{self, Run};
use crate::order::Execute;

/// Runs of apps that send something, for one message; as in a chatplan.
const MAX_SENT: usize = 100;

/// FreeSWITCH's word for an app that answered nothing.
const NO_RESPONSE: &str = "_none_";

/// What apps did with the message so far, the one that runs included.
#[derive(Default)]
pub(crate) struct Harvest {
    /// How often an app ran that deals with messages.
    dealt: usize,
    sent: Vec<Sending>,
    /// Places among the messages under way, until the program is done with this one.
    held: Vec<Hold>,
}

impl Harvest {
    /// The message was dealt with, for instance by the program itself.
    pub(crate) fn deal(&mut self) {
        self.dealt += 1;
    }

    pub(crate) fn has_dealt(&self) -> bool {
        self.dealt > 0 || !self.sent.is_empty()
    }

    /// What it means for the message.
    pub(crate) fn outcome(&mut self) -> Outcome {
        match best_of(std::mem::take(&mut self.sent)) {
            Some(sending) => Outcome::Sending(sending),
            None if self.dealt > 0 => Outcome::Dealt,
            None => Outcome::Continue,
        }
    }
}

/// What is needed to run an app on a message.
#[derive(Clone)]
pub(crate) struct Execution {
    pub(crate) router: Arc<Router>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) id: Arc<str>,
    pub(crate) harvest: Arc<Mutex<Harvest>>,
}

/// An app's run.
pub(crate) struct Done {
    pub(crate) message: Event,
    /// The text of the reply, for whoever waits for it.
    pub(crate) reply: String,
}

impl Execution {
    /// What the reply to an order is before it was carried out.
    pub(crate) fn expect(&self, order: &Execute) -> String {
        match self.router.app(&order.app) {
            Some(_) => "+OK".to_owned(),
            None => invalid(&order.app),
        }
    }

    /// Runs the app as often as it was asked for, until it fails.
    pub(crate) async fn run(self, order: Execute, mut message: Event) -> Done {
        let uuid = order.uuid.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let run = Run {
            app: &order.app,
            data: order.data.as_deref(),
            uuid: &uuid,
            uuid_name: order.uuid_name.as_deref(),
        };
        let mut reply = "+OK".to_owned();
        for _ in 0..order.loops {
            channel::execute(&self.bus, &message, &self.id, &run, None);
            let ran = self.once(&run, &mut message).await;
            let response = ran.as_ref().err().map_or(NO_RESPONSE, String::as_str);
            channel::execute(&self.bus, &message, &self.id, &run, Some(response));
            if let Err(error) = ran {
                reply = error;
                break;
            }
        }
        Done { message, reply }
    }

    async fn once(&self, run: &Run<'_>, message: &mut Event) -> Result<(), String> {
        let row = self.router.app(run.app).ok_or_else(|| invalid(run.app))?;
        if message.no_chat_exec() {
            return Err("-ERR no further app may run on this message".to_owned());
        }
        if self.harvest.lock().dealt >= MAX_SENT {
            tracing::error!("a program sends too much for one message, the rest is left out");
            return Err("-ERR too much was sent for this message".to_owned());
        }
        tracing::debug!(app = run.app, "a program runs an app on a message");
        let outcome = self.router.execute_app(message, run.app, run.data).await;
        let mut harvest = self.harvest.lock();
        harvest.dealt += usize::from(row.takes);
        match outcome {
            Outcome::Continue | Outcome::Stop => {}
            Outcome::Dealt => harvest.dealt += usize::from(!row.takes),
            Outcome::Sending(sending) => harvest.sent.push(under_way(sending)),
            Outcome::Hold(hold) => harvest.held.push(hold),
            Outcome::Failed(delivery) | Outcome::Refused(delivery) => {
                return Err(format!("-ERR {} failed: {}", run.app, why(&delivery)));
            }
        }
        Ok(())
    }
}

fn why(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Failed(why) => why.clone(),
        other => Verdict::of_delivery(other).reason.into_owned(),
    }
}

fn invalid(app: &str) -> String {
    format!("-ERR invalid application [{app}]")
}

/// Sees to it that a delivery begins before the next app runs, and goes on while the program does something else.
fn under_way(mut sending: Sending) -> Sending {
    match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(delivery) => Box::pin(std::future::ready(delivery)),
        Poll::Pending => {
            let task = tokio::spawn(sending);
            Box::pin(async move {
                let lost = |_| Delivery::Failed("the delivery was given up".to_owned());
                task.await.unwrap_or_else(lost)
            })
        }
    }
}
