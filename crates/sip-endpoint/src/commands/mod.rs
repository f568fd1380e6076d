//! mod_sofia's API commands.

mod bans;
mod contact;
mod count_reg;
mod dig;
mod gateway;
mod gateway_data;
mod global;
mod profile;
mod sofia;
mod status;
mod status_profile;
mod urls;
mod xmlstatus;

use std::sync::Arc;

use chappe_api::{Answer, Registry, Row};

use crate::Endpoint;

pub fn register(endpoint: &Arc<Endpoint>, registry: &Registry) {
    registry.add(Arc::new(sofia::Sofia(endpoint.clone())));
    registry.add(Arc::new(contact::SofiaContact(endpoint.clone())));
    registry.add(Arc::new(count_reg::SofiaCountReg(endpoint.clone())));
    registry.add(Arc::new(dig::SofiaDig(endpoint.clone())));
    registry.add(Arc::new(bans::SofiaBans(endpoint.clone())));
    registry.add(Arc::new(gateway_data::SofiaGatewayData(endpoint.clone())));
}

/// What help and the reference pages know of them.
pub fn rows() -> [Row; 6] {
    [sofia::ROW, contact::ROW, count_reg::ROW, dig::ROW, gateway_data::ROW, bans::ROW]
}

/// The answer of what takes long, worked out where it holds up neither a shard nor a client.
fn by_another_thread(endpoint: &Endpoint, work: impl FnOnce() -> String + Send + 'static) -> Answer {
    let task = endpoint.world().deps.runtime.spawn_blocking(work);
    Answer::Later(Box::pin(async move { task.await.unwrap_or_else(|_| "-ERR\n".to_owned()) }))
}

/// `[profile/]user[@domain][/prefix]`, as sofia_contact and sofia_count_reg take it.
struct Target<'a> {
    profile: Option<&'a str>,
    user: &'a str,
    domain: Option<&'a str>,
    prefix: &'a str,
}

impl<'a> Target<'a> {
    fn parse(text: &'a str) -> Self {
        let (profile, rest) = match text.split_once('/') {
            Some((profile, rest)) => (Some(profile), rest),
            None => (None, text),
        };
        let (address, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        match address.split_once('@') {
            Some((user, domain)) => Self { profile, user, domain: Some(domain), prefix },
            None => Self { profile, user: address, domain: None, prefix },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn the_parts_of_a_target() {
        let cases = [
            ("internal/1009@chat.test", (Some("internal"), "1009", Some("chat.test"), "")),
            ("*/1009@chat.test/x", (Some("*"), "1009", Some("chat.test"), "x")),
            ("1009@chat.test", (None, "1009", Some("chat.test"), "")),
            ("1009", (None, "1009", None, "")),
        ];
        for (text, expected) in cases {
            let target = Target::parse(text);
            assert_eq!((target.profile, target.user, target.domain, target.prefix), expected, "{text}");
        }
    }
}
