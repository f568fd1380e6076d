//! A condition's date and time attributes. FreeSWITCH switch_xml.c `switch_xml_std_datetime_check`.

mod compare;
mod stamp;

use chappe_config::{Diagnostics, Element};
use chappe_event::is_true;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use self::compare::{DayTimes, Numbers, Weekdays};
use self::stamp::Periods;

/// The attributes that make a condition one of date and time.
pub(crate) const ATTRIBUTES: [&str; 14] = [
    "date-time",
    "year",
    "yday",
    "mon",
    "mday",
    "week",
    "mweek",
    "wday",
    "hour",
    "minute",
    "minute-of-day",
    "time-of-day",
    "tz-offset",
    "dst",
];

/// When a condition holds. What an attribute does not say is `None`.
#[derive(Debug, Default)]
pub(crate) struct DateTime {
    /// Hours east of UTC; `Some(None)` for one that is no number, which every zone meets.
    tz_offset: Option<Option<i64>>,
    dst: Option<bool>,
    periods: Option<Periods>,
    year: Option<Numbers>,
    yday: Option<Numbers>,
    mon: Option<Numbers>,
    mday: Option<Numbers>,
    week: Option<Numbers>,
    mweek: Option<Numbers>,
    wday: Option<Weekdays>,
    hour: Option<Numbers>,
    minute: Option<Numbers>,
    minute_of_day: Option<Numbers>,
    time_of_day: Option<DayTimes>,
}

/// The time, and where the message says it is.
pub(crate) struct Moment<'a> {
    pub(crate) now_micros: i64,
    /// The server's zone.
    pub(crate) zone: &'a TimeZone,
    /// The message's own, by its `tod_tz_offset` or `timezone`.
    pub(crate) theirs: Option<TimeZone>,
}

impl DateTime {
    /// The condition's attributes; `None` when it has none of date and time.
    pub(crate) fn read(condition: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        ATTRIBUTES.iter().find(|name| condition.attr(name).is_some())?;
        let mut numbers = |name: &str| {
            let text = condition.attr(name)?;
            let (numbers, clean) = Numbers::read(text);
            if !clean {
                diagnostics
                    .warning(&condition.at, format!("{name}=\"{text}\" is not a list of numbers and ranges"))
                    .instead("numbers and ranges such as 1,3,9-17");
            }
            Some(numbers)
        };
        let mut when = Self {
            year: numbers("year"),
            yday: numbers("yday"),
            mon: numbers("mon"),
            mday: numbers("mday"),
            week: numbers("week"),
            mweek: numbers("mweek"),
            hour: numbers("hour"),
            minute: numbers("minute"),
            minute_of_day: numbers("minute-of-day"),
            ..Self::default()
        };
        when.read_others(condition, diagnostics);
        Some(when)
    }

    fn read_others(&mut self, condition: &Element, diagnostics: &mut Diagnostics) {
        self.tz_offset = condition.attr("tz-offset").map(|text| is_number(text).then(|| whole(text)));
        self.dst = condition.attr("dst").filter(|text| !text.is_empty()).map(is_true);
        self.wday = condition.attr("wday").map(|text| {
            let (days, clean) = Weekdays::read(text);
            if !clean {
                diagnostics
                    .warning(&condition.at, format!("wday=\"{text}\" is not a list of days"))
                    .instead("days and ranges such as mon-fri or 2-6,1");
            }
            days
        });
        self.time_of_day = condition.attr("time-of-day").map(|text| {
            let (times, clean) = DayTimes::read(text);
            if !clean {
                diagnostics
                    .warning(&condition.at, format!("time-of-day=\"{text}\" is not a list of ranges"))
                    .instead("ranges such as 08:00-12:30,14:00-18:00");
            }
            times
        });
        self.periods = condition.attr("date-time").map(|text| {
            let (periods, clean) = Periods::read(text);
            if !clean {
                diagnostics
                    .warning(&condition.at, format!("date-time=\"{text}\" is not a list of periods"))
                    .instead("periods such as 2026-01-01 00:00:00~2026-12-31 23:59:59");
            }
            periods
        });
    }

    /// Whether the moment meets every attribute.
    pub(crate) fn holds(&self, moment: &Moment<'_>) -> bool {
        let Ok(now) = Timestamp::from_microsecond(moment.now_micros) else { return false };
        let zone = moment.theirs.as_ref().unwrap_or(moment.zone);
        let there = now.to_zoned(zone.clone());
        let (date, time) = (there.date(), there.time());
        let (yday, mday) = (i64::from(date.day_of_year()), i64::from(date.day()));
        let wday = i64::from(date.weekday().to_sunday_one_offset());
        let (hour, minute, second) =
            (i64::from(time.hour()), i64::from(time.minute()), i64::from(time.second()));
        let met = |numbers: &Option<Numbers>, value: i64| {
            numbers.as_ref().is_none_or(|numbers| numbers.hold(value))
        };
        let offset = i64::from(there.offset().seconds()) / 3_600;
        self.tz_offset.is_none_or(|wanted| wanted.is_none_or(|wanted| wanted == offset))
            && self.dst.is_none_or(|wanted| wanted && moment.zone.to_offset_info(now).dst().is_dst())
            && self.periods.as_ref().is_none_or(|periods| periods.hold(now, moment.zone))
            && met(&self.year, i64::from(date.year()))
            && met(&self.yday, yday)
            && met(&self.mon, i64::from(date.month()))
            && met(&self.mday, mday)
            && met(&self.week, (yday - 1) / 7 + 1)
            && met(&self.mweek, week_of_month(mday, wday))
            && self.wday.as_ref().is_none_or(|days| days.hold(wday))
            && met(&self.hour, hour)
            && met(&self.minute, minute)
            && met(&self.minute_of_day, hour * 60 + minute + 1)
            && self.time_of_day.as_ref().is_none_or(|times| times.hold(hour * 3_600 + minute * 60 + second))
    }
}

/// The zone a message is in. FreeSWITCH mod_sms.c `check_tz`: a numeric `tod_tz_offset` goes before `timezone`.
pub(crate) fn zone_of(
    offset: Option<&str>,
    name: Option<&str>,
    named: &dyn Fn(&str) -> Option<TimeZone>,
) -> Option<TimeZone> {
    if let Some(offset) = offset.filter(|text| is_number(text)) {
        let seconds = i32::try_from(whole(offset)).ok()?.checked_mul(3_600)?;
        return Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?));
    }
    named(name.filter(|name| !name.is_empty())?)
}

/// The week of the month from 1, weeks starting on Sunday.
fn week_of_month(mday: i64, wday: i64) -> i64 {
    let first = (7 - (mday - wday) % 7) % 7;
    (mday + first + 6) / 7
}

/// FreeSWITCH `switch_is_number`.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The whole number a text starts with, 0 when it starts with none; C's `atoi`.
pub(crate) fn whole(text: &str) -> i64 {
    compare::leading_number(text.as_bytes()).0
}

#[cfg(test)]
mod tests;
