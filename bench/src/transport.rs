//! How messages travel.

use std::fmt;
use std::net::SocketAddrV4;

/// A transport of SIP (RFC 3261 §18, RFC 7118).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl Transport {
    /// Its name in a Via.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }

    /// What a Contact's address ends with. RFC 7118 §5.2.1 knows `ws` alone, with TLS or without.
    pub fn param(self) -> &'static str {
        match self {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            Transport::Ws | Transport::Wss => ";transport=ws",
        }
    }

    pub fn is_encrypted(self) -> bool {
        matches!(self, Transport::Tls | Transport::Wss)
    }

    pub fn is_websocket(self) -> bool {
        matches!(self, Transport::Ws | Transport::Wss)
    }
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
        write!(f, "{} {}", self.transport.name(), self.address)
    }
}
