//! `sofia status profile NAME [reg [TEXT] | user USER@DOMAIN]`.

use std::sync::atomic::Ordering;

use super::status::LINE;
use super::urls;
use crate::config::{ListenIp, Realm};
use crate::profile::Profile;
use crate::world::World;
use crate::{Registration, notices};

/// FreeSWITCH mod_sofia.c cmd_status and show_reg_callback.
pub fn run(world: &World, name: &str, rest: &[&str]) -> String {
    let view = world.view();
    let Some(profile) = view.profile(name) else { return "Invalid Profile!\n".to_owned() };
    match shown(world, profile, rest) {
        Shown::Details => details(profile, name),
        Shown::Registrations(all) => registrations(world, &all),
    }
}

/// What is asked for of a profile.
pub enum Shown {
    Details,
    Registrations(Vec<Registration>),
}

/// `reg [TEXT]`, `user USER@DOMAIN`, or neither.
pub fn shown(world: &World, profile: &Profile, words: &[&str]) -> Shown {
    let matching = |fits: &dyn Fn(&Registration) -> bool| {
        let all = profile.registrar.registrations(profile, world);
        Shown::Registrations(all.into_iter().filter(fits).collect())
    };
    match words {
        [what] if what.eq_ignore_ascii_case("reg") => matching(&|_| true),
        [what, text, ..] if what.eq_ignore_ascii_case("reg") => matching(&|r| r.contact.contains(*text)),
        [what, address, ..] if what.eq_ignore_ascii_case("user") => matching(&|r| is_of(r, address)),
        _ => Shown::Details,
    }
}

/// `user@domain`, `@domain` or `domain`.
fn is_of(registration: &Registration, address: &str) -> bool {
    let (user, domain) = address.split_once('@').unwrap_or(("", address));
    let user_fits = user.is_empty() || registration.user.eq_ignore_ascii_case(user);
    user_fits && (domain.is_empty() || registration.domain.eq_ignore_ascii_case(domain))
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
    line("UPTIME", &format!("{}s", profile.started.elapsed().as_secs()));
    line("CONNECTIONS", &profile.connections().len().to_string());
    line("REGISTRATIONS", &profile.registrar.len().to_string());
    out
}

fn registrations(world: &World, all: &[Registration]) -> String {
    let mut out = format!("\nRegistrations:\n{LINE}\n");
    for registration in all {
        out += &registered(world, registration);
    }
    out + &format!("Total items returned: {}\n{LINE}\n", all.len())
}

fn registered(world: &World, r: &Registration) -> String {
    let left = r.expires.saturating_sub(world.unix_seconds());
    let status = notices::status_of(r.transport);
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
    at.to_zoned(world.deps.clock.zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
