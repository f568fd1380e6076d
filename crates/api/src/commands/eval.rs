//! `eval`: expands the variables and calls in a text.

use chappe_event::{Event, EventName};

use super::{Deps, expansion};
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "eval", syntax: "[uuid:<uuid> ]<expression>", doc: "eval (noop)", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, deps: &Deps) -> Answer {
    // FreeSWITCH eval_function expands on an event of its own: headers of the message being routed are not seen.
    expansion::expand(
        expansion::without_uuid(call.args),
        Event::new(EventName::ChannelData),
        call.registry,
        deps,
    )
}
