//! Which messages leave through which gateway.

use std::sync::Arc;

use chappe_event::{Event, header};

use super::Gateway;
use crate::outbound::{push_host, uri_user};
use crate::world::View;

/// Names a gateway to send through; in a message that came in, the gateway that it came from, as FreeSWITCH's `sip_gateway`.
pub const SIP_GATEWAY: &str = "sip_gateway";
/// The gateway that the message came from, whatever the chatplan makes of `sip_gateway`.
pub const FROM_GATEWAY: &str = "from_gateway";

/// A message for a gateway.
pub enum Named {
    /// Through this one, to this URI.
    To { gateway: Arc<Gateway>, uri: String },
    /// There is no gateway of that name.
    Unknown(String),
}

/// `[sofia/]gateway/NAME/USER[@HOST]`.
struct Dialled<'t> {
    name: &'t str,
    user: &'t str,
}

fn dialled(to: &str) -> Option<Dialled<'_>> {
    let strip = |text: &'_ str, word: &str| -> Option<usize> {
        text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).map(|_| word.len())
    };
    let to = &to[strip(to, "sip:").unwrap_or(0)..];
    let to = &to[strip(to, "sofia/").unwrap_or(0)..];
    let rest = &to[strip(to, "gateway/")?..];
    let (name, user) = rest.split_once('/').unwrap_or((rest, ""));
    Some(Dialled { name, user })
}

/// Whether an address names a gateway. That is the chatplan's to say, not a sender's.
pub fn names_gateway(to: &str) -> bool {
    dialled(to).is_some()
}

/// The gateway that the message names: in `to`, or in `sip_gateway`.
pub fn named(view: &View, message: &Event) -> Option<Named> {
    let to = message.get(header::TO)?;
    if let Some(Dialled { name, user }) = dialled(to) {
        let Some(gateway) = find(view, name) else { return Some(Named::Unknown(name.to_owned())) };
        let uri = uri(&gateway, user);
        return Some(Named::To { gateway, uri });
    }
    let name = message.get(SIP_GATEWAY).filter(|name| !name.is_empty())?;
    // Where a message came from is not where it goes, unless it is an answer.
    let came = message.get(FROM_GATEWAY) == Some(name);
    if came && !message.is_true(header::REPLYING) {
        return None;
    }
    let Some(gateway) = find(view, name) else { return Some(Named::Unknown(name.to_owned())) };
    let bare = to.rsplit_once('/').map_or(to, |(_, address)| address);
    let bare = bare.get(4..).filter(|_| bare[..4].eq_ignore_ascii_case("sip:")).unwrap_or(bare);
    let user = bare.split(['@', ';']).next().unwrap_or_default();
    let uri = uri(&gateway, user);
    Some(Named::To { gateway, uri })
}

/// By name, or by `PROFILE::NAME`.
pub fn find(view: &View, name: &str) -> Option<Arc<Gateway>> {
    let (profile, name) = match name.split_once("::") {
        Some((profile, name)) => (Some(profile), name),
        None => (None, name),
    };
    let mut profiles = view.profiles.iter().filter(|known| profile.is_none_or(|name| *known.name == *name));
    profiles.find_map(|profile| profile.gateways.find(name))
}

/// FreeSWITCH mod_sofia.c sofia_outgoing_channel: the user at the proxy, or at the host that is named.
fn uri(gateway: &Gateway, user: &str) -> String {
    let (user, host) = user.split_once('@').unwrap_or((user, ""));
    let mut uri = String::from("sip:");
    uri_user(&gateway.config.destination_prefix, &mut uri);
    uri_user(user, &mut uri);
    uri.push('@');
    match host {
        "" => uri.push_str(&gateway.config.proxy),
        host => push_host(host, &mut uri),
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_name_a_gateway() {
        let cases = [
            ("gateway/carrier/+4912", Some(("carrier", "+4912"))),
            ("sofia/gateway/carrier/1@h", Some(("carrier", "1@h"))),
            ("sip:gateway/carrier/1", Some(("carrier", "1"))),
            ("GATEWAY/carrier", Some(("carrier", ""))),
            ("gateway/internal::carrier/1", Some(("internal::carrier", "1"))),
            ("gateway@h", None),
            ("internal/1009@h", None),
            ("1009", None),
        ];
        for (to, expected) in cases {
            assert_eq!(dialled(to).map(|found| (found.name, found.user)), expected, "{to}");
        }
    }
}
