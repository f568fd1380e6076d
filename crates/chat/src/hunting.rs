//! A message's way through the chatplan: the hunt, then the actions it found.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chappe_chatplan::{Answer, Hunt, Hunted, Plan, Step, World};
use chappe_event::Event;
use jiff::tz::TimeZone;

use crate::asker::Asker;
use crate::execute::{self, Author, Executed};
use crate::limits::MAX_SENT;
use crate::trace::LogTrace;
use crate::{Delivery, Hold, Outcome, Router, Sending, Verdict};

/// What the chatplan did with a message.
#[derive(Default)]
pub(crate) struct Planned {
    /// An extension without `continue` matched, or an app that takes messages ran.
    pub(crate) taken: bool,
    /// Actions ran, inline ones left aside: FreeSWITCH heeds `final_delivery` only then.
    pub(crate) acted: bool,
    /// An app is missing, or the message brought about too much: what the sender is told.
    pub(crate) broken: Option<Verdict>,
    /// What apps sent on and the sender waits for.
    pub(crate) sent: Vec<Sent>,
    /// A limit is reached: the message goes nowhere, and this is what the sender is told.
    pub(crate) refused: Option<Verdict>,
    /// What is let go when the message's way is over.
    pub(crate) held: Vec<Hold>,
    /// How often an app that takes messages ran.
    takes: usize,
    /// An app failed: no other runs.
    failed: bool,
}

/// A delivery that an app began.
pub(crate) enum Sent {
    Over(Delivery),
    UnderWay(Sending),
}

/// Hunts, then runs what was found until an action stops it.
pub(crate) async fn run(
    router: &Arc<Router>,
    plan: &Arc<Plan>,
    message: &mut Event,
    asker: Option<&Asker>,
) -> Planned {
    let mut planned = Planned::default();
    let asked = Asked { router, asker };
    let hunted = hunt(asked, plan, message, &mut planned).await;
    if !hunted.found {
        tracing::debug!("SMS chatplan no actions found");
    }
    planned.taken |= hunted.matched;
    if hunted.cut {
        planned.broken = Some(Verdict::SERVER_ERROR);
    }
    planned.acted = !hunted.actions.is_empty();
    for action in &hunted.actions {
        if planned.run(asked, message, &action.app, action.data.as_deref()).await == Next::Stop {
            break;
        }
    }
    planned
}

async fn hunt(asked: Asked<'_>, plan: &Arc<Plan>, message: &mut Event, planned: &mut Planned) -> Hunted {
    let router = asked.router;
    let mut hunt = Hunt::start(plan);
    let mut answer = Answer::Start;
    loop {
        answer = match step(router, &mut hunt, message, answer) {
            Step::RunInline { app, data } => {
                planned.run(asked, message, &app, data.as_deref()).await;
                Answer::Inline
            }
            Step::Api { command, args } => {
                Answer::Api(Box::pin(execute::api_for(router, message, &command, &args, asked.asker)).await)
            }
            Step::File { path } => Answer::File(router.deps.alt_plans.open(&path).await),
            Step::Done(hunted) => return hunted,
        };
    }
}

fn step(router: &Router, hunt: &mut Hunt, message: &mut Event, answer: Answer) -> Step {
    let clock = &router.deps.clock;
    let world = World {
        globals: router.globals(),
        now_micros: clock.unix_micros(),
        zone: clock.zone(),
        zone_named: &|name| TimeZone::get(name).ok(),
        rules: execute::rules(router),
    };
    hunt.next(message, &world, answer, &mut LogTrace)
}

/// Whose apps run, and for whom.
#[derive(Clone, Copy)]
struct Asked<'r> {
    router: &'r Arc<Router>,
    asker: Option<&'r Asker>,
}

#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

impl Planned {
    async fn run(
        &mut self,
        Asked { router, asker }: Asked<'_>,
        message: &mut Event,
        app: &str,
        data: Option<&str>,
    ) -> Next {
        if self.failed {
            return Next::Stop;
        }
        if self.takes >= MAX_SENT {
            tracing::error!("More than {MAX_SENT} actions that send, the rest is left out");
            self.broken = Some(Verdict::SERVER_ERROR);
            return Next::Stop;
        }
        // Boxed, as a message that no action is for shall not have room for one.
        match Box::pin(execute::app(router, message, app, data, Author::Plan, asker)).await {
            Executed::Unknown => {
                self.broken = Some(Verdict::UNKNOWN_APP);
                Next::Stop
            }
            Executed::Forbidden => Next::Stop,
            Executed::Ran(row, outcome) => {
                self.taken |= row.takes;
                self.takes += usize::from(row.takes);
                self.heed(router, outcome)
            }
        }
    }

    fn heed(&mut self, router: &Router, outcome: Outcome) -> Next {
        match outcome {
            Outcome::Continue => Next::Go,
            Outcome::Stop => Next::Stop,
            Outcome::Dealt => {
                self.taken = true;
                Next::Go
            }
            Outcome::Sending(mut sending) => {
                self.taken = true;
                // Polled at once, so that it is on its way before the next action runs.
                self.sent.push(match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(delivery) => Sent::Over(delivery),
                    Poll::Pending => Sent::UnderWay(sending),
                });
                Next::Go
            }
            Outcome::Hold(hold) => {
                self.held.push(hold);
                Next::Go
            }
            Outcome::Refused(delivery) => {
                self.refused = Some(Verdict::of_delivery(&delivery));
                self.failed = true;
                Next::Stop
            }
            // FreeSWITCH takes no notice.
            Outcome::Failed(_) if router.quirks().deliver_after_match => Next::Go,
            Outcome::Failed(delivery) => {
                self.broken = Some(Verdict::of_delivery(&delivery));
                self.failed = true;
                Next::Stop
            }
        }
    }
}
