//! Two users over a network that loses 30%, repeats and reorders: whatever it does, each request reaches the other user
//! at most once, and ends for its sender exactly once.

mod agent;

use std::collections::BTreeSet;
use std::time::Duration;

use agent::{Agent, Outcome, addr};
use chappe_sim::{Faults, Simulation};
use chappe_sip_proto::{ClientEnd, Transport};

const SEEDS: u64 = 200;
const REQUESTS: usize = 20;
const LONG: Duration = Duration::from_secs(600);

/// How many requests of one run nobody answered in time.
fn run(seed: u64, faults: Faults, slowest: Duration) -> usize {
    let mut simulation = Simulation::new(seed, faults);
    let mut alice = Agent::new(1, seed, Transport::Udp, slowest);
    let mut bob = Agent::new(2, seed + 1000, Transport::Udp, slowest);
    for number in 0..REQUESTS {
        let now = simulation.clock.now();
        alice.send(now, addr(2), &format!("a{number}"));
        bob.send(now, addr(1), &format!("b{number}"));
        simulation.run(&mut [&mut alice, &mut bob], Duration::from_millis(70));
    }
    assert!(simulation.run(&mut [&mut alice, &mut bob], LONG), "seed {seed}: a timer never ends");
    check(seed, &alice, &bob) + check(seed, &bob, &alice)
}

fn check(seed: u64, sender: &Agent, receiver: &Agent) -> usize {
    let seen: BTreeSet<_> = receiver.seen.iter().collect();
    assert_eq!(seen.len(), receiver.seen.len(), "seed {seed}: a request was handed over twice");
    let outcomes: Vec<_> = sender.outcomes.values().flatten().collect();
    let once = sender.outcomes.values().all(|outcomes| outcomes.len() == 1);
    assert!(once && outcomes.len() == REQUESTS, "seed {seed}: {:?}", sender.outcomes);
    let answered = outcomes.iter().filter(|outcome| ***outcome == Outcome::Final(200)).count();
    let timed_out =
        outcomes.iter().filter(|outcome| ***outcome == Outcome::Ended(ClientEnd::TimedOut)).count();
    assert_eq!(answered + timed_out, REQUESTS, "seed {seed}: {outcomes:?}");
    assert!(receiver.seen.len() >= answered, "seed {seed}: an answer to what nobody saw");
    assert_eq!(
        (sender.transactions.client_count(), receiver.transactions.server_count()),
        (0, 0),
        "seed {seed}"
    );
    timed_out
}

#[test]
fn under_loss_duplication_and_reordering() {
    let timed_out: usize = (0..SEEDS).map(|seed| run(seed, Faults::HARSH, Duration::from_millis(300))).sum();
    // 11 tries, each lost with 51% at most: one request in 1600.
    assert!(timed_out <= 20, "{timed_out} of {} requests timed out", SEEDS as usize * 2 * REQUESTS);
}

#[test]
fn with_users_slower_than_the_retransmissions() {
    (0..SEEDS).for_each(|seed| {
        run(seed, Faults::HARSH, Duration::from_secs(12));
    });
}

#[test]
fn without_faults_every_request_is_answered() {
    assert_eq!(run(1, Faults::NONE, Duration::from_millis(300)), 0);
}

#[test]
fn when_nothing_arrives_every_request_times_out() {
    let nothing = Faults { loss: 1000, ..Faults::NONE };
    assert_eq!(run(1, nothing, Duration::ZERO), 2 * REQUESTS);
}

#[test]
fn reliable_transports_send_once() {
    let mut simulation = Simulation::new(1, Faults::NONE);
    let mut alice = Agent::new(1, 1, Transport::Tcp, Duration::from_secs(3));
    let mut bob = Agent::new(2, 2, Transport::Tcp, Duration::from_secs(3));
    alice.send(simulation.clock.now(), addr(2), "c");
    assert!(simulation.run(&mut [&mut alice, &mut bob], LONG));
    assert_eq!(alice.outcomes.values().flatten().collect::<Vec<_>>(), [&Outcome::Final(200)]);
    assert_eq!(simulation.network.traffic().sent, 2);
    assert_eq!((alice.transactions.client_count(), bob.transactions.server_count()), (0, 0));
}
