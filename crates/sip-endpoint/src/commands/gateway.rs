//! Gateways in `sofia status`, `sofia xmlstatus` and `sofia profile`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::status::LINE;
use super::xmlstatus::escaped;
use crate::gateway::{Gateway, Input, Registration, State};
use crate::profile::Profile;
use crate::world::{View, World};

/// A gateway as it is at the moment.
struct Seen {
    state: State,
    up_seconds: u64,
    is_up: bool,
    ping_due: i64,
    ping_millis: f64,
    good_pings: u32,
    is_pinging: bool,
    retry: Option<u64>,
    counts: [u32; 4],
}

impl Seen {
    fn of(gateway: &Gateway, world: &World) -> Self {
        let (registration, now) = (gateway.registration(), Instant::now());
        let left = |at: Instant| at.saturating_duration_since(now).as_secs();
        let counts = &gateway.counts;
        let count = [&counts.refused, &counts.received, &counts.failed, &counts.sent];
        Self {
            state: registration.state(),
            up_seconds: registration
                .up_since()
                .map_or(0, |since| now.saturating_duration_since(since).as_secs()),
            is_up: registration.is_up(),
            ping_due: ping_due(&registration, world, now),
            ping_millis: registration.ping_took().as_secs_f64() * 1000.0,
            good_pings: registration.good_pings(),
            is_pinging: registration.is_pinging(),
            retry: registration.due().map(left),
            counts: count.map(|count| count.load(Ordering::Relaxed)),
        }
    }

    /// What FreeSWITCH adds for one that is not registered at the moment.
    fn retry(&self) -> Option<String> {
        self.state
            .is_retried()
            .then(|| self.retry.map_or("NEVER".to_owned(), |seconds| format!("{seconds}s")))
    }
}

/// Seconds since 1970.
fn ping_due(registration: &Registration, world: &World, now: Instant) -> i64 {
    let left = |at: Instant| i64::try_from(at.saturating_duration_since(now).as_secs()).unwrap_or(i64::MAX);
    registration.ping_due().map_or(0, |at| world.unix_seconds().saturating_add(left(at)))
}

/// By its name, or by `PROFILE::NAME`.
fn find(view: &View, name: &str) -> Option<Arc<Gateway>> {
    crate::gateway::find(view, name)
}

fn key(gateway: &Gateway) -> String {
    format!("{}::{}", gateway.profile, gateway.config.name)
}

/// The lines of a profile's gateways in `sofia status`.
pub fn summary(profile: &Profile, world: &World) -> String {
    let mut out = String::new();
    for gateway in profile.gateways.all().iter() {
        let seen = Seen::of(gateway, world);
        let retry = seen.retry().map_or_else(String::new, |retry| format!(" (retry: {retry})"));
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "{:>25}\tgateway\t  {:>40}\t{}{retry}",
            key(gateway),
            gateway.words.to,
            seen.state.as_str()
        );
    }
    out
}

/// `sofia status gateway`.
pub fn all(world: &World) -> String {
    let mut out = format!(
        "{:>25}\t{:>32}\t{}\t{:>9}\t{}\t{}\n{LINE}\n",
        "Profile::Gateway-Name", "    Data    ", "State", "Ping Time", "IB Calls(F/T)", "OB Calls(F/T)"
    );
    let (mut count, mut sums) = (0, [0; 4]);
    for profile in &world.view().profiles {
        for gateway in profile.gateways.all().iter() {
            let seen = Seen::of(gateway, world);
            let [in_failed, received, out_failed, sent] = seen.counts;
            let retry = seen.retry().map_or_else(String::new, |retry| format!(" (retry: {retry})"));
            let _ = writeln!(
                out,
                "{:>25}\t{:>32}\t{}\t{:6.2}\t{in_failed}/{received}\t{out_failed}/{sent}{retry}",
                key(gateway),
                gateway.words.to,
                seen.state.as_str(),
                seen.ping_millis,
            );
            count += 1;
            sums.iter_mut().zip(seen.counts).for_each(|(sum, one)| *sum += one);
        }
    }
    let [in_failed, received, out_failed, sent] = sums;
    let plural = if count == 1 { "" } else { "s" };
    out + &format!(
        "{LINE}\n{count} gateway{plural}: Inbound(Failed/Total): {in_failed}/{received},Outbound(Failed/Total):{out_failed}/{sent}\n"
    )
}

/// The lines of one gateway, their names as text and as XML.
fn lines(gateway: &Gateway, seen: &Seen) -> Vec<(&'static str, &'static str, String)> {
    let (config, words) = (&gateway.config, &gateway.words);
    let [in_failed, received, out_failed, sent] = seen.counts;
    let password = if config.password.as_str().is_empty() { "no" } else { "yes" };
    let extension = config.extension.as_ref().unwrap_or(&config.username);
    vec![
        ("Name    ", "name", config.name.clone()),
        ("Profile ", "profile", gateway.profile.to_string()),
        ("Scheme  ", "scheme", "Digest".to_owned()),
        ("Realm   ", "realm", config.realm.clone()),
        ("Username", "username", config.username.clone()),
        ("Password", "password", password.to_owned()),
        ("From    ", "from", words.from.clone()),
        ("Contact ", "contact", gateway.contact().to_string()),
        ("Exten   ", "exten", extension.clone()),
        ("To      ", "to", words.to.clone()),
        ("Proxy   ", "proxy", words.registrar.clone()),
        ("Context ", "context", config.context.clone()),
        ("Expires ", "expires", config.expire_seconds.to_string()),
        ("Freq    ", "freq", config.expire_seconds.to_string()),
        ("Ping    ", "ping", seen.ping_due.to_string()),
        ("PingFreq", "pingfreq", config.ping.to_string()),
        ("PingTime", "", format!("{:.2}", seen.ping_millis)),
        ("PingState", "", format!("{}/{}/{}", config.ping_min, seen.good_pings, config.ping_max)),
        ("", "pingmin", config.ping_min.to_string()),
        ("", "pingcount", seen.good_pings.to_string()),
        ("", "pingmax", config.ping_max.to_string()),
        ("", "pingtime", format!("{:.2}", seen.ping_millis)),
        ("", "pinging", u8::from(seen.is_pinging).to_string()),
        ("State   ", "state", seen.state.as_str().to_owned()),
        ("Status  ", "", format!("{}{}", status(seen), if seen.is_pinging { " (ping)" } else { "" })),
        ("", "status", status(seen).to_owned()),
        ("Uptime  ", "", format!("{}s", seen.up_seconds)),
        ("", "uptime-usec", (seen.up_seconds * 1_000_000).to_string()),
        ("CallsIN ", "calls-in", received.to_string()),
        ("CallsOUT", "calls-out", sent.to_string()),
        ("FailedCallsIN", "failed-calls-in", in_failed.to_string()),
        ("FailedCallsOUT", "failed-calls-out", out_failed.to_string()),
    ]
}

fn status(seen: &Seen) -> &'static str {
    if seen.is_up { "UP" } else { "DOWN" }
}

/// `sofia status gateway NAME`.
pub fn one(world: &World, name: &str) -> String {
    let Some(gateway) = find(&world.view(), name) else { return "Invalid Gateway!\n".to_owned() };
    let lines = lines(&gateway, &Seen::of(&gateway, world));
    let text: String = lines
        .into_iter()
        .filter(|(name, ..)| !name.is_empty())
        .map(|(name, _, value)| format!("{name}\t{value}\n"))
        .collect();
    format!("{LINE}\n{text}{LINE}\n")
}

/// The `gateway` elements of `sofia xmlstatus gateway`; `None`: there is none of that name.
pub fn xml(world: &World, name: Option<&str>) -> Option<String> {
    let view = world.view();
    if let Some(name) = name {
        return find(&view, name).map(|gateway| xml_of(&gateway, world));
    }
    let mut out = String::new();
    for profile in &view.profiles {
        profile.gateways.all().iter().for_each(|gateway| out += &xml_of(gateway, world));
    }
    Some(out)
}

fn xml_of(gateway: &Gateway, world: &World) -> String {
    let seen = Seen::of(gateway, world);
    let mut out = String::from("  <gateway>\n");
    for (_, name, value) in lines(gateway, &seen).into_iter().filter(|(_, name, _)| !name.is_empty()) {
        let _ = writeln!(out, "    <{name}>{}</{name}>", escaped(&value));
    }
    if let Some(retry) = seen.retry() {
        let _ = writeln!(out, "    <retry>{retry}</retry>");
    }
    out + "  </gateway>\n"
}

/// Name, address and state of each of a profile's gateways, for `sofia xmlstatus`.
pub fn entries(profile: &Profile) -> Vec<(String, String, &'static str)> {
    let entry = |gateway: &Arc<Gateway>| {
        let state = gateway.registration().state().as_str();
        (gateway.config.name.clone(), gateway.words.to.clone(), state)
    };
    profile.gateways.all().iter().map(entry).collect()
}

/// `sofia profile NAME register|unregister GATEWAY|all`.
pub fn tell(world: &World, profile: &Profile, input: &Input, name: Option<&str>) -> String {
    let Some(name) = name else { return "No gateway name provided!\n".to_owned() };
    if name.eq_ignore_ascii_case("all") {
        profile.gateways.all().iter().for_each(|g| profile.tell_gateway(g.clone(), input.clone()));
        return "+OK\n".to_owned();
    }
    let view = world.view();
    let Some(gateway) = find(&view, name) else { return "Invalid gateway!\n".to_owned() };
    if !gateway.config.register {
        let what = if *input == Input::Register { "registered" } else { "unregistered" };
        return format!("-ERR NOREG gateway [{name}] can't be {what}!\n");
    }
    // FreeSWITCH finds it in whichever profile it is.
    let owner = view.profiles.iter().find(|known| known.name == gateway.profile);
    if let Some(owner) = owner {
        owner.tell_gateway(gateway, input.clone());
    }
    "+OK\n".to_owned()
}

/// `sofia profile NAME killgw GATEWAY|_all_`.
pub fn kill(world: &World, profile: &Profile, name: Option<&str>) -> String {
    let Some(name) = name else { return "-ERR missing gw name\n".to_owned() };
    if name.eq_ignore_ascii_case("_all_") {
        let killed = profile.gateways.delete(None);
        killed.into_iter().for_each(|gateway| profile.tell_gateway(gateway, Input::Unregister));
        return "+OK every gateway marked for deletion.\n".to_owned();
    }
    let view = world.view();
    let found = find(&view, name);
    let owner = found.as_ref().and_then(|g| view.profiles.iter().find(|known| known.name == g.profile));
    let Some((gateway, owner)) = found.as_ref().zip(owner) else {
        return "-ERR no such gateway.\n".to_owned();
    };
    for gateway in owner.gateways.delete(Some(&gateway.config.name)) {
        owner.tell_gateway(gateway, Input::Unregister);
    }
    "+OK gateway marked for deletion.\n".to_owned()
}

/// `sofia profile NAME gwlist up|down`.
pub fn list(profile: &Profile, which: Option<&str>) -> String {
    let up = !which.is_some_and(|which| which.eq_ignore_ascii_case("down"));
    let all = profile.gateways.all();
    let names = all.iter().filter(|gateway| gateway.registration().is_up() == up);
    names.map(|gateway| format!("{} ", gateway.config.name)).collect()
}
