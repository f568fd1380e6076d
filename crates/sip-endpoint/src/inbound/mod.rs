//! Requests that came in: what each deserves.

mod event;
mod message;
mod options;
mod refuse;
mod register;

use std::time::Instant;

use chappe_sip_msg::{HeaderName, Message, Method};
use chappe_sip_proto::{Peer, Response, ServerId};

use crate::auth;
use crate::profile::Settings;
use crate::shard::Shard;
pub use message::verdict;
pub use refuse::{ALLOW, answer, overloaded, with};

/// A request with a server transaction that waits for its answer.
pub struct Request<'r, 'a> {
    pub message: &'r Message<'a>,
    pub peer: Peer,
    pub server: ServerId,
    pub now: Instant,
}

/// The answer to a request that is not taken. Boxed: those that are taken pay nothing for it.
pub type Refusal = Box<Response>;

/// Answers the request, or starts the flow that will.
pub fn handle(shard: &mut Shard, request: &Request<'_, '_>) {
    let settings = shard.profile.settings().clone();
    let Some(response) = decide(shard, &settings, request) else { return };
    if matches!(response.code, 401 | 407) && !shows_credentials(request.message) {
        shard.challenge(request.now, request.server, response);
    } else {
        shard.respond(request.now, request.server, response);
    }
}

fn shows_credentials(message: &Message<'_>) -> bool {
    [HeaderName::Authorization, HeaderName::ProxyAuthorization]
        .iter()
        .any(|name| message.first(*name).is_some())
}

/// `None`: the answer comes from the flow.
fn decide(shard: &mut Shard, settings: &Settings, request: &Request<'_, '_>) -> Option<Response> {
    if let Err(refusal) = refuse::check(request.message) {
        return Some(*refusal);
    }
    match request.message.method() {
        Method::Message if settings.config.chat => message::handle(shard, settings, request),
        Method::Register => Some(register::handle(shard, settings, request)),
        Method::Options => Some(options::handle(settings)),
        Method::Invite => Some(call(shard, settings, request)),
        method => Some(refuse::method(method)),
    }
}

/// There are no calls; with `auth-calls` that is said to those alone who show who they are.
fn call(shard: &mut Shard, settings: &Settings, request: &Request<'_, '_>) -> Response {
    let world = shard.world.clone();
    match auth::call(shard, settings, &world.view(), request) {
        Ok(()) => refuse::method(request.message.method()),
        Err(refusal) => *refusal,
    }
}
