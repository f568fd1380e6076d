//! `sofia.conf` as a typed value, and what is wrong with it.

mod ciphers;
mod directory;
mod gateway;
mod gateway_params;
mod guard;
mod ignored;
mod nat;
mod params;
mod ping;
mod profile;
mod push;
mod tls;
mod websocket;

use std::net::SocketAddr;

use chappe_config::{Diagnostics, Document, Element, Params, read_params};

pub use directory::check_directory;
pub use gateway::{CallerId, GatewayConfig, GatewayVariable, Hop};
pub use gateway_params::GATEWAY_PARAMS;
pub use guard::GuardConfig;
pub use nat::NatConfig;
pub use params::{GLOBAL_PARAMS, PROFILE_PARAMS};
pub use ping::{PingConfig, Pinged};
pub use profile::{ListenIp, Multiple, ProfileConfig, Realm};
pub use push::PushConfig;
pub use tls::{Passphrase, TlsConfig, Verify};
pub use websocket::{Binding, WebSocketConfig};

/// What `sofia.conf` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SofiaConfig {
    pub profiles: Vec<ProfileConfig>,
    /// Who is asked for the servers of domains; nobody named: whom the machine asks.
    pub name_servers: Vec<SocketAddr>,
}

impl SofiaConfig {
    /// Reads the document's `sofia.conf`; without one there are no profiles.
    /// A profile with an error in it is left out, the others stand.
    pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Self {
        let Some(root) = document.configuration("sofia.conf") else { return Self::default() };
        let mut config = Self::default();
        for settings in root.children_named("global_settings") {
            let params = read_params(settings, &GLOBAL_PARAMS, diagnostics);
            config.name_servers.extend(name_servers(&params, diagnostics));
        }
        for profile in root.children_named("profiles").flat_map(|p| p.children_named("profile")) {
            config.add(profile, diagnostics);
        }
        config
    }

    fn add(&mut self, element: &Element, diagnostics: &mut Diagnostics) {
        let Some(profile) = ProfileConfig::read(element, diagnostics) else { return };
        if self.profiles.iter().any(|known| known.name == profile.name) {
            diagnostics.warning(
                Some(element.at.clone()),
                format!("profile {} stands twice; the first one counts", profile.name),
            );
            return;
        }
        self.profiles.push(profile);
    }
}

/// Addresses with or without a port.
fn name_servers(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for text in
        params.all("name-server").flat_map(|list| list.split([',', ' '])).filter(|text| !text.is_empty())
    {
        let with_port = text.parse().ok();
        let bare = text.trim_start_matches('[').trim_end_matches(']').parse().ok();
        match with_port.or_else(|| bare.map(|ip| SocketAddr::new(ip, 53))) {
            Some(server) => servers.push(server),
            None => {
                let at = params.at("name-server").cloned();
                diagnostics.error(at, format!("name-server: `{text}` is no address of a DNS server"));
            }
        }
    }
    servers
}
