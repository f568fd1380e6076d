use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::{Clock, Datagram, Faults, Network};

/// A state machine at one address.
pub trait Node {
    /// Where it receives, and what its datagrams carry as their source.
    fn addr(&self) -> SocketAddr;
    /// A datagram arrived.
    fn receive(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]);
    /// When it wants to be woken next.
    fn poll_timeout(&self) -> Option<Instant>;
    /// The time it asked for has come.
    fn handle_timeout(&mut self, now: Instant);
    /// The next datagram it has to send; called until there is none.
    fn poll_transmit(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)>;
}

/// Nodes joined by a network, on virtual time.
#[derive(Debug)]
pub struct Simulation {
    /// The time, shared by all.
    pub clock: Clock,
    /// What lies between the nodes.
    pub network: Network,
}

impl Simulation {
    /// A run that is wholly determined by `seed` and what the nodes do.
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self { clock: Clock::new(), network: Network::new(seed, faults) }
    }

    /// Runs until nothing is under way and no node waits for anything, or `limit` of virtual time has passed.
    /// Returns whether everything came to rest. Datagrams to an address without a node vanish.
    pub fn run(&mut self, nodes: &mut [&mut dyn Node], limit: Duration) -> bool {
        let end = self.clock.now() + limit;
        loop {
            self.collect(nodes);
            let Some(next) = self.next_event(nodes) else {
                return true;
            };
            if next > end {
                self.clock.advance_to(end);
                return false;
            }
            self.clock.advance_to(next);
            self.deliver(nodes);
            self.wake(nodes);
        }
    }

    fn next_event(&self, nodes: &[&mut dyn Node]) -> Option<Instant> {
        let timeouts = nodes.iter().filter_map(|node| node.poll_timeout());
        timeouts.chain(self.network.next_arrival()).min()
    }

    fn collect(&mut self, nodes: &mut [&mut dyn Node]) {
        let now = self.clock.now();
        for node in nodes {
            let from = node.addr();
            while let Some((to, bytes)) = node.poll_transmit(now) {
                self.network.send(now, Datagram { from, to, bytes });
            }
        }
    }

    fn deliver(&mut self, nodes: &mut [&mut dyn Node]) {
        let now = self.clock.now();
        while let Some(datagram) = self.network.receive(now) {
            let target = nodes.iter_mut().find(|node| node.addr() == datagram.to);
            if let Some(node) = target {
                node.receive(now, datagram.from, &datagram.bytes);
            }
        }
    }

    fn wake(&mut self, nodes: &mut [&mut dyn Node]) {
        let now = self.clock.now();
        for node in nodes {
            if node.poll_timeout().is_some_and(|at| at <= now) {
                node.handle_timeout(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a number every second until it hears it back.
    struct Pinger {
        addr: SocketAddr,
        peer: SocketAddr,
        next: Option<Instant>,
        due: bool,
        echo: Vec<Vec<u8>>,
        heard: u32,
    }

    impl Pinger {
        fn new(host: u8, peer: u8, next: Option<Instant>) -> Self {
            let addr = |host| SocketAddr::from(([192, 0, 2, host], 5060));
            Self { addr: addr(host), peer: addr(peer), next, due: false, echo: Vec::new(), heard: 0 }
        }
    }

    impl Node for Pinger {
        fn addr(&self) -> SocketAddr {
            self.addr
        }
        fn receive(&mut self, _now: Instant, _from: SocketAddr, bytes: &[u8]) {
            self.heard += 1;
            if self.next.take().is_none() && bytes == b"ping" {
                self.echo.push(b"pong".to_vec());
            }
        }
        fn poll_timeout(&self) -> Option<Instant> {
            self.next
        }
        fn handle_timeout(&mut self, now: Instant) {
            self.due = true;
            self.next = Some(now + Duration::from_secs(1));
        }
        fn poll_transmit(&mut self, _now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
            if std::mem::take(&mut self.due) {
                return Some((self.peer, b"ping".to_vec()));
            }
            self.echo.pop().map(|bytes| (self.peer, bytes))
        }
    }

    #[test]
    fn nodes_talk_until_all_is_quiet() {
        let faults = Faults { loss: 900, ..Faults::HARSH };
        let mut simulation = Simulation::new(5, faults);
        let mut asking = Pinger::new(1, 2, Some(simulation.clock.now()));
        let mut answering = Pinger::new(2, 1, None);
        assert!(simulation.run(&mut [&mut asking, &mut answering], Duration::from_secs(3600)));
        assert!(asking.heard >= 1);
        assert!(simulation.network.traffic().lost > 0);
    }

    #[test]
    fn a_run_ends_at_its_limit() {
        let mut simulation = Simulation::new(5, Faults { loss: 1000, ..Faults::NONE });
        let mut asking = Pinger::new(1, 2, Some(simulation.clock.now()));
        assert!(!simulation.run(&mut [&mut asking], Duration::from_secs(10)));
        assert_eq!(simulation.clock.elapsed(), Duration::from_secs(10));
        assert_eq!(simulation.network.traffic().sent, 11);
    }
}
