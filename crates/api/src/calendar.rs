//! Dates as FreeSWITCH reads and writes them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned, fmt::strtime};

/// The format when none is asked for.
pub(crate) const DATE_AND_TIME: &str = "%Y-%m-%d %T";

/// The moment so many microseconds after 1970, in `zone`; `None` when it is out of range.
pub(crate) fn at_micros(micros: i64, zone: TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_microsecond(micros).ok()?.to_zoned(zone))
}

/// C's `strftime` in the C locale. What is no conversion stays as it is.
pub(crate) fn format(format: &str, time: &Zoned) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(conversion) = after.chars().next() else {
            text.push('%');
            return text;
        };
        text.push_str(&convert(conversion, time));
        rest = &after[conversion.len_utf8()..];
    }
    text + rest
}

fn convert(conversion: char, time: &Zoned) -> String {
    let equivalent = match conversion {
        'c' => "%a %b %e %H:%M:%S %Y",
        'r' => "%I:%M:%S %p",
        'x' => "%m/%d/%y",
        'X' => "%H:%M:%S",
        other => return strtime::format(format!("%{other}"), time).unwrap_or_else(|_| format!("%{other}")),
    };
    strtime::format(equivalent, time).unwrap_or_default()
}

/// The microseconds since 1970 of a date written `YYYY-MM-DD HH:MM:SS`, `YYYYMMDDHHMMSS` or, for today, `HH:MM:SS`; the
/// time's later parts may be missing (FreeSWITCH switch_str_time). 0 when it is none of these.
pub(crate) fn parse_micros(text: &str, now: &Zoned) -> i64 {
    let parsed = date_and_time(text).or_else(|| compact(text)).or_else(|| time_today(text, now));
    parsed
        .and_then(|civil| civil.to_zoned(now.time_zone().clone()).ok())
        .map_or(0, |zoned| zoned.timestamp().as_microsecond())
}

fn date_and_time(text: &str) -> Option<DateTime> {
    let (year, rest) = number(text)?;
    let (month, rest) = number(rest.strip_prefix('-')?)?;
    let (day, rest) = number(rest.strip_prefix('-')?)?;
    let ([hour, minute, second], _) = time(rest.trim_start());
    civil(year, [month, day, hour, minute, second])
}

fn compact(text: &str) -> Option<DateTime> {
    let digits = text.get(..14).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let part = |from: usize, to: usize| digits[from..to].parse().ok();
    civil(part(0, 4)?, [part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?])
}

fn time_today(text: &str, now: &Zoned) -> Option<DateTime> {
    let ([hour, minute, second], rest) = time(text);
    let date = now.date();
    let today = [date.month().into(), date.day().into(), hour, minute, second];
    if rest.is_empty() { civil(date.year().into(), today) } else { None }
}

/// Up to three numbers with colons between; what is missing is 0.
fn time(text: &str) -> ([i32; 3], &str) {
    let (mut parts, mut rest) = ([0; 3], text);
    for part in &mut parts {
        let Some((value, after)) = number(rest) else { break };
        *part = value;
        rest = after.strip_prefix(':').unwrap_or(after);
    }
    (parts, rest)
}

fn number(text: &str) -> Option<(i32, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn civil(year: i32, parts: [i32; 5]) -> Option<DateTime> {
    let [month, day, hour, minute, second] = parts.map(i8::try_from);
    DateTime::new(year.try_into().ok()?, month.ok()?, day.ok()?, hour.ok()?, minute.ok()?, second.ok()?, 0)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Zoned {
        at_micros(1_767_268_800_123_456, TimeZone::UTC).expect("in range")
    }

    #[test]
    fn formats() {
        for (pattern, expected) in [
            ("%Y-%m-%d %T", "2026-01-01 12:00:00"),
            ("lit", "lit"),
            ("%a %A %b %B %p %j %y %e|%d", "Thu Thursday Jan January PM 001 26  1|01"),
            ("%c", "Thu Jan  1 12:00:00 2026"),
            ("%x %X %r", "01/01/26 12:00:00 12:00:00 PM"),
            ("%s %z %H%M%%", "1767268800 +0000 1200%"),
            ("%! 50%", "%! 50%"),
        ] {
            assert_eq!(format(pattern, &noon()), expected, "{pattern}");
        }
    }

    #[test]
    fn parses() {
        for (text, seconds) in [
            ("2026-01-01 12:00:00", 1_767_268_800),
            ("2026-01-01 12:00", 1_767_268_800),
            ("2026-01-01 12", 1_767_268_800),
            ("2026-01-01", 1_767_225_600),
            ("20260101120000", 1_767_268_800),
            ("11:30:15", 1_767_268_800 - 30 * 60 + 15),
            ("bad", 0),
            ("2026-13-01", 0),
            ("2026-01-01 99:00", 0),
            ("99999999999-1-1", 0),
        ] {
            assert_eq!(parse_micros(text, &noon()) / 1_000_000, seconds, "{text}");
        }
    }

    #[test]
    fn a_date_is_read_in_the_local_zone() {
        let east = noon().with_time_zone(TimeZone::fixed(jiff::tz::offset(2)));
        assert_eq!(parse_micros("2026-01-01 14:00:00", &east), 1_767_268_800_000_000);
    }
}
