//! Requests that came in: what each deserves.

mod encoding;
mod event;
pub mod identity;
mod message;
mod options;
mod preloaded;
mod question;
mod refuse;
mod register;
mod registrant;

use std::time::Instant;

use chappe_config::Section;
use chappe_directory::{Directory, User};
use chappe_sip_msg::{HeaderName, Message, Method};
use chappe_sip_proto::{Peer, Response, ServerId};

use crate::auth;
use crate::guard;
use crate::profile::Settings;
use crate::shard::Shard;
use crate::world::View;
pub use message::verdict;
pub use preloaded::onward;
pub use question::{Wanted, question};
pub use refuse::{ALLOW, answer, malformed, overloaded, with};
pub use register::{came, registered_as};

/// A request with a server transaction that waits for its answer.
pub struct Request<'r, 'a> {
    pub message: &'r Message<'a>,
    pub peer: Peer,
    pub server: ServerId,
    pub now: Instant,
    pub asked: Asked<'r>,
}

/// Whether those who answer for the directory instead of the files were asked for the request's user.
#[derive(Clone, Copy)]
pub enum Asked<'r> {
    NotYet,
    /// With the users they know, if any.
    Answered(Option<&'r Directory>),
}

impl<'r> Request<'r, '_> {
    /// The user: of those who were asked, else of the files.
    pub fn user<'v>(&self, view: &'v View, domain: &str, name: &str) -> Option<&'v User>
    where
        'r: 'v,
    {
        self.found().and_then(|found| found.user(domain, name)).or_else(|| view.directory.user(domain, name))
    }

    pub fn has_domain(&self, view: &View, domain: &str) -> bool {
        self.found().is_some_and(|found| found.domain(domain).is_some())
            || view.directory.domain(domain).is_some()
    }

    /// What those who were asked know.
    pub fn found(&self) -> Option<&'r Directory> {
        match self.asked {
            Asked::NotYet => None,
            Asked::Answered(found) => found,
        }
    }
}

/// The answer to a request that is not taken. Boxed: those that are taken pay nothing for it.
pub type Refusal = Box<Response>;

/// Answers the request, or starts the flow that will.
pub fn handle(shard: &mut Shard, request: &Request<'_, '_>) {
    let settings = shard.profile.settings();
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
    if let (Asked::NotYet, Err(refusal)) = (request.asked, guard::register(shard, settings, request)) {
        return Some(*refusal);
    }
    if let (Asked::NotYet, true) = (request.asked, shard.world.deps.bindings.serves(Section::Directory)) {
        let world = shard.world.clone();
        if let Some(query) = auth::question(shard, settings, &world.view(), request) {
            return (!shard.ask(request, query)).then(|| overloaded(1));
        }
    }
    match request.message.method() {
        Method::Message if settings.config.chat => message::handle(shard, settings, request),
        Method::Register => Some(register::handle(shard, settings, request)),
        Method::Options => Some(options::handle(shard, settings)),
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
