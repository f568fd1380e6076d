//! The Route of a request that comes in, RFC 3261 §16.4: its first value led here, the others lead on.

use chappe_event::{Event, header};
use chappe_sip_msg::{HeaderName, Message};

use crate::config::Hop;

/// The values of Route that are left, for users of other domains.
pub const SIP_ROUTE: &str = "sip_route";
/// Values that are followed; a longer way is a loop.
const VALUES: usize = 8;

/// What leads on, as the event keeps it; `None`: this is the last stop.
///
/// Deviation: the first value is taken for us whatever name it has. It came here, and a name of ours that only DNS knows is none
/// that we could tell from another's.
pub fn left(message: &Message<'_>) -> Option<String> {
    let values = message.values(HeaderName::Route).skip(1).take(VALUES);
    let text: Vec<_> = values.map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    (!text.is_empty()).then(|| text.join(", "))
}

/// The next hop, and the Route that it is sent: for the user whom the request was for, and no other that the chatplan chose.
pub fn onward(message: &Event, host: &str) -> Option<(Hop, Vec<String>)> {
    let text = message.get(SIP_ROUTE)?;
    let unchanged = message.get(header::TO_HOST).is_some_and(|to| to.eq_ignore_ascii_case(host));
    if !unchanged || message.is_true(header::REPLYING) {
        return None;
    }
    let values: Vec<_> = text.split(", ").map(str::to_owned).collect();
    let first = values.first()?;
    let uri =
        first.split_once('<').map_or(first.as_str(), |(_, rest)| rest.split('>').next().unwrap_or(rest));
    let hop = Hop::parse(uri)?;
    Some((hop, values))
}
