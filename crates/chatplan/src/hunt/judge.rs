//! Whether a condition holds: its time, then its field.

use std::sync::Arc;

use chappe_event::{Event, header};

use super::actions::{Captured, Pending};
use super::{Hunt, View};
use crate::date_time::{Moment, zone_of};
use crate::expression::Compiled;
use crate::plan::{Condition, Source};
use crate::trace::say;
use crate::{Plan, Step, Trace, World};

impl Hunt {
    /// Looks at the date and time attributes, if there are any, and goes on to the field.
    pub(super) fn judge_time(
        &mut self,
        view: &View<'_>,
        expression: &Arc<Compiled>,
        message: &Event,
        trace: &mut dyn Trace,
    ) -> Option<Step> {
        let condition = self.condition(view.plan);
        self.passed = false;
        if let Some(holds) = time_holds(condition, message, view.world) {
            self.passed = holds;
            say!(
                trace,
                clean Debug,
                "Chatplan: {} Date/Time Match ({}) [{}] break={}",
                addressee(message),
                verdict(holds),
                self.extension_name(view.plan),
                condition.break_text
            );
        }
        self.judge_next(view, expression, message, trace)
    }

    /// Looks at the field: `expanded` when it had `${...}` in it, else the header, and goes on to the actions.
    ///
    /// A time that holds makes the actions run even where the field does not match: FreeSWITCH mod_sms.c `parse_exten`.
    pub(super) fn judge_field(
        &mut self,
        plan: &Plan,
        expression: &Compiled,
        expanded: Option<String>,
        message: &Event,
        trace: &mut dyn Trace,
    ) -> Option<Step> {
        let condition = self.condition(plan);
        let mut captured = None;
        if let Some(field) = &condition.field {
            let subject = match field.source {
                Source::Header => message.get(&field.text).unwrap_or_default(),
                Source::Expanded => expanded.as_deref().unwrap_or_default(),
                Source::Text => &field.text,
            };
            let captures = expression.captures(subject).unwrap_or_else(|error| {
                say!(trace, Err, "/{}/ counts as no match, {error}", expression.text);
                None
            });
            self.proceed = captures.is_some();
            self.passed |= self.proceed;
            say!(
                trace,
                clean Debug,
                "Chatplan: {} Regex ({}) [{}] {}({subject}) =~ /{}/ break={}",
                addressee(message),
                verdict(self.proceed),
                self.extension_name(plan),
                field.text,
                expression.text,
                condition.break_text
            );
            if self.passed && expression.groups {
                let subject = match field.source {
                    Source::Expanded => expanded.unwrap_or_default(),
                    _ => subject.to_owned(),
                };
                captured = Some(Box::new(Captured { subject, captures: captures.unwrap_or_default() }));
            }
        } else if condition.when.is_none() {
            say!(
                trace,
                clean Debug,
                "Chatplan: {} Absolute Condition [{}]",
                addressee(message),
                self.extension_name(plan)
            );
            self.passed = true;
        }
        self.stage = super::Stage::Actions(Pending::new(captured));
        None
    }
}

fn time_holds(condition: &Condition, message: &Event, world: &World<'_>) -> Option<bool> {
    let when = condition.when.as_ref()?;
    let theirs = zone_of(message.get("tod_tz_offset"), message.get("timezone"), world.zone_named);
    Some(when.holds(&Moment { now_micros: world.now_micros, zone: world.zone, theirs }))
}

/// The addressee as the lines about conditions and actions name it.
pub(super) fn addressee(message: &Event) -> &str {
    message.get(header::TO).unwrap_or("nobody")
}

fn verdict(passed: bool) -> &'static str {
    if passed { "PASS" } else { "FAIL" }
}
