//! A chat interface that names senders and recipients as FreeSWITCH's mod_sofia does, and keeps what it is given.

use std::sync::{Arc, Mutex};

use chappe_chat::{ChatInterface, Delivery, Sent};
use chappe_event::{Event, header};
use serde_json::{Value, json};

/// Who is registered, and at which port.
const DEVICES: [(&str, u16); 3] = [("1004", 7104), ("1009", 7109), ("1010", 7110)];

const DOMAIN: &str = "chat.test";

#[derive(Clone, Default)]
pub struct FakeSip {
    delivered: Arc<Mutex<Vec<Value>>>,
}

impl FakeSip {
    pub fn delivered(&self) -> Vec<Value> {
        self.delivered.lock().expect("nobody panicked").clone()
    }
}

impl ChatInterface for FakeSip {
    fn name(&self) -> &str {
        "sip"
    }

    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a> {
        let Some((user, port)) = device(message) else { return Sent::Now(Delivery::NobodyRegistered) };
        let mut headers: Vec<_> = message
            .headers()
            .filter_map(|(name, value)| Some((name.strip_prefix(header::SIP_HEADER_PREFIX)?, value.as_str())))
            .filter(|(name, _)| ["x-", "p-", "subject"].iter().any(|start| starts_with(name, start)))
            .collect();
        headers.sort_unstable();
        self.delivered.lock().expect("nobody panicked").push(json!({
            "at": user,
            "from": sender(message).replace(";tag=*", ""),
            "to": format!("\"\" <sip:{user}@127.0.0.1:{port}>"),
            "content_type": message.get(header::TYPE).unwrap_or("text/html"),
            "headers": headers,
            "body": message.body_text(),
        }));
        Sent::Now(match message.is_true(header::BLOCKING) {
            true => Delivery::Delivered { code: 200, device: None },
            false => Delivery::Accepted,
        })
    }
}

/// The device a message goes to; none when its profile is unknown, or nobody is registered.
fn device(message: &Event) -> Option<(&'static str, u16)> {
    let to = message.get(header::TO)?;
    message.get(header::FROM)?;
    let (profile, to) = match to.split_once('/') {
        Some((profile, to)) => (Some(profile), to),
        None => (message.get(header::SIP_PROFILE), to),
    };
    let to = to.strip_prefix("sip:").unwrap_or(to);
    let (user, host) = to.split_once('@').unwrap_or((to, DOMAIN));
    if !["internal", DOMAIN].contains(&profile.unwrap_or(host)) {
        return None;
    }
    DEVICES
        .into_iter()
        .find(|(known, port)| *known == user && (host == DOMAIN || host == format!("127.0.0.1:{port}")))
}

fn sender(message: &Event) -> String {
    let proto = message.get(header::PROTO).unwrap_or_default();
    if proto.eq_ignore_ascii_case("sip") {
        let from = message.get(header::FROM_FULL).unwrap_or_default();
        return if from.contains('<') { from.to_owned() } else { format!("<{from}>") };
    }
    let (user, host) = message
        .get(header::FROM)
        .and_then(|from| from.split_once('@'))
        .unwrap_or_else(|| (message.get(header::FROM).unwrap_or_default(), DOMAIN));
    let from_proto = message.get(header::FROM_PROTO);
    let prefix = match from_proto {
        _ if !proto.to_ascii_lowercase().contains("global") => from_proto.or(Some(proto)),
        Some(proto) if proto.eq_ignore_ascii_case("sip") => None,
        other => other,
    };
    let prefix = prefix.map(|prefix| format!("{prefix}+")).unwrap_or_default();
    format!("\"{user}\" <sip:{prefix}{user}@{host}>")
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}
