//! `strftime_tz`: the time now, or at an epoch, in a time zone and a format.

use jiff::tz::TimeZone;

use super::Deps;
use crate::calendar::{self, DATE_AND_TIME};
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "strftime_tz",
    syntax: "<timezone_name> [<epoch>|][format string]",
    doc: "Display formatted time of timezone",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, deps: &Deps) -> Answer {
    let (zone, rest) = call.args.split_once(' ').unwrap_or((call.args, ""));
    let (micros, format) = match rest.split_once('|') {
        Some((epoch, format)) => (super::epoch_micros(epoch), format),
        None => (0, rest),
    };
    let micros = if micros == 0 { deps.clock.unix_micros() } else { micros };
    let format = if format.is_empty() { DATE_AND_TIME } else { format };
    let zone = if zone.is_empty() { Ok(TimeZone::UTC) } else { TimeZone::get(zone) };
    let time = zone.ok().and_then(|zone| calendar::at_micros(micros, zone));
    match time.map(|time| calendar::format(format, &time)) {
        Some(text) => text.into(),
        None => "-ERR Invalid timezone/format\n".into(),
    }
}
