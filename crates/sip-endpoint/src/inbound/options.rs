//! OPTIONS: what the profile can do, RFC 3261 §11.2.

use chappe_sip_proto::Response;

use super::refuse::{ALLOW, SUPPORTED, answer, overloaded, with};
use crate::profile::Settings;
use crate::shard::Shard;

/// FreeSWITCH sofia.c sofia_handle_sip_i_options.
pub fn handle(shard: &Shard, settings: &Settings) -> Response {
    if settings.config.options_tell_busy && shard.is_busy() {
        return overloaded(1);
    }
    let response = with(answer(200), "Allow", ALLOW);
    let response = with(response, "Accept", "*/*");
    let response = with(response, "Accept-Encoding", "identity");
    let response = with(response, "Supported", SUPPORTED);
    with(response, "Server", settings.config.user_agent.clone())
}
