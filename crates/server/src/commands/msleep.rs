//! `msleep`: answers after a while.

use std::sync::Arc;
use std::time::Duration;

use chappe_api::{Answer, Call, Row};
use chappe_event::leading_number;

use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "msleep", syntax: "<milliseconds>", doc: "Sleep N milliseconds", module: "mod_commands" };

/// The longest sleep; a message whose chatplan asks for more goes on after this.
const LONGEST: Duration = Duration::from_secs(3600);

pub(super) fn run(call: &Call<'_>, _: &Arc<Server>) -> Answer {
    let pause = Duration::from_millis(u64::try_from(leading_number(call.args)).unwrap_or(0)).min(LONGEST);
    Answer::Later(Box::pin(async move {
        tokio::time::sleep(pause).await;
        "+OK".to_owned()
    }))
}
