//! A message as it leaves through a gateway: From is the gateway's, the sender stands where the gateway looks for it.

use chappe_event::{Event, Name, header};

use super::Gateway;
use crate::config::CallerId;
use crate::outbound::{push_host, uri_user};
use crate::profile::Settings;

/// A copy with the From that the gateway knows us by, and the headers that its variables ask for.
pub fn dressed(gateway: &Gateway, message: &Event, settings: &Settings) -> Event {
    let mut event = message.clone();
    let config = &gateway.config;
    let sender = sender(message, settings);
    let host = config.from_domain.as_deref().unwrap_or(&config.proxy);
    let from = match config.caller_id_in_from {
        true => format!("<sip:{}@{host}>", sender.split('@').next().unwrap_or_default()),
        false => gateway.words.from.clone(),
    };
    event.set(header::PROTO, "sip");
    event.set(header::FROM_FULL, from);
    let identity = format!("<sip:{sender}>");
    match config.caller_id {
        CallerId::None => {}
        CallerId::Rpid => {
            event.set("sip_h_Remote-Party-ID", format!("{identity};party=calling;screen=yes;privacy=off"));
        }
        CallerId::Pid => event.set("sip_h_P-Asserted-Identity", identity),
    }
    for variable in config.variables.iter().filter(|variable| variable.outbound) {
        let wanted = variable.name.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sip_h_"));
        if wanted {
            event.set(Name::copied(&variable.name), variable.value.as_str());
        }
    }
    event
}

/// `user@host` of the one who sent the message.
fn sender(message: &Event, settings: &Settings) -> String {
    let from = message.get(header::FROM).unwrap_or_default();
    let (user, host) = from.split_once('@').unwrap_or((from, ""));
    let mut text = String::new();
    uri_user(user, &mut text);
    let host = if host.is_empty() { &settings.domain } else { host };
    text.push('@');
    push_host(host, &mut text);
    text
}
