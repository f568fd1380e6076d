//! Periods between two points in time, as `date-time` has them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// A list such as `2026-10-10 14:33:22~2026-11-10 17:32:31`. FreeSWITCH switch_utils.c `switch_fulldate_cmp`.
#[derive(Debug, Default)]
pub(crate) struct Periods(Vec<(Stamp, Stamp)>);

/// A point in time, in the server's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    At(DateTime),
    /// At that time of the day it is.
    Today(Time),
}

impl Periods {
    /// Reads up to the first entry with a bad end; whether there was none.
    pub(crate) fn read(text: &str) -> (Self, bool) {
        let mut periods = Vec::new();
        let mut clean = true;
        for entry in text.split(',') {
            let Some((from, to)) = entry.split_once('~') else {
                clean = false;
                continue;
            };
            let (Some(from), Some(to)) = (Stamp::read(from), Stamp::read(to)) else {
                return (Self(periods), false);
            };
            periods.push((from, to));
        }
        (Self(periods), clean)
    }

    pub(crate) fn hold(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.0.iter().any(|(from, to)| {
            from.timestamp(now, zone).is_some_and(|from| from <= now)
                && to.timestamp(now, zone).is_some_and(|to| to > now)
        })
    }
}

impl Stamp {
    /// Reads `2026-10-10 14:33:22`, its time or parts of it left out; `20261010143322`; or a time alone. FreeSWITCH
    /// switch_utils.c `switch_str_time`.
    fn read(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
            && text.matches(':').count() <= 2
            && text.len() < 14
        {
            return Some(Self::Today(time(text)?));
        }
        if text.len() >= 14 && text.bytes().take(14).all(|byte| byte.is_ascii_digit()) {
            let part = |from: usize, to: usize| text.get(from..to);
            let date = date(part(0, 4)?, part(4, 6)?, part(6, 8)?)?;
            let time = Time::new(
                part(8, 10)?.parse().ok()?,
                part(10, 12)?.parse().ok()?,
                part(12, 14)?.parse().ok()?,
                0,
            );
            return Some(Self::At(date.to_datetime(time.ok()?)));
        }
        let (year, rest) = text.split_once('-')?;
        let (month, rest) = rest.split_once('-')?;
        let day_end = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (day, rest) = rest.split_at(day_end);
        Some(Self::At(date(year, month, day)?.to_datetime(time(rest.trim_start())?)))
    }

    fn timestamp(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let civil = match self {
            Self::At(civil) => civil,
            Self::Today(time) => now.to_zoned(zone.clone()).date().to_datetime(time),
        };
        zone.to_timestamp(civil).ok()
    }
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `14:33:22`, where parts may be left out from the end.
fn time(text: &str) -> Option<Time> {
    let mut parts = text.splitn(3, ':').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 { Some(0) } else { part[..digits].parse().ok() }
    });
    let mut next = || parts.next().unwrap_or(Some(0));
    Time::new(next()?, next()?, next()?, 0).ok()
}
