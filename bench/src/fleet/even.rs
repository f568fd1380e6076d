//! Ports that are spread evenly over the shards of a server.
//!
//! The kernel gives each sender's datagrams to one shard, as if by lot. Of many clients every shard has its part; of the few ports
//! of a load, which shall not have more to poll, one shard may have two thirds, and the other would wait for it. So the load looks
//! which shard answers a port, and takes as many of each.

use std::time::Duration;

use crate::error::BenchError;
use crate::register::exchange;
use crate::server::{Server, options};
use crate::udp::Port;

/// Requests by which the shard of a port is found.
const ASKED: u32 = 16;
/// Ports that are tried for one that is needed, at most.
const TRIED: usize = 16;

/// So many senders' ports, and as many receivers'. With two shards a half of the senders is on each, and of these each a half
/// writes to receivers of the other shard.
pub fn open(server: &Server, pairs: usize) -> Result<Vec<Port>, BenchError> {
    let shards = server.shards();
    let mut spare: Vec<Vec<Port>> = shards.iter().map(|_| Vec::new()).collect();
    let mut ports = Vec::new();
    let mut found = vec![0; shards.len()];
    for shard in order(shards.len(), pairs) {
        while spare.get(shard).is_some_and(Vec::is_empty) {
            if found.iter().sum::<usize>() >= TRIED * pairs {
                let why = format!("ports that come to each of the shards: {found:?}, too few for one");
                return Err(BenchError::NotStarted(why));
            }
            let mut port = Port::open()?;
            let shard = shard_of(server, &shards, &mut port)?;
            found[shard] += 1;
            spare[shard].push(port);
        }
        ports.push(match spare.get_mut(shard).and_then(Vec::pop) {
            Some(port) => port,
            None => Port::open()?,
        });
    }
    Ok(ports)
}

/// The shards of the senders, then those of the receivers.
fn order(shards: usize, pairs: usize) -> impl Iterator<Item = usize> {
    let shards = shards.max(1);
    (0..pairs).map(move |pair| pair % shards).chain((0..pairs).map(move |pair| pair / shards % shards))
}

/// The one that is at work when this port asks something.
fn shard_of(server: &Server, shards: &[u32], port: &mut Port) -> Result<usize, BenchError> {
    let before = server.threads();
    let mut request = Vec::new();
    for number in 0..ASKED {
        request.clear();
        options(&port.address.to_string(), number, &mut request);
        exchange(port, server.address, &request, 1)?.ok_or_else(|| {
            BenchError::NotStarted("a server with several shards does not answer".to_owned())
        })?;
    }
    let after = server.threads();
    let of = |threads: &[(u32, Duration)], id: u32| {
        threads.iter().find(|(thread, _)| *thread == id).map_or(Duration::ZERO, |(_, time)| *time)
    };
    let used = shards.iter().map(|&id| of(&after, id).saturating_sub(of(&before, id)));
    Ok(used.enumerate().max_by_key(|(_, used)| *used).map_or(0, |(place, _)| place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_and_receivers_meet_in_all_ways_as_often() {
        let order: Vec<_> = order(2, 16).collect();
        let (senders, receivers) = order.split_at(16);
        for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let pairs = senders
                .iter()
                .zip(receivers)
                .filter(|(sender, receiver)| (**sender, **receiver) == (from, to));
            assert_eq!(pairs.count(), 4, "{from} to {to}");
        }
    }

    #[test]
    fn one_shard_has_all() {
        assert_eq!(super::order(1, 2).collect::<Vec<_>>(), [0, 0, 0, 0]);
    }
}
