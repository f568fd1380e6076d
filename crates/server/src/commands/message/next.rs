//! What happens next with a message, when, and why.

use std::time::Duration;

use chappe_store::{Attempt, Micros, State, StoreError, Summary};
use jiff::tz::TimeZone;

use super::plain;
use super::times::told;

/// What is known beside the message's own story.
pub(super) struct Prospects {
    pub now: Micros,
    pub zone: TimeZone,
    /// Whether there may be a device where the recipient is.
    pub reachable: bool,
    /// How long it is until the recipient is tried again, if nobody registers before.
    pub next_attempt: Option<Duration>,
    /// How long finished messages are remembered.
    pub history: Duration,
    /// Why the store takes nothing.
    pub trouble: Option<StoreError>,
}

impl Prospects {
    pub fn told(&self, at: Micros) -> String {
        told(at, self.now, &self.zone)
    }
}

pub(super) fn next(summary: &Summary, prospects: &Prospects) -> String {
    match summary.state {
        State::Accepted => {
            "the chatplan is at work on it; after a restart it goes through the chatplan again".to_owned()
        }
        State::Waiting => waiting(summary, prospects),
        over => format!("nothing: {}. {}", why_over(summary, over), forgotten(summary, prospects)),
    }
}

fn waiting(summary: &Summary, prospects: &Prospects) -> String {
    let to = plain(&summary.recipient);
    if summary.expires <= prospects.now {
        return "its time is over: it ends as expired in a moment".to_owned();
    }
    if summary.not_before > prospects.now {
        let at = prospects.told(summary.not_before);
        return format!("it is held back until {at}, as was asked for, and delivered then");
    }
    if summary.is_delivered() {
        return format!(
            "a device has it; the other devices of {to} get it when they register, until it expires"
        );
    }
    if !prospects.reachable {
        return format!(
            "it is delivered as soon as a device of {to} registers, and expires otherwise: none is registered now"
        );
    }
    let why = why(summary);
    match prospects.next_attempt {
        Some(pause) => {
            let at = prospects.told(prospects.now.saturating_add(micros(pause)));
            format!("it is tried again at {at}, or as soon as a device of {to} registers: {why}")
        }
        None => format!("it is under way, or is tried as soon as a device of {to} registers: {why}"),
    }
}

fn micros(time: Duration) -> Micros {
    Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX)
}

/// Why it waits.
fn why(summary: &Summary) -> String {
    match summary.attempts.last() {
        None => "others wait before it, or it is just under way".to_owned(),
        Some(attempt) if attempt.code == 0 => "nobody answered the last attempt".to_owned(),
        Some(attempt) => format!("the last attempt was refused for the moment ({})", outcome(attempt)),
    }
}

fn why_over(summary: &Summary, state: State) -> String {
    let last = summary.attempts.iter().rev();
    let taken = last.clone().find(|attempt| (200..300).contains(&attempt.code));
    match (state, taken, last.clone().next()) {
        (State::Delivered, Some(attempt), _) if !attempt.device.is_empty() => {
            format!("{} has it", plain(&attempt.device))
        }
        (State::Delivered, ..) => "a device has it".to_owned(),
        (State::Refused, _, Some(attempt)) => format!("it was refused for good ({})", outcome(attempt)),
        (State::Refused, ..) => "it was refused for good".to_owned(),
        (State::Expired, ..) => "its time was over before a device took it".to_owned(),
        (State::Cancelled, ..) => "an operator took it back".to_owned(),
        _ => "the chatplan has dealt with it, and there was nothing to deliver".to_owned(),
    }
}

fn forgotten(summary: &Summary, prospects: &Prospects) -> String {
    let until = summary.ended.saturating_add(micros(prospects.history));
    format!("It is forgotten after {}", prospects.told(until))
}

/// `486 Busy Here`; a device that did not answer has no code.
pub(super) fn outcome(attempt: &Attempt) -> String {
    let reason = plain(&attempt.reason);
    match attempt.code {
        0 if reason.is_empty() => "No Answer".to_owned(),
        0 => reason,
        code => format!("{code} {reason}"),
    }
}
