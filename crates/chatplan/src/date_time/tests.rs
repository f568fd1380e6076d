use chappe_config::{Attribute, Diagnostics, Element};
use jiff::civil::date;

use super::*;

/// Saturday, 2026-11-21 22:15:30 in Berlin (UTC+1).
fn moment(zone: &TimeZone) -> Moment<'_> {
    let now = date(2026, 11, 21).at(22, 15, 30, 0).to_zoned(zone.clone()).expect("the time exists");
    Moment { now_micros: now.timestamp().as_microsecond(), zone, theirs: None }
}

fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("the zone is right")
}

fn condition(attributes: &[(&str, &str)]) -> Element {
    let attribute = |(name, value): &(&str, &str)| Attribute { name: (*name).into(), value: (*value).into() };
    Element { attributes: attributes.iter().map(attribute).collect(), ..Element::default() }
}

fn check(attributes: &[(&str, &str)], expect: bool) {
    let mut diagnostics = Diagnostics::new();
    let when = DateTime::read(&condition(attributes), &mut diagnostics).expect("there are attributes");
    assert!(diagnostics.is_empty(), "{diagnostics}");
    assert_eq!(when.holds(&moment(&berlin())), expect, "{attributes:?}");
}

#[test]
fn each_attribute_is_met_or_not() {
    check(&[("year", "2026")], true);
    check(&[("year", "2000-2025")], false);
    check(&[("yday", "325")], true);
    check(&[("mon", "9-12")], true);
    check(&[("mon", "12-9")], false);
    check(&[("mday", "1,21")], true);
    check(&[("week", "47")], true);
    check(&[("mweek", "3")], true);
    check(&[("wday", "7")], true);
    check(&[("wday", "fri-sun")], true);
    check(&[("wday", "Mon-Fri")], false);
    check(&[("wday", "2,4,sat")], true);
    check(&[("hour", "22-6")], true);
    check(&[("hour", "8-20")], false);
    check(&[("minute", "15")], true);
    check(&[("minute-of-day", "1336")], true);
    check(&[("time-of-day", "22:00-23:00")], true);
    check(&[("time-of-day", "08:00-12:00,22:15:30-04:00")], true);
    check(&[("time-of-day", "08:00-12:00")], false);
    check(&[("tz-offset", "1")], true);
    check(&[("tz-offset", "2")], false);
    check(&[("dst", "true")], false);
    check(&[("date-time", "2026-11-21 22:15:30~2026-11-21 22:15:31")], true);
    check(&[("date-time", "2026-11-20~2026-11-21")], false);
    check(&[("date-time", "2025-01-01~2025-02-01,20261121000000~20261122000000")], true);
    check(&[("year", "2026"), ("hour", "3")], false);
}

#[test]
fn a_condition_without_them_is_none_of_date_and_time() {
    assert!(DateTime::read(&condition(&[("field", "to")]), &mut Diagnostics::new()).is_none());
}

#[test]
fn what_is_no_list_is_reported() {
    for (name, value) in
        [("hour", "nine"), ("wday", "xyz"), ("time-of-day", "8-9"), ("date-time", "soon"), ("mday", "1;2")]
    {
        let mut diagnostics = Diagnostics::new();
        DateTime::read(&condition(&[(name, value)]), &mut diagnostics);
        assert_eq!(diagnostics.len(), 1, "{name}={value}");
    }
}

#[test]
fn the_message_may_have_a_zone_of_its_own() {
    let named = |name: &str| (name == "Asia/Tokyo").then(|| TimeZone::fixed(jiff::tz::offset(9)));
    let mut diagnostics = Diagnostics::new();
    let morning =
        DateTime::read(&condition(&[("hour", "6")]), &mut diagnostics).expect("there are attributes");
    let cases = [
        (None, Some("Asia/Tokyo"), true),
        (Some("9"), None, true),
        (Some("9"), Some("nowhere"), true),
        (Some("nine"), Some("Asia/Tokyo"), true),
        (None, Some("nowhere"), false),
        (Some("-5"), None, false),
    ];
    let zone = berlin();
    for (offset, name, expect) in cases {
        let moment = Moment { theirs: zone_of(offset, name, &named), ..moment(&zone) };
        assert_eq!(morning.holds(&moment), expect, "{offset:?} {name:?}");
    }
}
