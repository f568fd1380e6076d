//! How messages travel.

use std::fmt;
use std::net::SocketAddrV4;

pub use chappe_sip_proto::Transport;

/// What a Contact's address ends with. RFC 7118 §5.2.1 knows `ws` alone, with TLS or without.
pub fn contact_param(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
        Transport::Tls => ";transport=tls",
        Transport::Ws | Transport::Wss => ";transport=ws",
    }
}

pub fn is_encrypted(transport: Transport) -> bool {
    matches!(transport, Transport::Tls | Transport::Wss)
}

pub fn is_websocket(transport: Transport) -> bool {
    matches!(transport, Transport::Ws | Transport::Wss)
}

/// Where a client is, and how it is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Here {
    pub transport: Transport,
    pub address: SocketAddrV4,
}

impl From<SocketAddrV4> for Here {
    /// By UDP.
    fn from(address: SocketAddrV4) -> Self {
        Here { transport: Transport::Udp, address }
    }
}

impl fmt::Display for Here {
    /// As a Via has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport, self.address)
    }
}
