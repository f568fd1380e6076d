//! `sofia xmlstatus`: what `sofia status` says, as XML for programs.

use std::fmt::Write as _;
use std::sync::Arc;

use super::status_profile::{self, Shown};
use super::urls;
use super::{gateway, status};
use crate::config::{ListenIp, Realm};
use crate::profile::Profile;
use crate::world::World;
use crate::{Endpoint, Registration, notices};

const HEADER: &str = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n";

/// FreeSWITCH mod_sofia.c cmd_xml_status.
pub fn run(endpoint: &Arc<Endpoint>, words: &[&str]) -> String {
    match words {
        [] => summary(endpoint),
        [_] => {
            let gateways = gateway::xml(endpoint.world(), None).unwrap_or_default();
            format!("{HEADER}<gateways>\n{gateways}</gateways>\n")
        }
        [what, name, ..] if what.eq_ignore_ascii_case("gateway") => {
            match gateway::xml(endpoint.world(), Some(name)) {
                Some(gateway) => format!("{HEADER}{gateway}"),
                None => "Invalid Gateway!\n".to_owned(),
            }
        }
        [what, name, rest @ ..] if what.eq_ignore_ascii_case("profile") => {
            profile(endpoint.world(), name, rest)
        }
        _ => "Invalid Syntax!\n".to_owned(),
    }
}

fn summary(endpoint: &Endpoint) -> String {
    let view = endpoint.world().view();
    let mut out = format!("{HEADER}<profiles>\n");
    let mut entry = |kind: &str, name: &str, data: &str, state: &str| {
        let (name, data) = (escaped(name), escaped(data));
        // Writing to a String does not fail.
        let _ = write!(
            out,
            "<{kind}>\n<name>{name}</name>\n<type>{kind}</type>\n<data>{data}</data>\n<state>{state}</state>\n</{kind}>\n"
        );
    };
    for profile in &view.profiles {
        let settings = profile.settings();
        entry("profile", &profile.name, &settings.login, "RUNNING (0)");
        for (transport, state) in status::SECURE {
            if let Some(url) = settings.login_by(transport) {
                entry("profile", &profile.name, &url, state);
            }
        }
        for (name, to, state) in gateway::entries(profile) {
            entry("gateway", &name, &to, state);
        }
    }
    for (alias, profile) in view.aliases() {
        entry("alias", alias, &profile.name, "ALIASED");
    }
    out + "</profiles>\n"
}

fn profile(world: &World, name: &str, rest: &[&str]) -> String {
    let view = world.view();
    let Some(profile) = view.profile(name) else { return "Invalid Profile!\n".to_owned() };
    let mut out = format!("{HEADER}<profile>\n");
    match status_profile::shown(world, profile, rest) {
        Shown::Details => details(profile, name, &mut out),
        Shown::Registrations(all, total) => {
            out.push_str("  <registrations>\n");
            all.iter().for_each(|registration| registered(world, registration, &mut out));
            if let Some(remark) = status_profile::remark(all.len(), total) {
                let _ = writeln!(out, "    <!-- {remark} -->");
            }
            out.push_str("  </registrations>\n");
        }
    }
    out + "</profile>\n"
}

/// What is about calls alone is left out.
fn details(profile: &Profile, name: &str, out: &mut String) {
    let settings = profile.settings();
    let config = &settings.config;
    out.push_str("  <profile-info>\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "    <{name}>{}</{name}>", escaped(value));
    };
    line("name", name);
    line("domain-name", config.sip_domain.as_deref().unwrap_or("N/A"));
    if !name.eq_ignore_ascii_case(&profile.name) {
        line("alias-of", &profile.name);
    }
    line("auto-nat", "false");
    line("context", &config.context);
    let realm = match &config.realm {
        Realm::AutoTo => "auto_to",
        Realm::AutoFrom => "auto_from",
        Realm::Fixed(realm) => realm,
    };
    line("challenge-realm", realm);
    line("sip-ip", &profile.addr.ip().to_string());
    if let Some(ListenIp::Ip(ip)) = config.ext_sip_ip {
        line("ext-sip-ip", &ip.to_string());
    }
    urls::of(profile).iter().for_each(|(name, url)| line(&name.to_ascii_lowercase(), url));
    line("outbound-proxy", "N/A");
    line("max-recv-rps", &config.max_requests_per_second.to_string());
    if let Some(filter) = &config.user_agent_filter {
        line("user-agent-filter", filter);
    }
    if config.max_registrations > 0 {
        line("max-registrations-per-extension", &config.max_registrations.to_string());
    }
    for calls in ["calls-in", "calls-out", "failed-calls-in", "failed-calls-out"] {
        line(calls, "0");
    }
    line("registrations", &profile.registrar.len().to_string());
    out.push_str("  </profile-info>\n");
}

/// FreeSWITCH mod_sofia.c show_reg_callback_xml.
fn registered(world: &World, r: &Registration, out: &mut String) {
    let left = r.expires.saturating_sub(world.unix_seconds());
    let until = status_profile::local_time(world, r.expires);
    let account = format!("{}@{}", r.user, r.domain);
    let lines = [
        ("call-id", r.call_id.clone()),
        ("user", account.clone()),
        ("contact", format!("<{}>", r.contact)),
        ("agent", r.user_agent.clone()),
        (
            "status",
            format!("{}(unknown) exp({until}) expsecs({left})", notices::status_of(r.transport, r.is_nat)),
        ),
        ("ping-status", "Reachable".to_owned()),
        ("ping-time", "0.00".to_owned()),
        ("host", world.deps.identity.hostname.clone()),
        ("network-ip", r.network.ip().to_canonical().to_string()),
        ("network-port", r.network.port().to_string()),
        ("sip-auth-user", r.user.clone()),
        ("sip-auth-realm", r.domain.clone()),
        ("mwi-account", account),
    ];
    out.push_str("    <registration>\n");
    for (name, value) in lines {
        let _ = writeln!(out, "        <{name}>{}</{name}>", escaped(&value));
    }
    out.push_str("    </registration>\n");
}

/// What a device or an operator wrote, as XML text.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}
