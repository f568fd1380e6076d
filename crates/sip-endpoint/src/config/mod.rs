//! `sofia.conf` as a typed value, and what is wrong with it.

mod ciphers;
mod ignored;
mod params;
mod profile;
mod tls;
mod websocket;

use chappe_config::{Diagnostics, Document, Element, read_params};

pub use params::{GLOBAL_PARAMS, PROFILE_PARAMS};
pub use profile::{ListenIp, Multiple, ProfileConfig, Realm};
pub use tls::{Passphrase, TlsConfig, Verify};
pub use websocket::{Binding, WebSocketConfig};

/// What `sofia.conf` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SofiaConfig {
    pub profiles: Vec<ProfileConfig>,
}

impl SofiaConfig {
    /// Reads the document's `sofia.conf`; without one there are no profiles.
    /// A profile with an error in it is left out, the others stand.
    pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Self {
        let Some(root) = document.configuration("sofia.conf") else { return Self::default() };
        for settings in root.children_named("global_settings") {
            read_params(settings, &GLOBAL_PARAMS, diagnostics);
        }
        let mut config = Self::default();
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
