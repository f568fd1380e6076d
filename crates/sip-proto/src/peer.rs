use std::fmt;
use std::net::SocketAddr;

/// How a message travels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transport {
    /// Datagrams; the only transport that loses messages.
    Udp,
    /// A TCP connection.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket, RFC 7118.
    Ws,
    /// WebSocket over TLS, RFC 7118.
    Wss,
}

impl Transport {
    /// Whether the transport retransmits by itself, so that transactions need not, RFC 3261 §17.
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }

    /// The port of a sent-by without one, RFC 3261 §18.2.2.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// The name in a Via header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The transport of that name, in any case.
    pub fn parse(name: &[u8]) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|transport| transport.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One connection of a stream transport; numbers are not used again while the process lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub u64);

/// The other end of a hop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Peer {
    /// How it is reached.
    pub transport: Transport,
    /// Where it is.
    pub addr: SocketAddr,
    /// The connection a message came by. `None` for datagrams, and where any connection to `addr` will do.
    pub connection: Option<ConnectionId>,
}

impl Peer {
    /// A peer reached by datagrams.
    pub fn udp(addr: SocketAddr) -> Self {
        Self { transport: Transport::Udp, addr, connection: None }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.addr)
    }
}
