//! Lists of numbers, weekdays and times of day, with ranges that may wrap: `22-6` is the night.

/// A list such as `1,3,9-17`. FreeSWITCH switch_utils.c `switch_number_cmp`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(Vec<(i64, i64)>);

impl Numbers {
    /// Reads up to the first thing that belongs to no list; whether that was the end.
    pub(crate) fn read(text: &str) -> (Self, bool) {
        let mut ranges = Vec::new();
        let mut rest = text.as_bytes();
        let mut clean = true;
        loop {
            let (from, used) = leading_number(rest);
            clean &= used > 0;
            rest = &rest[used..];
            let mut to = from;
            if let Some(after) = rest.strip_prefix(b"-") {
                let (number, used) = leading_number(after);
                clean &= used > 0;
                to = number;
                rest = &after[used..];
            }
            ranges.push((from, to));
            match rest.strip_prefix(b",") {
                Some(after) => rest = after,
                None => return (Self(ranges), clean && rest.is_empty()),
            }
        }
    }

    pub(crate) fn hold(&self, value: i64) -> bool {
        self.0.iter().any(|range| within(*range, value))
    }
}

/// A list such as `mon-fri,1`; Sunday is 1. FreeSWITCH switch_utils.c `switch_dow_cmp`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Weekdays(Vec<(i64, i64)>);

impl Weekdays {
    /// Reads up to the first thing that is no day; whether that was the end.
    pub(crate) fn read(text: &str) -> (Self, bool) {
        let mut days = Vec::new();
        let mut rest = text.as_bytes();
        let mut before = None;
        let mut from = None;
        while let Some((&first, after)) = rest.split_first() {
            match first {
                b',' => (before, rest) = (None, after),
                b'-' => {
                    (from, rest) = (before, after);
                    before = None;
                }
                _ => {
                    let Some((day, used)) = leading_day(rest) else { return (Self(days), false) };
                    rest = &rest[used..];
                    days.push((from.take().unwrap_or(day), day));
                    before = Some(day);
                }
            }
        }
        (Self(days), true)
    }

    pub(crate) fn hold(&self, day: i64) -> bool {
        self.0.iter().any(|range| within(*range, day))
    }
}

/// A list such as `08:00-12:30,14:00:30-18:00`, in seconds of the day. FreeSWITCH switch_utils.c `switch_tod_cmp`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DayTimes(Vec<(i64, i64)>);

impl DayTimes {
    /// Reads the ranges; whether every entry was one.
    pub(crate) fn read(text: &str) -> (Self, bool) {
        let ranges: Vec<_> = text.split(',').map(day_range).collect();
        let clean = ranges.iter().all(Option::is_some);
        (Self(ranges.into_iter().flatten().collect()), clean)
    }

    pub(crate) fn hold(&self, second: i64) -> bool {
        self.0.iter().any(|range| within(*range, second))
    }
}

fn day_range(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once('-')?;
    Some((second_of_day(from)?, second_of_day(to)?))
}

fn second_of_day(text: &str) -> Option<i64> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "0"));
    let number = |text: &str| leading_number(text.as_bytes()).0.clamp(-100_000, 100_000);
    Some(number(hour) * 3_600 + number(minute) * 60 + number(second))
}

/// A range whose end is before its start wraps around.
fn within((from, to): (i64, i64), value: i64) -> bool {
    if from <= to { (from..=to).contains(&value) } else { value >= from || value <= to }
}

/// The number a text starts with, and the octets it takes; C's `strtol`.
pub(crate) fn leading_number(text: &[u8]) -> (i64, usize) {
    let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let sign = usize::from(matches!(text.get(blanks), Some(b'-' | b'+')));
    let start = blanks + sign;
    let digits = text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return (0, 0);
    }
    let magnitude = text[start..start + digits].iter().fold(0_i64, |number, digit| {
        number.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(i64::from(i32::MAX))
    });
    (if text.get(blanks) == Some(&b'-') { -magnitude } else { magnitude }, start + digits)
}

fn leading_day(text: &[u8]) -> Option<(i64, usize)> {
    const NAMES: [&[u8]; 7] = [b"sun", b"mon", b"tue", b"wed", b"thu", b"fri", b"sat"];
    match text.first()? {
        digit @ b'1'..=b'7' => Some((i64::from(digit - b'0'), 1)),
        _ => {
            let name = text.get(..3)?;
            let day = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
            i64::try_from(day + 1).ok().map(|day| (day, 3))
        }
    }
}
