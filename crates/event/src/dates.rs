//! The texts of the current second, made once a second.

use std::sync::Arc;

use chappe_current::Current;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Clock;

const MICROS_A_SECOND: i64 = 1_000_000;

/// One second, written in the forms that events carry.
#[derive(Debug)]
pub(crate) struct DateTexts {
    second: i64,
    /// `2026-11-22 22:00:00`, in the clock's zone.
    pub(crate) local: String,
    /// `Sun, 22 Nov 2026 22:00:00 GMT`.
    pub(crate) gmt: String,
}

impl DateTexts {
    fn at(second: i64, zone: TimeZone) -> Self {
        let time = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let gmt = time.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        Self { second, local, gmt }
    }
}

/// Keeps the texts of the second that was asked for last.
#[derive(Default)]
pub(crate) struct Dates(Current<Option<DateTexts>>);

impl Dates {
    /// Hands the texts of the second in which `unix_micros` lies to `use_it`.
    pub(crate) fn with(&self, unix_micros: i64, clock: &dyn Clock, use_it: impl FnOnce(&DateTexts)) {
        let second = unix_micros.div_euclid(MICROS_A_SECOND);
        let kept = self.0.load();
        if let Some(texts) = (**kept).as_ref().filter(|texts| texts.second == second) {
            return use_it(texts);
        }
        let fresh = DateTexts::at(second, clock.zone().clone());
        use_it(&fresh);
        self.0.store(Arc::new(Some(fresh)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    fn texts(clock: &ManualClock, dates: &Dates) -> (String, String) {
        let mut seen = None;
        dates.with(clock.unix_micros(), clock, |texts| seen = Some((texts.local.clone(), texts.gmt.clone())));
        seen.unwrap()
    }

    #[test]
    fn a_second_is_written_in_both_forms() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let clock = ManualClock::in_zone(1_795_384_800_999_999, zone);
        let dates = Dates::default();
        let expected = ("2026-11-23 00:00:00".to_owned(), "Sun, 22 Nov 2026 22:00:00 GMT".to_owned());
        assert_eq!(texts(&clock, &dates), expected);
        clock.advance(1);
        assert_eq!(texts(&clock, &dates).0, "2026-11-23 00:00:01");
    }
}
