//! `sofia profile NAME ...`: rescan, restart, start, stop, flush_inbound_reg, gateways.

use std::sync::Arc;

use chappe_api::{Answer, Call};

use super::gateway;
use super::status_profile::AT_ONCE;
use crate::Endpoint;
use crate::gateway::Input;
use crate::notices;
use crate::profile::Profile;
use crate::world::World;

/// FreeSWITCH mod_sofia.c cmd_profile.
pub fn run(endpoint: &Arc<Endpoint>, words: &[&str], call: &Call<'_>) -> Answer {
    let (Some(name), Some(what)) = (words.first(), words.get(1)) else {
        return Answer::from("Invalid Args!\n");
    };
    let what = what.to_ascii_lowercase();
    let found = endpoint.world().view().profile(name).cloned();
    let Some(profile) = found else {
        return match what.as_str() {
            "start" => reload_then(endpoint, (*name).to_owned(), What::Start, call),
            _ => Answer::Ready(format!("Invalid Profile [{name}]")),
        };
    };
    let own_name = profile.name.to_string();
    let gateway_name = words.get(2).copied();
    match what.as_str() {
        "start" => reload_then(endpoint, own_name, What::Start, call),
        "rescan" => reload_then(endpoint, own_name, What::Rescan, call),
        "restart" => reload_then(endpoint, own_name, What::Restart, call),
        "stop" => reload_then(endpoint, own_name, What::Stop, call),
        "flush_inbound_reg" => flush_inbound_reg(endpoint, profile, words.get(2).copied()),
        "siptrace" => Answer::Ready(siptrace(&profile, words.get(2).copied())),
        "register" => {
            Answer::Ready(gateway::tell(endpoint.world(), &profile, &Input::Register, gateway_name))
        }
        "unregister" => {
            Answer::Ready(gateway::tell(endpoint.world(), &profile, &Input::Unregister, gateway_name))
        }
        "killgw" => Answer::Ready(gateway::kill(endpoint.world(), &profile, gateway_name)),
        "gwlist" => Answer::Ready(gateway::list(&profile, gateway_name)),
        "startgw" => reload_then(endpoint, own_name, What::StartGateway, call),
        "check_sync" => Answer::from("-ERR check_sync is not offered\n"),
        _ => Answer::from("-ERR Unknown command!\n"),
    }
}

#[derive(Clone, Copy)]
enum What {
    Start,
    Rescan,
    StartGateway,
    Restart,
    Stop,
}

/// As FreeSWITCH, the configuration is read anew first: the API command `reloadxml` does it.
fn reload_then(endpoint: &Arc<Endpoint>, name: String, what: What, call: &Call<'_>) -> Answer {
    let reload = call.registry.run("reloadxml", "", None);
    let (endpoint, runtime) = (endpoint.clone(), endpoint.world().deps.runtime.clone());
    let finish = async move {
        let reloaded = match reload {
            Some(answer) => answer.text().await,
            None => "+OK [Success]".to_owned(),
        };
        let text = reloaded.trim().trim_start_matches("+OK").trim().trim_matches(['[', ']']).to_owned();
        // Threads end and start here, which may take a moment.
        let done = runtime.spawn_blocking(move || apply(&endpoint, &name, what));
        let done = done.await.unwrap_or_else(|_| "-ERR\n".to_owned());
        format!("Reload XML [{text}]\n{done}")
    };
    Answer::Later(Box::pin(finish))
}

fn apply(endpoint: &Endpoint, name: &str, what: What) -> String {
    let is_running = endpoint.world().view().profile(name).is_some();
    match what {
        What::Rescan => {
            endpoint.rescan_profile(name);
            "+OK scan complete\n".to_owned()
        }
        What::StartGateway => {
            endpoint.rescan_profile(name);
            "+OK start gateway complete\n".to_owned()
        }
        What::Start if is_running => format!("{name} started successfully\n"),
        What::Start => match endpoint.start_profile(name) {
            Ok(()) => format!("{name} started successfully\n"),
            Err(error) => format!("Failure starting {name}: {error}\n"),
        },
        What::Restart => match endpoint.start_profile(name) {
            Ok(()) => format!("restarting: {name}"),
            Err(error) => format!("-ERR {error}\n"),
        },
        What::Stop => {
            endpoint.stop_profile(name);
            format!("stopping: {name}")
        }
    }
}

fn siptrace(profile: &Profile, value: Option<&str>) -> String {
    let Some(value) = value else { return "Usage: sofia profile <name> siptrace <on/off>\n".to_owned() };
    let on = chappe_event::is_true(value);
    profile.trace(on);
    format!("{} sip debugging on {}", if on { "Enabled" } else { "Disabled" }, profile.name)
}

fn flush_inbound_reg(endpoint: &Arc<Endpoint>, profile: Arc<Profile>, which: Option<&str>) -> Answer {
    if profile.registrar.len() <= AT_ONCE {
        return Answer::Ready(flush(endpoint.world(), &profile, which));
    }
    let (world, which) = (endpoint.world().clone(), which.map(str::to_owned));
    super::by_another_thread(endpoint, move || flush(&world, &profile, which.as_deref()))
}

/// All bindings, those of a Call-ID, or those of `[user]@domain`.
fn flush(world: &World, profile: &Profile, which: Option<&str>) -> String {
    if !profile.registrar.is_restored() {
        return "-ERR registrations are still being read from the store, try again in a moment\n".to_owned();
    }
    let flushed = profile.registrar.flush(|aor, binding| match which {
        None => true,
        Some(address) if address.contains('@') && !address.starts_with('@') => {
            aor.as_str().eq_ignore_ascii_case(address) || binding.call_id() == address
        }
        Some(domain) if domain.starts_with('@') => aor.domain().eq_ignore_ascii_case(&domain[1..]),
        Some(call_id) => binding.call_id() == call_id,
    });
    flushed.iter().for_each(|expired| notices::expired(world, profile, expired));
    match which {
        Some(_) => "+OK flushing all registrations matching specified call_id\n".to_owned(),
        None => "+OK flushing all registrations\n".to_owned(),
    }
}
