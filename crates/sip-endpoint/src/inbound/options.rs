//! OPTIONS: what the profile can do, RFC 3261 §11.2.

use chappe_sip_proto::Response;

use super::refuse::{ALLOW, SUPPORTED, answer, with};
use crate::profile::Settings;

pub fn handle(settings: &Settings) -> Response {
    let response = with(answer(200), "Allow", ALLOW);
    let response = with(response, "Accept", "*/*");
    let response = with(response, "Accept-Encoding", "identity");
    let response = with(response, "Supported", SUPPORTED);
    with(response, "Server", settings.config.user_agent.clone())
}
