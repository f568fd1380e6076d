//! `sofia status profile NAME [reg [TEXT] | user USER@DOMAIN]`.

use std::sync::atomic::Ordering;

use chappe_sip_proto::registrar::{Aor, Binding};

use super::status::LINE;
use super::urls;
use crate::config::{ListenIp, Realm};
use crate::profile::Profile;
use crate::registrar::Registrar;
use crate::world::World;
use crate::{Registration, notices};

/// FreeSWITCH mod_sofia.c cmd_status and show_reg_callback.
pub fn run(world: &World, name: &str, rest: &[&str]) -> String {
    let view = world.view();
    let Some(profile) = view.profile(name) else { return "Invalid Profile!\n".to_owned() };
    match shown(world, profile, rest) {
        Shown::Details => details(profile, name),
        Shown::Registrations(all, total) => registrations(world, &all, total),
    }
}

/// Registrations that are shown at once. Beyond, an answer would have hundreds of megabytes.
const MOST: usize = 100_000;
/// Bindings that are looked through where the question is asked; more are by a thread made for blocking.
pub const AT_ONCE: usize = 1000;

/// What is asked for of a profile.
pub enum Shown {
    Details,
    /// The first of so many.
    Registrations(Vec<Registration>, usize),
}

/// Which registrations are asked for.
enum Wanted<'w> {
    All,
    /// Those with a contact that contains this.
    Contact(&'w str),
    /// `user@domain`, `@domain` or `domain`.
    User(&'w str),
}

impl<'w> Wanted<'w> {
    /// `reg [TEXT]`, `user USER@DOMAIN`, or neither.
    fn of(words: &[&'w str]) -> Option<Self> {
        match words {
            [what] if what.eq_ignore_ascii_case("reg") => Some(Self::All),
            [what, text, ..] if what.eq_ignore_ascii_case("reg") => Some(Self::Contact(text)),
            [what, address, ..] if what.eq_ignore_ascii_case("user") => Some(Self::User(address)),
            _ => None,
        }
    }

    fn fits(&self, aor: &Aor, binding: &Binding) -> bool {
        match self {
            Self::All => true,
            Self::Contact(text) => binding.contact().contains(*text),
            Self::User(address) => {
                let (user, domain) = address.split_once('@').unwrap_or(("", address));
                let user_fits = user.is_empty() || aor.user().eq_ignore_ascii_case(user);
                user_fits && (domain.is_empty() || aor.domain().eq_ignore_ascii_case(domain))
            }
        }
    }
}

/// Whether so many registrations have to be looked through for these words that it can't be done in passing.
pub fn takes_long(world: &World, words: &[&str]) -> bool {
    let [what, name, rest @ ..] = words else { return false };
    let view = world.view();
    let profile = view.profile(name).filter(|_| what.eq_ignore_ascii_case("profile"));
    Wanted::of(rest).is_some() && profile.is_some_and(|profile| profile.registrar.len() > AT_ONCE)
}

/// What these words ask for.
pub fn shown(world: &World, profile: &Profile, words: &[&str]) -> Shown {
    let Some(wanted) = Wanted::of(words) else { return Shown::Details };
    let mut all = profile.registrar.select(|aor, binding| wanted.fits(aor, binding));
    let total = all.len();
    all.truncate(MOST);
    Shown::Registrations(Registrar::described(&all, profile, world), total)
}

/// What to say where not all are shown.
pub fn remark(shown: usize, total: usize) -> Option<String> {
    let text = || format!("{shown} of {total} are shown: ask for `reg TEXT` or `user USER@DOMAIN`");
    (shown < total).then(text)
}

fn details(profile: &Profile, name: &str) -> String {
    let settings = profile.settings();
    let config = &settings.config;
    let mut out = format!("{LINE}\n");
    let mut line = |name: &str, value: &str| out += &format!("{name:<17}\t{value}\n");
    line("Name", name);
    line("Domain Name", config.sip_domain.as_deref().unwrap_or("N/A"));
    if !name.eq_ignore_ascii_case(&profile.name) {
        line("Alias Of", &profile.name);
    }
    line("Auto-NAT", "false");
    line("Context", &config.context);
    let realm = match &config.realm {
        Realm::AutoTo => "auto_to",
        Realm::AutoFrom => "auto_from",
        Realm::Fixed(realm) => realm,
    };
    line("Challenge Realm", realm);
    line("SIP-IP", &profile.addr.ip().to_string());
    if let Some(ListenIp::Ip(ip)) = config.ext_sip_ip {
        line("Ext-SIP-IP", &ip.to_string());
    }
    urls::of(profile).iter().for_each(|(name, url)| line(name, url));
    urls::troubles(profile).iter().for_each(|(transport, why)| line(transport, why));
    line("MAX-RECV-RPS", &config.max_requests_per_second.to_string());
    if let Some(filter) = &config.user_agent_filter {
        line("USER-AGENT-FILTER", filter);
    }
    if config.max_registrations > 0 {
        line("MAX-REG-PEREXT", &config.max_registrations.to_string());
    }
    let counters = &profile.counters;
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed).to_string();
    line("CALLS-IN", "0");
    line("FAILED-CALLS-IN", "0");
    line("CALLS-OUT", "0");
    line("FAILED-CALLS-OUT", "0");
    line("REQUESTS-IN", &count(&counters.requests));
    line("REQUESTS-OUT", &count(&counters.sent));
    line("FAILED-OUT", &count(&counters.sent_failed));
    line("SHED-IN", &count(&counters.shed));
    line("DROPPED-IN", &count(&counters.dropped));
    line("LIMITED-IN", &count(&profile.guard.over));
    line("KEPT-OUT-IN", &count(&profile.guard.kept_out));
    line("UPTIME", &format!("{}s", profile.started.elapsed().as_secs()));
    line("CONNECTIONS", &profile.connections().len().to_string());
    line("REGISTRATIONS", &profile.registrar.len().to_string());
    out
}

fn registrations(world: &World, all: &[Registration], total: usize) -> String {
    let mut out = format!("\nRegistrations:\n{LINE}\n");
    for registration in all {
        out += &registered(world, registration);
    }
    if let Some(remark) = remark(all.len(), total) {
        out += &format!("{remark}\n");
    }
    out + &format!("Total items returned: {}\n{LINE}\n", all.len())
}

fn registered(world: &World, r: &Registration) -> String {
    let left = r.expires.saturating_sub(world.unix_seconds());
    let status = notices::status_of(r.transport, r.is_nat);
    let (ip, port) = (r.network.ip().to_canonical(), r.network.port());
    let lines = [
        ("Call-ID:    ", r.call_id.clone()),
        ("User:       ", format!("{}@{}", r.user, r.domain)),
        ("Contact:    ", format!("<{}>", r.contact)),
        ("Agent:      ", r.user_agent.clone()),
        ("Status:     ", format!("{status}(unknown) EXP({}) EXPSECS({left})", local_time(world, r.expires))),
        ("Ping-Status:", "Reachable".to_owned()),
        ("Ping-Time:", "0.00".to_owned()),
        ("Host:       ", world.deps.identity.hostname.to_string()),
        ("IP:         ", ip.to_string()),
        ("Port:       ", port.to_string()),
        ("Auth-User:  ", r.user.clone()),
        ("Auth-Realm: ", r.domain.clone()),
        ("MWI-Account:", format!("{}@{}", r.user, r.domain)),
    ];
    let text: String = lines.into_iter().map(|(name, value)| format!("{name}\t{value}\n")).collect();
    text + "\n"
}

pub fn local_time(world: &World, unix_seconds: i64) -> String {
    let Ok(at) = jiff::Timestamp::from_second(unix_seconds) else { return String::new() };
    at.to_zoned(world.deps.clock.zone().clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_cut_says_so() {
        assert_eq!(remark(5, 5), None);
        assert!(remark(5, 6).is_some_and(|remark| remark.starts_with("5 of 6 are shown")));
    }
}
