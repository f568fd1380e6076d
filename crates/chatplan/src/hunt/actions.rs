//! What a condition brings about: its actions when it holds, its anti-actions when it does not.

use std::sync::Arc;

use chappe_event::{Event, header};
use chappe_expression::{Captures, substitute};

use super::judge::addressee;
use super::{Hunt, Stage};
use crate::limits::MAX_ACTIONS;
use crate::plan::PlannedAction;
use crate::trace::say;
use crate::{Action, Plan, Step, Trace};

/// A condition's actions, as far as they are not dealt with.
pub(super) struct Pending {
    captured: Option<Box<Captured>>,
    /// The captures are still to be told to the message.
    untold: bool,
    index: usize,
    rounds: u32,
    /// The data of the action at `index`, once its first round is reached.
    data: Option<Arc<str>>,
}

/// What the expression captured, and of what.
pub(super) struct Captured {
    pub(super) subject: String,
    pub(super) captures: Captures,
}

impl Pending {
    pub(super) fn new(captured: Option<Box<Captured>>) -> Self {
        Self { untold: captured.is_some(), captured, index: 0, rounds: 0, data: None }
    }

    /// The action's data with its references filled in.
    fn data_of(&mut self, action: &PlannedAction) -> Arc<str> {
        let captured = self.captured.as_ref();
        let data = self.data.get_or_insert_with(|| match captured {
            Some(captured) if action.data.contains('$') => captured.fill_in(&action.data),
            _ => action.data.clone(),
        });
        data.clone()
    }

    fn next_action(&mut self) {
        self.index += 1;
        self.rounds = 0;
        self.data = None;
    }
}

impl Captured {
    fn fill_in(&self, data: &str) -> Arc<str> {
        substitute(data, &self.subject, &self.captures).into()
    }

    /// Sets `DP_MATCH`: an array of headers of that name, of which an event with unique headers keeps the last.
    fn tell(&self, message: &mut Event) {
        let first = if message.has_unique_headers() { self.captures.count() - 1 } else { 0 };
        for group in (first..self.captures.count()).filter(|group| self.captures.span(*group).is_some()) {
            let text = String::from_utf8_lossy(self.captures.group(self.subject.as_bytes(), group));
            message.add(header::DP_MATCH, &*text);
        }
    }
}

impl Hunt {
    /// Collects the actions of the condition up to the next inline one, which has to be run first.
    pub(super) fn actions(
        &mut self,
        plan: &Plan,
        mut pending: Pending,
        message: &mut Event,
        trace: &mut dyn Trace,
    ) -> Option<Step> {
        let condition = self.condition(plan);
        let anti = !self.passed;
        let actions = if anti { &condition.anti_actions } else { &condition.actions };
        if std::mem::take(&mut pending.untold)
            && let Some(captured) = &pending.captured
        {
            captured.tell(message);
        }
        while let Some(action) = actions.get(pending.index) {
            self.hunted.found = true;
            self.proceed |= anti;
            if pending.rounds == action.times {
                pending.next_action();
                continue;
            }
            pending.rounds += 1;
            self.spent += 1;
            if self.spent > MAX_ACTIONS {
                say!(trace, Err, "More than {MAX_ACTIONS} actions, the rest of the chatplan is left out");
                self.hunted.cut = true;
                return None;
            }
            let data = pending.data_of(action);
            say_action(action, anti, &data, message, trace);
            let action_data = Some(data).filter(|data| !data.is_empty() && **data != *UNDEFINED);
            if action.inline {
                self.stage = Stage::Actions(pending);
                return Some(Step::RunInline { app: action.app.clone(), data: action_data });
            }
            self.hunted.actions.push(Action { app: action.app.clone(), data: action_data });
        }
        self.stage = Stage::AfterCondition;
        None
    }
}

/// FreeSWITCH's word for no data.
const UNDEFINED: &str = "__undef";

fn say_action(action: &PlannedAction, anti: bool, data: &str, message: &Event, trace: &mut dyn Trace) {
    say!(
        trace,
        clean Debug,
        "Chatplan: {} {} {}({data}) {}",
        addressee(message),
        if anti { "ANTI-Action" } else { "Action" },
        action.app,
        if action.inline { "INLINE" } else { "" }
    );
}
