//! mod_sofia's events about gateways.

use chappe_event::{Event, EventName, EventRow, header};

use super::Gateway;
use super::registration::Change;
use crate::world::World;

const STATE: &str = "sofia::gateway_state";
const ADD: &str = "sofia::gateway_add";
const DELETE: &str = "sofia::gateway_del";
const INVALID_DIGEST: &str = "sofia::gateway_invalid_digest_req";

pub const EVENTS: &[EventRow] = &[
    EventRow::custom(
        STATE,
        "A gateway's state, or whether its pings are answered, is another one.",
        &["Gateway", "State", "Ping-Status", "Phrase", "Status"],
    ),
    EventRow::custom(ADD, "A profile has one gateway more.", &["profile-name", "Gateway"]),
    EventRow::custom(DELETE, "A gateway is gone.", &["profile-name", "Gateway"]),
    EventRow::custom(
        INVALID_DIGEST,
        "Somebody asked for a gateway's password who is not the gateway.",
        &["Gateway", "profile-name", "realm"],
    ),
];

fn event(world: &World, subclass: &'static str) -> Option<Event> {
    world.deps.bus.wanted(EventName::Custom, Some(subclass)).then(|| Event::custom(subclass))
}

/// FreeSWITCH sofia_reg.c sofia_reg_fire_custom_gateway_state_event.
pub fn changed(world: &World, gateway: &Gateway, change: &Change) {
    let Some(mut event) = event(world, STATE) else { return };
    event.add("Gateway", &gateway.config.name);
    event.add("State", change.state.as_str());
    event.add("Ping-Status", if change.up { "UP" } else { "DOWN" });
    if !change.phrase.is_empty() {
        event.add("Phrase", &change.phrase);
    }
    if change.code > 0 {
        event.add_display("Status", change.code);
    }
    world.deps.bus.fire(event);
}

pub fn added(world: &World, gateway: &Gateway) {
    about(world, ADD, gateway);
}

pub fn removed(world: &World, gateway: &Gateway) {
    about(world, DELETE, gateway);
}

fn about(world: &World, subclass: &'static str, gateway: &Gateway) {
    let Some(mut event) = event(world, subclass) else { return };
    event.add(header::PROFILE_NAME, &*gateway.profile);
    event.add("Gateway", &gateway.config.name);
    world.deps.bus.fire(event);
}

/// FreeSWITCH sofia_reg.c sofia_reg_handle_sip_r_challenge.
pub fn invalid_challenge(world: &World, gateway: &Gateway, realm: &str) {
    let name = &gateway.config.name;
    tracing::warn!("a challenge for realm `{realm}` is not gateway {name}'s to make, or it has no password");
    let Some(mut event) = event(world, INVALID_DIGEST) else { return };
    event.add("Gateway", name);
    event.add(header::PROFILE_NAME, &*gateway.profile);
    event.add("realm", realm);
    world.deps.bus.fire(event);
}
