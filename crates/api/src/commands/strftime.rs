//! `strftime`: the time now, or at an epoch, in a format.

use super::Deps;
use crate::calendar::{self, DATE_AND_TIME};
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "strftime", syntax: "[<epoch>|]<format_string>", doc: "strftime", module: "mod_dptools" };

pub(super) fn run(call: &Call<'_>, deps: &Deps) -> Answer {
    let (micros, format) = match call.args.split_once('|') {
        // Deviation: FreeSWITCH drops the character after the bar, whatever it is; its users write a blank there.
        Some((epoch, format)) => (super::epoch_micros(epoch), format.strip_prefix(' ').unwrap_or(format)),
        None => (deps.clock.unix_micros(), call.args),
    };
    let format = if format.is_empty() { DATE_AND_TIME } else { format };
    let time = calendar::at_micros(micros, deps.clock.zone().clone());
    time.map(|time| calendar::format(format, &time)).unwrap_or_default().into()
}
