//! What a load sends on and hears from: datagrams here, connections in [`streams`](crate::streams).

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::udp::{self, Port};

/// Takes a message, and when it came, and appends the answer to it, if it gets one.
pub type Take<'t> = &'t mut dyn FnMut(&[u8], Instant, &mut Vec<u8>);

/// The clients of a load.
pub trait Wire {
    /// Whether a client sends again what has no answer: over what is unreliable alone (RFC 3261 §17.1.2.2, timer E).
    fn sends_again(&self) -> bool;

    /// Queues what `write` appends, from the sender at this place; places beyond the last sender begin anew.
    fn send(&mut self, place: usize, write: &mut dyn FnMut(&mut Vec<u8>));

    /// Sends what waits, hands out what came, sends the answers; how many messages came.
    fn exchange(&mut self, take: Take<'_>) -> Result<usize, BenchError>;

    /// Waits until there is something to read, or the time is over.
    fn wait(&mut self, at_most: Duration) -> Result<(), BenchError>;
}

/// Clients that outlive the load.
impl<W: Wire> Wire for &mut W {
    fn sends_again(&self) -> bool {
        (**self).sends_again()
    }

    fn send(&mut self, place: usize, write: &mut dyn FnMut(&mut Vec<u8>)) {
        (**self).send(place, write);
    }

    fn exchange(&mut self, take: Take<'_>) -> Result<usize, BenchError> {
        (**self).exchange(take)
    }

    fn wait(&mut self, at_most: Duration) -> Result<(), BenchError> {
        (**self).wait(at_most)
    }
}

/// Sockets of UDP: the senders', and as many receivers'.
pub struct Datagrams<'p> {
    servers: Vec<SocketAddrV4>,
    ports: &'p mut [Port],
}

impl<'p> Datagrams<'p> {
    /// Senders have the servers in turns.
    pub fn new(servers: Vec<SocketAddrV4>, ports: &'p mut [Port]) -> Self {
        Self { servers, ports }
    }
}

impl Wire for Datagrams<'_> {
    fn sends_again(&self) -> bool {
        true
    }

    fn send(&mut self, place: usize, write: &mut dyn FnMut(&mut Vec<u8>)) {
        let sender = place % (self.ports.len() / 2);
        self.ports[sender].outbox.push(self.servers[sender % self.servers.len()], write);
    }

    fn exchange(&mut self, take: Take<'_>) -> Result<usize, BenchError> {
        let mut came = 0;
        for port in self.ports.iter_mut() {
            port.flush()?;
            let count = port.receive()?;
            for index in 0..count {
                let (bytes, from) = port.inbox.datagram(index);
                let at = port.inbox.came(index);
                port.outbox.push(from, |out| take(bytes, at, out));
            }
            port.flush()?;
            came += count;
        }
        Ok(came)
    }

    fn wait(&mut self, at_most: Duration) -> Result<(), BenchError> {
        udp::wait(self.ports, at_most)
    }
}
