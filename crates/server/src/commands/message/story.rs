//! `message show`: the whole story of one message, its text apart.

use std::fmt::Write;

use chappe_event::header;
use chappe_store::{Attempt, MessageId, Record, StoreError};

use super::next::{Prospects, next, outcome};
use super::times::written;
use super::{Desk, acts, plain};

pub(super) async fn tell(desk: &Desk, id: &MessageId) -> Result<String, StoreError> {
    let Some(record) = desk.store.get(id).await? else { return Ok(acts::unknown(id)) };
    Ok(story(&record, &prospects(desk, &record.summary.recipient)))
}

fn story(record: &Record, prospects: &Prospects) -> String {
    let summary = &record.summary;
    let mut text = String::new();
    for (name, value) in facts(record, prospects) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name:<11}{value}");
    }
    for attempt in &summary.attempts {
        let _ = writeln!(text, "  {}", line(attempt, prospects));
    }
    let _ = writeln!(text, "{:<11}{}", "Next", next(summary, prospects));
    if let Some(trouble) = prospects.trouble.as_ref().filter(|_| !summary.state.is_final()) {
        let _ = writeln!(
            text,
            "{:<11}{trouble}: what becomes of it is written down when that is over",
            "Trouble"
        );
    }
    text
}

fn facts(record: &Record, prospects: &Prospects) -> Vec<(&'static str, String)> {
    let summary = &record.summary;
    let mut facts = vec![
        ("Message", plain(summary.id.as_str())),
        ("State", summary.state.as_str().to_owned()),
        ("From", plain(&summary.sender)),
        ("To", plain(&summary.recipient)),
        ("Text", body(record)),
        ("Accepted", prospects.told(summary.accepted)),
    ];
    if summary.not_before > 0 {
        facts.push(("Not before", prospects.told(summary.not_before)));
    }
    facts.push(("Expires", prospects.told(summary.expires)));
    if summary.state.is_final() {
        facts.push(("Ended", prospects.told(summary.ended)));
    }
    facts.push(("Attempts", attempts(summary.tries, summary.attempts.len())));
    facts
}

/// What the message is, not what it says.
fn body(record: &Record) -> String {
    let Some(message) = &record.message else { return "let go when the message ended".to_owned() };
    let kind = message.get(header::TYPE).unwrap_or("text/plain");
    format!("{}, {} bytes, shown to nobody", plain(kind), message.body().map_or(0, |body| body.len()))
}

fn attempts(tries: u32, listed: usize) -> String {
    match usize::try_from(tries) {
        Ok(tries) if tries > listed => format!("{tries}, the last {listed} of them:"),
        _ => tries.to_string(),
    }
}

fn line(attempt: &Attempt, prospects: &Prospects) -> String {
    let device = if attempt.device.is_empty() { "no device".to_owned() } else { plain(&attempt.device) };
    format!("{}  {}  {device}", written(attempt.at, &prospects.zone), outcome(attempt))
}

fn prospects(desk: &Desk, recipient: &str) -> Prospects {
    let queue = desk.server.router.queue();
    Prospects {
        now: desk.now(),
        zone: desk.zone(),
        reachable: queue.may_reach(recipient),
        next_attempt: queue.next_attempt(recipient),
        history: queue.settings().history,
        trouble: desk.store.trouble(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use chappe_event::{Event, EventName};
    use chappe_store::{Micros, State, Summary};
    use expect_test::{Expect, expect};
    use jiff::tz::TimeZone;

    const SECOND: Micros = 1_000_000;
    const ACCEPTED: Micros = 1_795_000_000 * SECOND;

    /// A message that waits for 1001.
    pub fn summary() -> Summary {
        Summary {
            place: 1,
            id: "00112233445566778899aabbccddeeff".into(),
            recipient: "1001@chat.test".into(),
            sender: "1000@chat.test".into(),
            state: State::Waiting,
            accepted: ACCEPTED,
            not_before: 0,
            expires: ACCEPTED + 604_800 * SECOND,
            ended: 0,
            attempts: Vec::new(),
            tries: 0,
        }
    }

    fn prospects() -> Prospects {
        Prospects {
            now: ACCEPTED + 7_500 * SECOND,
            zone: TimeZone::UTC,
            reachable: true,
            next_attempt: Some(Duration::from_secs(25)),
            history: Duration::from_secs(86_400),
            trouble: None,
        }
    }

    fn attempt(after: Micros, code: u16, reason: &str) -> Attempt {
        let device = if code == 0 { "" } else { "sip:1001@192.0.2.7:5060" };
        Attempt { at: ACCEPTED + after * SECOND, device: device.into(), code, reason: reason.into() }
    }

    fn tried(attempts: &[Attempt]) -> Summary {
        let tries = u32::try_from(attempts.len()).expect("a few");
        Summary { attempts: attempts.to_vec(), tries, ..summary() }
    }

    fn ended(state: State, attempts: &[Attempt]) -> Summary {
        Summary { state, ended: ACCEPTED + 3_600 * SECOND, ..tried(attempts) }
    }

    #[test]
    fn a_message_that_waits() {
        let mut message = Event::new(EventName::Message);
        message.add(header::TYPE, "text/plain;charset=UTF-8");
        message.set_body(Some("the secret".into()));
        let attempts = [attempt(0, 486, "Busy Here"), attempt(30, 0, "No Answer")];
        let summary = Summary { tries: 52, ..tried(&attempts) };
        let trouble = Some(StoreError::Full);
        let text = story(&Record { summary, message: Some(message) }, &Prospects { trouble, ..prospects() });
        expect![""].assert_eq(&text);
        assert!(!text.contains("the secret"));
    }

    #[test]
    fn a_message_that_is_over() {
        let summary =
            Summary { not_before: ACCEPTED + SECOND, ..ended(State::Delivered, &[attempt(9, 200, "OK")]) };
        expect![""].assert_eq(&story(&Record { summary, message: None }, &prospects()));
    }

    #[track_caller]
    fn check(summary: &Summary, prospects: &Prospects, expected: Expect) {
        expected.assert_eq(&next(summary, prospects));
    }

    #[test]
    fn why_a_message_waits() {
        let unknown = Prospects { next_attempt: None, ..prospects() };
        let nobody = Prospects { reachable: false, ..prospects() };
        let busy = tried(&[attempt(0, 486, "Busy\u{7}Here")]);
        check(&Summary { state: State::Accepted, ..summary() }, &prospects(), expect![""]);
        check(&summary(), &nobody, expect![""]);
        check(&summary(), &unknown, expect![""]);
        check(&busy, &prospects(), expect![""]);
        check(&tried(&[attempt(0, 0, "No Answer")]), &prospects(), expect![""]);
        check(&tried(&[attempt(0, 200, "OK")]), &prospects(), expect![""]);
        let now = prospects().now;
        check(&Summary { not_before: now + 60 * SECOND, ..summary() }, &prospects(), expect![""]);
        check(&Summary { expires: now, ..busy }, &prospects(), expect![""]);
    }

    #[test]
    fn why_nothing_more_happens() {
        check(&ended(State::Delivered, &[]), &prospects(), expect![""]);
        check(&ended(State::Refused, &[attempt(0, 404, "Not Found")]), &prospects(), expect![""]);
        check(&ended(State::Refused, &[]), &prospects(), expect![""]);
        check(&ended(State::Expired, &[]), &prospects(), expect![""]);
        check(&ended(State::Cancelled, &[]), &prospects(), expect![""]);
        check(&ended(State::Done, &[]), &prospects(), expect![""]);
    }
}
