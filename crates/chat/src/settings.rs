//! The router's own settings, as plain values.

use std::time::Duration;

/// What `sms.conf` decides for the router, apart from the [`Quirks`](crate::Quirks).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Chatplans may run commands of the machine (the app `system`).
    pub allow_system: bool,
    /// How long such a command may take before it is killed.
    pub system_timeout: Duration,
    /// How long a sender waits for a device's answer before the message is accepted without one.
    pub accept_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_system: false,
            system_timeout: Duration::from_secs(10),
            accept_after: Duration::from_secs(2),
        }
    }
}
