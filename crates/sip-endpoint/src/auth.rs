//! Who sent a request: digest authentication and access lists.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use chappe_config::XmlQuery;
use chappe_directory::{Secret, User};
use chappe_sip_msg::{HeaderName, Message, Method};
use chappe_sip_proto::Response;
use chappe_sip_proto::digest::{self, Algorithm, Challenge, Credentials, Freshness, NonceCounts, Nonces};
use parking_lot::Mutex;

use crate::access::{self, Access};
use crate::config::Realm;
use crate::gateway::{self, Gateway};
use crate::guard;
use crate::inbound::{Refusal, Request, Wanted, answer, with};
use crate::notices;
use crate::profile::Settings;
use crate::shard::Shard;
use crate::transport::source;
use crate::world::View;

/// So many shards at a time rarely meet at one lock.
const STRIPES: usize = 16;
/// Nonces whose counts are remembered: of as many devices as authenticate in a nonce's lifetime, in all but a storm.
const REMEMBERED: usize = 400_000;

/// Bits of a nonce's number that are chance; the others tell its address. Nobody can aim for those: it would take millions of
/// challenges to find one that another address could have got.
const OF_CHANCE: u32 = 40;

/// The nonces of one profile, shared by its shards so that none can be used twice.
pub struct Authenticator {
    nonces: Nonces,
    /// Which nonce is where, the nonce decides.
    counts: Box<[Mutex<NonceCounts>]>,
    /// Which nonce is for which address.
    addresses: RandomState,
}

impl Authenticator {
    /// `lifetime` of a nonce in seconds.
    pub fn new(lifetime: u32) -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system has a random source");
        let counts = || Mutex::new(NonceCounts::with_capacity(u64::from(lifetime), REMEMBERED / STRIPES));
        Self {
            nonces: Nonces::new(key),
            counts: (0..STRIPES).map(|_| counts()).collect(),
            addresses: RandomState::new(),
        }
    }

    /// A number for a nonce that tells for which address it was made; no two of a second are the same but by chance.
    fn number_for(&self, ip: IpAddr, random: u64) -> u64 {
        let low = random & ((1 << OF_CHANCE) - 1);
        self.addresses.hash_one((source(ip), low)) << OF_CHANCE | low
    }

    /// Whether the credentials answer a challenge that was sent to this address.
    pub fn challenged(&self, credentials: &Credentials<'_>, ip: IpAddr) -> bool {
        let nonce = self.nonces.read(credentials);
        nonce.is_some_and(|nonce| self.number_for(ip, nonce.spread()) == nonce.spread())
    }

    /// Whether the nonce is ours and was not used with this count; from here on it was.
    fn spend(&self, credentials: &Credentials<'_>, second: u64) -> Freshness {
        let Some(nonce) = self.nonces.read(credentials) else { return Freshness::Forged };
        // The remainder is less than STRIPES.
        let counts = &self.counts[(nonce.spread() % STRIPES as u64) as usize];
        counts.lock().spend(nonce, credentials.nonce_count, second)
    }
}

/// Who sent a request, as far as we know.
pub struct Sender<'v> {
    /// Who authenticated.
    pub user: Option<&'v User>,
    /// An access list vouches for the address.
    pub trusted: bool,
    /// It is a gateway of ours.
    pub gateway: Option<Arc<Gateway>>,
}

impl<'v> Sender<'v> {
    const UNKNOWN: Self = Self { user: None, trusted: false, gateway: None };
    const TRUSTED: Self = Self { user: None, trusted: true, gateway: None };

    fn user(user: Option<&'v User>) -> Self {
        Self { user, trusted: false, gateway: None }
    }
}

/// Which header asks and which one answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// 401, RFC 3261 §22.2.
    Registrar,
    /// 407, RFC 3261 §22.3.
    Proxy,
}

/// Whether `name` is the user's id or number-alias.
pub fn is_user(user: &User, name: &str) -> bool {
    user.id.eq_ignore_ascii_case(name) || user.number_alias.as_deref() == Some(name)
}

/// The sender of a MESSAGE; `Err` is the answer for one who has to show credentials, or other ones.
pub fn message<'v, 'r: 'v>(
    shard: &mut Shard,
    settings: &Settings,
    view: &'v View,
    request: &Request<'r, '_>,
) -> Result<Sender<'v>, Refusal> {
    let config = &settings.config;
    if let Some(gateway) = gateway::sender_of(&shard.profile, request) {
        return Ok(Sender { gateway: Some(gateway), ..Sender::UNKNOWN });
    }
    match access::of_request(view, config, request) {
        Access::Allowed => return Ok(Sender::TRUSTED),
        Access::Of(user) => return Ok(Sender::user(Some(user))),
        Access::Denied(list) if !config.auth_messages => return Err(rejected(request, "acl", list)),
        Access::Unlisted if !config.auth_messages => return Ok(Sender::UNKNOWN),
        Access::Denied(_) | Access::Unlisted => {}
    }
    check(shard, settings, view, request, Role::Proxy)
}

/// The answer to an address that a list keeps out. FreeSWITCH's words, sofia.c and sofia_reg.c.
fn rejected(request: &Request<'_, '_>, kind: &str, list: &str) -> Refusal {
    let file = if kind == "acl" { "sofia.c" } else { "sofia_reg.c" };
    tracing::warn!(file, "IP {} Rejected by {kind} \"{list}\"", access::ip(request.peer));
    answer(403).into()
}

/// Whether the sender of an INVITE has shown who it is, where `auth-calls` asks for that.
pub fn call(
    shard: &mut Shard,
    settings: &Settings,
    view: &View,
    request: &Request<'_, '_>,
) -> Result<(), Refusal> {
    let config = &settings.config;
    match access::of_request(view, config, request) {
        Access::Allowed | Access::Of(_) => return Ok(()),
        Access::Denied(list) if !config.auth_calls => return Err(rejected(request, "acl", list)),
        Access::Unlisted if !config.auth_calls => return Ok(()),
        Access::Denied(_) | Access::Unlisted => {}
    }
    check(shard, settings, view, request, Role::Proxy).map(drop)
}

/// The sender of a REGISTER, as [`message`].
pub fn register<'v, 'r: 'v>(
    shard: &mut Shard,
    settings: &Settings,
    view: &'v View,
    request: &Request<'r, '_>,
) -> Result<Sender<'v>, Refusal> {
    let config = &settings.config;
    match access::register(view, config, request.peer) {
        Access::Denied(list) => return Err(rejected(request, "register acl", list)),
        Access::Of(user) if !config.accept_blind_reg => return Ok(Sender::user(Some(user))),
        Access::Unlisted if !config.accept_blind_reg => {}
        Access::Allowed | Access::Of(_) | Access::Unlisted => return Ok(Sender::TRUSTED),
    }
    check(shard, settings, view, request, Role::Registrar)
}

/// What to ask those who answer for the directory before the request is handled; nothing where it needs no user.
pub fn question(
    shard: &Shard,
    settings: &Settings,
    view: &View,
    request: &Request<'_, '_>,
) -> Option<XmlQuery> {
    let config = &settings.config;
    let (role, needed) = match request.message.method() {
        Method::Message => (Role::Proxy, config.chat && config.auth_messages),
        Method::Invite => (Role::Proxy, config.auth_calls),
        Method::Register => (Role::Registrar, !config.accept_blind_reg),
        _ => return None,
    };
    let is_decided = match role {
        Role::Registrar => !matches!(access::register(view, config, request.peer), Access::Unlisted),
        Role::Proxy => {
            matches!(access::of_request(view, config, request), Access::Allowed | Access::Of(_))
        }
    };
    if !needed || is_decided {
        return None;
    }
    let attempt = Attempt::of(settings, request.message, role);
    let credentials = attempt.credentials(role).map(|(credentials, _)| credentials);
    // One challenge is as good as another, unless the user decides about the algorithm.
    if credentials.is_none() && !config.sha256 {
        return None;
    }
    let realm = credentials.as_ref().map_or(Cow::Borrowed(&*attempt.realm), |shown| shown.realm());
    let domain = config.force_register_domain.as_deref().unwrap_or(&realm);
    let user = credentials.as_ref().map_or(Cow::Borrowed(&*attempt.user), |shown| shown.user());
    let wanted = Wanted { user: &user, domain };
    Some(crate::inbound::question(shard, request, &wanted, credentials.as_ref()))
}

fn check<'v, 'r: 'v>(
    shard: &mut Shard,
    settings: &Settings,
    view: &'v View,
    request: &Request<'r, '_>,
    role: Role,
) -> Result<Sender<'v>, Refusal> {
    let attempt = Attempt::of(settings, request.message, role);
    let Some((credentials, role)) = attempt.credentials(role) else {
        attempt.log(shard, settings, request, "challenge");
        return Err(attempt.challenge(shard, settings, view, request, role, false).into());
    };
    let domain = attempt.domain_of(&credentials, settings, view, request);
    let user = request.user(view, &domain, &credentials.user());
    if settings.config.accept_blind_auth {
        return Ok(Sender::user(user));
    }
    if user.is_none() && settings.config.require_known_user {
        guard::failed(shard, settings, view, request, &credentials);
        return Err(attempt.refuse(shard, settings, request, answer(403)).into());
    }
    if let Some(list) = user.and_then(|user| access::denies_user(view, &settings.config, user, request)) {
        // Before the password is looked at: nobody is told elsewhere that it is the right one.
        let config = &settings.config;
        let ip = access::origin(view, config, request);
        let why = if config.proxy_acl.is_empty() { " and no proxy acl present" } else { "" };
        tracing::warn!(file = "sofia_reg.c", "IP {ip} Rejected by user acl [{list}]{why}");
        guard::failed(shard, settings, view, request, &credentials);
        return Err(attempt.refuse(shard, settings, request, answer(403)).into());
    }
    match attempt.prove(shard, settings, &credentials, user) {
        Freshness::Fresh => Ok(Sender::user(user)),
        Freshness::Stale => Err(attempt.challenge(shard, settings, view, request, role, true).into()),
        Freshness::Forged => {
            guard::failed(shard, settings, view, request, &credentials);
            let challenge = attempt.challenge(shard, settings, view, request, role, false);
            Err(attempt.refuse(shard, settings, request, challenge).into())
        }
    }
}

/// The parts of a request that authentication looks at.
struct Attempt<'r, 'a> {
    message: &'r Message<'a>,
    user: Cow<'a, str>,
    host: Cow<'a, str>,
    realm: Cow<'a, str>,
}

impl<'r, 'a> Attempt<'r, 'a> {
    /// A REGISTER is about the user in To, RFC 3261 §10.2; a MESSAGE comes from the one in From.
    fn of(settings: &'r Settings, message: &'r Message<'a>, role: Role) -> Self {
        let part = |text: Option<&'a [u8]>| String::from_utf8_lossy(text.unwrap_or_default());
        let (from, to) = (message.from().ok(), message.to().ok());
        let host =
            |address: &Option<chappe_sip_msg::NameAddr<'a>>| part(address.as_ref().map(|a| a.uri.host));
        let subject = if role == Role::Registrar { &to } else { &from };
        let realm = match (&settings.config.force_register_domain, &settings.config.realm) {
            (_, Realm::Fixed(realm)) => Cow::Owned(realm.clone()),
            (Some(domain), _) => Cow::Owned(domain.clone()),
            (None, Realm::AutoTo) => host(&to),
            (None, Realm::AutoFrom) => host(&from),
        };
        let user = part(subject.as_ref().and_then(|address| address.uri.user));
        Self { message, user, host: host(subject), realm }
    }

    /// The credentials, and the role that their header answers.
    fn credentials(&self, role: Role) -> Option<(Credentials<'a>, Role)> {
        let headers = match role {
            Role::Registrar => [HeaderName::Authorization, HeaderName::ProxyAuthorization],
            Role::Proxy => [HeaderName::ProxyAuthorization, HeaderName::Authorization],
        };
        headers.into_iter().find_map(|name| {
            let credentials = self.message.all(name).find_map(|value| Credentials::parse(value).ok())?;
            let role = if name == HeaderName::Authorization { Role::Registrar } else { Role::Proxy };
            Some((credentials, role))
        })
    }

    /// The directory's domain in which the user is looked for.
    fn domain_of<'s>(
        &'s self,
        credentials: &'s Credentials<'_>,
        settings: &'s Settings,
        view: &View,
        request: &Request<'_, '_>,
    ) -> Cow<'s, str> {
        if let Some(domain) = &settings.config.force_register_domain {
            return Cow::Borrowed(domain);
        }
        let realm = credentials.realm();
        if request.has_domain(view, &realm) { realm } else { Cow::Borrowed(&self.host) }
    }

    /// [`Freshness::Forged`] also stands for a wrong password.
    fn prove(
        &self,
        shard: &Shard,
        settings: &Settings,
        credentials: &Credentials<'_>,
        user: Option<&User>,
    ) -> Freshness {
        let secret = match user.map(|user| &user.password) {
            Some(Secret::Plain(password)) => digest::Secret::Password(password.as_bytes()),
            Some(Secret::A1Hash(hash)) => digest::Secret::Ha1(hash.as_bytes()),
            Some(Secret::None) | None => return Freshness::Forged,
        };
        let is_for =
            |method: Method<'_>| digest::verify(credentials, method.as_bytes(), self.message.body(), secret);
        let method = self.message.method();
        // FreeSWITCH sofia_reg.c sofia_reg_parse_auth.
        let broken = settings.config.broken_auth_hash && method != Method::Register;
        if !(is_for(method) || broken && is_for(Method::Invite)) {
            return Freshness::Forged;
        }
        shard.profile.auth.spend(credentials, seconds(shard))
    }

    /// RFC 7616 §3.3: one header an algorithm, the preferred first.
    fn challenge(
        &self,
        shard: &mut Shard,
        settings: &Settings,
        view: &View,
        request: &Request<'_, '_>,
        role: Role,
        stale: bool,
    ) -> Response {
        let (code, name) = match role {
            Role::Registrar => (401, "WWW-Authenticate"),
            Role::Proxy => (407, "Proxy-Authenticate"),
        };
        let random = shard.profile.auth.number_for(access::ip(request.peer), shard.random.next());
        let nonce = shard.profile.auth.nonces.issue(seconds(shard), random);
        let algorithms = algorithms(settings, view, request, self);
        let one = |response, algorithm| {
            let challenge = Challenge::new(&*self.realm, &*nonce, algorithm).stale(stale);
            with(response, name, challenge.to_string())
        };
        algorithms.into_iter().flatten().fold(answer(code), one)
    }

    /// The answer for somebody whose credentials are wrong.
    fn refuse(
        &self,
        shard: &Shard,
        settings: &Settings,
        request: &Request<'_, '_>,
        response: Response,
    ) -> Response {
        self.log(shard, settings, request, "failure");
        if request.message.method() == chappe_sip_msg::Method::Register {
            notices::register_failure(shard, request, &self.user, &self.host);
        }
        response
    }

    /// The words of FreeSWITCH sofia_reg.c, which fail2ban's freeswitch filter reads; there, whatever is not a
    /// REGISTER is an INVITE.
    fn log(&self, shard: &Shard, settings: &Settings, request: &Request<'_, '_>, what: &str) {
        if !settings.config.log_auth_failures {
            return;
        }
        let kind = match self.message.method() {
            chappe_sip_msg::Method::Register => "REGISTER",
            _ => "INVITE",
        };
        let (profile, ip) = (&shard.profile.name, request.peer.addr.ip().to_canonical());
        let (user, host) = (printable(&self.user), printable(&self.host));
        tracing::warn!(
            file = "sofia_reg.c",
            "SIP auth {what} ({kind}) on sofia profile '{profile}' for [{user}@{host}] from ip {ip}"
        );
    }
}

/// What the sender wrote must not be able to end a log line.
pub fn printable(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).collect()
}

/// SHA-256 is offered where it can be checked: an `a1-hash` is one of MD5.
fn algorithms(
    settings: &Settings,
    view: &View,
    request: &Request<'_, '_>,
    attempt: &Attempt<'_, '_>,
) -> [Option<Algorithm>; 2] {
    let domain = settings.config.force_register_domain.as_deref().unwrap_or(&attempt.host);
    let user = request.user(view, domain, &attempt.user);
    let hashed = matches!(user.map(|user| &user.password), Some(Secret::A1Hash(_)));
    let sha256 = settings.config.sha256 && !hashed;
    [(settings.config.md5 || !sha256).then_some(Algorithm::Md5), sha256.then_some(Algorithm::Sha256)]
}

fn seconds(shard: &Shard) -> u64 {
    u64::try_from(shard.world.unix_seconds()).unwrap_or_default()
}
