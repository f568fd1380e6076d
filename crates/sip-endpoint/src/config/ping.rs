//! What a profile's params say of asking devices whether they are there: `nat-options-ping` and what goes with it.

use std::time::Duration;

use chappe_config::{Diagnostics, Params};

/// Whose registrations are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pinged {
    Nobody,
    /// Those behind a NAT.
    Nat,
    /// Of them, those reached by datagrams.
    UdpNat,
    All,
}

/// The ping part of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PingConfig {
    pub whom: Pinged,
    /// Between two questions to one device.
    pub interval: Duration,
    /// Answers in stock below which a device is unreachable.
    pub min: u32,
    /// The most that are in stock: so many, less `min` and one more, may be missed.
    pub max: u32,
    /// An unreachable device's registration is taken out.
    pub unregister: bool,
}

impl PingConfig {
    pub fn read(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Self {
        let is_on = |name: &str| params.get(name).is_some_and(chappe_event::is_true);
        let is_udp = params.get("nat-options-ping").is_some_and(|text| text.eq_ignore_ascii_case("udp-only"));
        let whom = match (is_on("all-reg-options-ping"), is_udp, is_on("nat-options-ping")) {
            (true, ..) => Pinged::All,
            (_, true, _) => Pinged::UdpNat,
            (.., true) => Pinged::Nat,
            _ => Pinged::Nobody,
        };
        let mut number = |name, default, range| params.u32_in(name, default, range, diagnostics);
        let max = number("sip-user-ping-max", 3, 1..=100);
        Self {
            whom,
            interval: Duration::from_secs(number("ping-mean-interval", 30, 1..=86_400).into()),
            min: number("sip-user-ping-min", 1, 1..=100).min(max),
            max,
            unregister: is_on("unregister-on-options-fail"),
        }
    }
}
