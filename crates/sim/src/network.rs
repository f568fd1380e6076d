use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Random;

/// What the network does to datagrams. Chances are per mille.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Chance that a datagram never arrives.
    pub loss: u16,
    /// Chance that a datagram arrives a second time, with a delay of its own.
    pub duplicate: u16,
    /// Shortest time on the way.
    pub min_delay: Duration,
    /// Longest time on the way. Each datagram draws its own delay, so a span longer than the gap between two datagrams
    /// reorders them.
    pub max_delay: Duration,
}

impl Faults {
    /// Everything arrives once, in order, a millisecond later.
    pub const NONE: Self = Self {
        loss: 0,
        duplicate: 0,
        min_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(1),
    };

    /// A bad mobile network: 30% lost, 20% twice, 10 to 400 ms on the way.
    pub const HARSH: Self = Self {
        loss: 300,
        duplicate: 200,
        min_delay: Duration::from_millis(10),
        max_delay: Duration::from_millis(400),
    };
}

/// Bytes that arrive at `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// Whom it reaches.
    pub to: SocketAddr,
    /// What it carries.
    pub bytes: Vec<u8>,
}

/// What the network did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams handed to the network.
    pub sent: u64,
    /// Datagrams that never arrive.
    pub lost: u64,
    /// Datagrams that arrive twice.
    pub duplicated: u64,
    /// Datagrams handed out, copies included.
    pub delivered: u64,
}

/// Datagrams on their way between any number of addresses.
#[derive(Debug)]
pub struct Network {
    random: Random,
    faults: Faults,
    /// By arrival; the number keeps datagrams that arrive in the same instant in the order of their sending.
    under_way: BTreeMap<(Instant, u64), Datagram>,
    serial: u64,
    traffic: Traffic,
}

impl Network {
    /// An empty network whose every decision follows from `seed`.
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self {
            random: Random::new(seed),
            faults,
            under_way: BTreeMap::new(),
            serial: 0,
            traffic: Traffic::default(),
        }
    }

    /// Changes the faults for what is sent from here on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Puts a datagram on its way, or loses it.
    pub fn send(&mut self, now: Instant, datagram: Datagram) {
        self.traffic.sent += 1;
        if self.random.chance(self.faults.loss) {
            self.traffic.lost += 1;
            return;
        }
        if self.random.chance(self.faults.duplicate) {
            self.traffic.duplicated += 1;
            self.schedule(now, datagram.clone());
        }
        self.schedule(now, datagram);
    }

    fn schedule(&mut self, now: Instant, datagram: Datagram) {
        let delay = self.random.between(self.faults.min_delay, self.faults.max_delay);
        self.serial += 1;
        self.under_way.insert((now + delay, self.serial), datagram);
    }

    /// When the next datagram arrives.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next datagram that has arrived by `now`.
    pub fn receive(&mut self, now: Instant) -> Option<Datagram> {
        let entry = self.under_way.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        self.traffic.delivered += 1;
        Some(entry.remove())
    }

    /// What happened so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    fn datagram(number: u8) -> Datagram {
        let addr = |host| SocketAddr::from(([192, 0, 2, host], 5060));
        Datagram { from: addr(1), to: addr(2), bytes: vec![number] }
    }

    fn run(seed: u64, faults: Faults, count: u8) -> (Vec<u8>, Traffic) {
        let mut clock = Clock::new();
        let mut network = Network::new(seed, faults);
        for number in 0..count {
            network.send(clock.now(), datagram(number));
            clock.advance(Duration::from_millis(5));
        }
        let mut arrived = Vec::new();
        while let Some(at) = network.next_arrival() {
            clock.advance_to(at);
            arrived.extend(network.receive(clock.now()).map(|datagram| datagram.bytes[0]));
        }
        (arrived, network.traffic())
    }

    #[test]
    fn without_faults_everything_arrives_in_order() {
        let (arrived, traffic) = run(1, Faults::NONE, 100);
        assert_eq!(arrived, (0..100).collect::<Vec<u8>>());
        assert_eq!(traffic, Traffic { sent: 100, lost: 0, duplicated: 0, delivered: 100 });
    }

    #[test]
    fn faults_lose_repeat_and_reorder_the_same_way_each_time() {
        let (arrived, traffic) = run(2, Faults::HARSH, 200);
        assert!(traffic.lost > 30, "{traffic:?}");
        assert!(traffic.duplicated > 10, "{traffic:?}");
        assert!(!arrived.is_sorted(), "nothing was reordered");
        assert_eq!(run(2, Faults::HARSH, 200), (arrived, traffic));
    }

    #[test]
    fn nothing_arrives_before_its_time() {
        let clock = Clock::new();
        let mut network = Network::new(1, Faults::NONE);
        network.send(clock.now(), datagram(1));
        assert_eq!(network.receive(clock.now()), None);
        assert_eq!(network.receive(clock.now() + Duration::from_millis(1)), Some(datagram(1)));
    }
}
