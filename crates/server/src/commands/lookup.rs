//! Names of hosts, resolved as the machine does it, without holding up anybody.

use std::net::IpAddr;
use std::time::Duration;

use chappe_api::Answer;

use crate::server::Server;

/// How long a name is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many names may be resolved at once; one more is told that it can't be.
pub const MAX_LOOKUPS: usize = 16;

/// The first address of `host` that is `wanted`, or `nothing`.
pub(super) fn host(
    server: &Server,
    host: &str,
    wanted: fn(&IpAddr) -> bool,
    nothing: &'static str,
) -> Answer {
    let Ok(place) = server.lookups.clone().try_acquire_owned() else { return nothing.into() };
    let host = host.to_owned();
    // The place is kept until the machine answers, also when nobody waits for that any more.
    let looking = server.runtime.spawn(async move {
        let _place = place;
        let mut found = tokio::net::lookup_host((host, 0)).await.ok()?;
        found.find_map(|address| Some(address.ip()).filter(wanted))
    });
    let waiting = server.runtime.spawn(async move { tokio::time::timeout(PATIENCE, looking).await });
    Answer::Later(Box::pin(async move {
        let address = waiting.await.ok().and_then(|in_time| in_time.ok()?.ok()?);
        address.map_or_else(|| nothing.to_owned(), |address| address.to_string())
    }))
}
