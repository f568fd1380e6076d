//! When a message is to be delivered, and until when.

use chappe_event::{Event, header};
use chappe_store::Micros;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::clock::micros;
use super::settings::QueueSettings;

const SECOND: Micros = 1_000_000;
/// Numbers from here on are seconds since 1970, lower ones seconds from now.
const EPOCH: i64 = 1_000_000_000;

/// When the message is to be delivered at the earliest: `deliver_at`, else `Deferred-Delivery`. 0: at once.
pub(super) fn not_before(message: &Event, now: Micros) -> Micros {
    let written = message.get(header::DELIVER_AT).or_else(|| message.get(header::DEFERRED_DELIVERY));
    let Some(written) = written else { return 0 };
    match time(written, now) {
        Some(at) if at > now => at,
        Some(_) => 0,
        None => {
            tracing::warn!("A message's time of delivery can't be read, it is delivered at once: {written}");
            0
        }
    }
}

/// When the message runs out: what its sender says, RFC 3428 §9, but not later than the operator allows.
pub(super) fn expires(message: &Event, now: Micros, not_before: Micros, settings: &QueueSettings) -> Micros {
    let latest = now.max(not_before).saturating_add(micros(settings.ttl));
    let Some(seconds) = message.get(header::EXPIRES).and_then(|text| text.trim().parse::<u32>().ok()) else {
        return latest;
    };
    // RFC 3428 §9: the time runs from Date, where there is one. A date to come is no date.
    let written = message.get(header::DATE).and_then(date).filter(|date| *date <= now);
    written.unwrap_or(now).saturating_add(Micros::from(seconds) * SECOND).min(latest)
}

/// Whole seconds that are left, for the next who asks.
pub(super) fn seconds_left(expires: Micros, now: Micros) -> i64 {
    expires.saturating_sub(now).max(0) / SECOND
}

/// As RFC 3261 §20.17 writes it.
pub(super) fn written(at: Micros) -> String {
    let at = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn time(text: &str, now: Micros) -> Option<Micros> {
    let text = text.trim();
    match text.trim_start_matches('+').parse::<i64>() {
        Ok(seconds) if seconds < 0 => None,
        Ok(seconds) if seconds < EPOCH => Some(now.saturating_add(seconds.saturating_mul(SECOND))),
        Ok(seconds) => seconds.checked_mul(SECOND),
        Err(_) => date(text),
    }
}

fn date(text: &str) -> Option<Micros> {
    let text = text.trim();
    let mailed = || rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok();
    text.parse::<Timestamp>().ok().or_else(mailed).map(|at| at.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_event::EventName;

    const NOW: Micros = 1_795_000_000 * SECOND;

    #[test]
    fn times_are_numbers_or_dates() {
        let cases = [
            ("60", Some(NOW + 60 * SECOND)),
            ("+60", Some(NOW + 60 * SECOND)),
            ("1795000100", Some(1_795_000_100 * SECOND)),
            ("Tue, 17 Nov 2026 12:00:00 GMT", Some(1_794_916_800 * SECOND)),
            ("2026-11-17T12:00:00Z", Some(1_794_916_800 * SECOND)),
            ("99999999999999999", None),
            ("-5", None),
            ("tomorrow", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(time(text, NOW), expected, "{text}");
        }
    }

    fn message(headers: &[(&'static str, &str)]) -> Event {
        let mut message = Event::new(EventName::Message);
        headers.iter().for_each(|(name, value)| message.add(*name, value));
        message
    }

    #[test]
    fn the_senders_time_counts_up_to_the_operators() {
        let settings = QueueSettings::default();
        let ttl = micros(settings.ttl);
        let date = written(NOW - 50 * SECOND);
        let cases: [(&[(&str, &str)], Micros); 6] = [
            (&[], NOW + ttl),
            (&[("expires", "60")], NOW + 60 * SECOND),
            (&[("expires", "60"), ("date", &date)], NOW + 10 * SECOND),
            (&[("expires", "60"), ("date", &written(NOW + 500 * SECOND))], NOW + 60 * SECOND),
            (&[("expires", "4294967295")], NOW + ttl),
            (&[("expires", "soon")], NOW + ttl),
        ];
        for (headers, expected) in cases {
            assert_eq!(expires(&message(headers), NOW, 0, &settings), expected, "{headers:?}");
        }
        assert_eq!(expires(&message(&[]), NOW, NOW + SECOND, &settings), NOW + SECOND + ttl);
    }

    #[test]
    fn what_is_past_or_unreadable_is_delivered_at_once() {
        let cases = [("deliver_at", "60", NOW + 60 * SECOND), ("Deferred-Delivery", "1000000001", 0)];
        for (name, value, expected) in cases {
            assert_eq!(not_before(&message(&[(name, value)]), NOW), expected, "{name} {value}");
        }
        assert_eq!(not_before(&message(&[("deliver_at", "noon")]), NOW), 0);
        assert_eq!(not_before(&message(&[]), NOW), 0);
    }
}
