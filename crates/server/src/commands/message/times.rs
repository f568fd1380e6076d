//! Times as operators read them.

use chappe_store::Micros;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const SECOND: Micros = 1_000_000;

/// `2026-11-26 03:10:24`, as it is where the server stands.
pub(super) fn written(at: Micros, zone: &TimeZone) -> String {
    let at = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-26 03:10:24 (2 hours 5 minutes ago)`.
pub(super) fn told(at: Micros, now: Micros, zone: &TimeZone) -> String {
    format!("{} ({})", written(at, zone), distance(at, now))
}

/// `in 5 minutes`, `2 hours 5 minutes ago`, `now`.
fn distance(at: Micros, now: Micros) -> String {
    let away = at.saturating_sub(now);
    match (away.unsigned_abs() / SECOND.unsigned_abs(), away > 0) {
        (0, _) => "now".to_owned(),
        (seconds, true) => format!("in {}", span(seconds)),
        (seconds, false) => format!("{} ago", span(seconds)),
    }
}

/// The two largest units of a time; what is smaller matters to nobody.
fn span(seconds: u64) -> String {
    let units = [
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let largest = units.iter().position(|(count, _)| *count > 0).unwrap_or(units.len() - 1);
    let named = units[largest..].iter().take(2).enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
    let named =
        named.map(|(_, (count, unit))| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }));
    named.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_are_enough() {
        let cases = [
            (0, "0 seconds"),
            (1, "1 second"),
            (61, "1 minute 1 second"),
            (7_200, "2 hours"),
            (7_201, "2 hours"),
            (86_400 + 3_600 + 59, "1 day 1 hour"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(span(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn before_and_after() {
        assert_eq!(distance(5 * SECOND, 0), "in 5 seconds");
        assert_eq!(distance(0, 90 * SECOND), "1 minute 30 seconds ago");
        assert_eq!(distance(0, SECOND - 1), "now");
        assert_eq!(distance(Micros::MAX, -1), "in 106751991 days 4 hours");
    }

    #[test]
    fn the_zone_counts() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(written(1_795_000_000 * SECOND, &zone), "2026-11-18 12:06:40");
        assert_eq!(told(0, 60 * SECOND, &TimeZone::UTC), "1970-01-01 00:00:00 (1 minute ago)");
    }
}
