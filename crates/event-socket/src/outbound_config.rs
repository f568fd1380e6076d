//! The params of `event_socket.conf` that the app `socket` goes by.

use std::time::Duration;

use chappe_config::{Diagnostics, Params};

/// How the server connects to programs that handle messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboundConfig {
    /// How long each address of a program is tried.
    pub connect_timeout: Duration,
    /// How long a program has for one message, connecting included.
    pub timeout: Duration,
    pub max_connections: usize,
    /// How long a program may stay connected after its message.
    pub max_linger: Duration,
    /// Events and log lines that may wait for one program, as for any client.
    pub max_queue_len: usize,
}

impl Default for OutboundConfig {
    /// A sender of SIP gives up after 32 s (RFC 3261 §17.1.2.2, timer F): until then it is told the truth.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_connections: 1_000,
            max_linger: Duration::from_secs(60),
            max_queue_len: 20_000,
        }
    }
}

impl OutboundConfig {
    pub(crate) fn from_params(params: &Params<'_>, d: &mut Diagnostics) -> Self {
        let default = Self::default();
        let mut seconds = |name, default: Duration, range| {
            Duration::from_secs(params.u64_in(name, default.as_secs(), range, d))
        };
        let connect_timeout = seconds("outbound-connect-timeout", default.connect_timeout, 1..=60);
        let timeout = seconds("outbound-timeout", default.timeout, 1..=3_600);
        let max_linger = seconds("outbound-max-linger", default.max_linger, 0..=3_600);
        let max_connections = params.u32_in("outbound-max-connections", 1_000, 1..=100_000, d) as usize;
        Self { connect_timeout, timeout, max_connections, max_linger, ..default }
    }
}
