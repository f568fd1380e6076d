//! Users who send and receive while the server is killed under them.

mod device;
mod ledger;
mod random;
mod sender;

pub use device::{Device, Manner};
pub use ledger::Ledger;
pub use random::Random;
pub use sender::Sender;

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

/// How long a thread waits for a packet before it looks at what else is due.
const TICK: Duration = Duration::from_millis(3);

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback socket");
    socket.set_read_timeout(Some(TICK)).expect("a timeout");
    socket
}
