//! A shard: one thread, its sockets, transactions, flows and timers.
//!
//! One turn of its loop reads a batch, handles it, polls the flows that woke up, sends what came of it and fires the
//! timers that are due. Nothing in a turn blocks.

mod again;
mod flows;
mod forks;
mod gateways;
mod local;
mod mailbox;
mod overload;
mod pings;
mod questions;
mod random;
mod receive;
mod send;
mod shed;
mod tally;
mod targets;
mod turns;

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chappe_chat::{Routed, Verdict};
use chappe_directory::Directory;
use chappe_sip_proto::{Limits, Response, ServerId, Transactions};

use self::again::Again;
pub use self::again::Ways;
use self::flows::Flows;
use self::forks::Forks;
pub use self::forks::{Leg, Outcome, Pending, SendJob, Told};
use self::gateways::Upkeep;
pub use self::gateways::{News, configured, leave, tell};
pub use self::local::{Work, spawn_here, submit_here};
pub use self::mailbox::{Mail, Mailbox};
use self::overload::{Gate, Telling};
use self::pings::Pings;
use self::questions::Paused;
pub use self::random::Random;
use self::tally::Tally;
use self::targets::Targets;
use self::turns::Turns;
use crate::inbound;
use crate::notices;
use crate::profile::Profile;
use crate::transport::mmsg::{EventFd, Poller, Ready, RecvBatch, SendBatch};
use crate::transport::udp::Pair;
use crate::world::World;

/// Datagrams read at a time.
const BATCH: usize = 32;
/// How often a shard looks whether it may begin.
const START: Duration = Duration::from_millis(2);
/// How often outlived bindings are looked for.
const TICK: Duration = Duration::from_secs(1);
/// How long the rest of them waits where there are very many: messages come first.
const SOON: Duration = Duration::from_millis(10);

/// A shard's way in, made before its thread.
pub struct End {
    pub mailbox: Arc<Mailbox>,
    wake: Arc<EventFd>,
    targets: Targets,
}

/// One end a socket.
pub fn ends(sockets: &[Pair]) -> io::Result<Vec<End>> {
    let end = |targets| {
        let wake = Arc::new(EventFd::new()?);
        Ok(End { mailbox: Arc::new(Mailbox::new(wake.clone())), wake, targets })
    };
    Targets::of_shards(sockets.len()).into_iter().map(end).collect()
}

/// Who waits for the end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The sender, for its final response.
    Sender(ServerId),
    /// It was answered already.
    Nobody,
}

/// What the sockets of a shard had no room for, as far as it is counted, and when it is counted again.
struct Lost {
    count: u32,
    next: Instant,
}

/// What one shard's thread owns.
pub struct Shard {
    pub world: Arc<World>,
    pub profile: Arc<Profile>,
    pub random: Random,
    index: u16,
    transactions: Transactions,
    flows: Flows<Routed, Waiting>,
    questions: Flows<Option<Arc<Directory>>, Paused>,
    forks: Forks,
    targets: Targets,
    /// Transactions that may be pending at a target.
    most_pending: usize,
    turns: Turns,
    most_waiting: usize,
    again: Again,
    upkeep: Upkeep,
    pings: Pings,
    out: SendBatch,
    jobs: Vec<SendJob>,
    scratch: Vec<u8>,
    call_id: String,
    /// Seconds since 1970 at the start of this turn.
    second: u64,
    next_tick: Instant,
    /// Of datagrams.
    gate: Gate,
    /// Of frames of connections.
    streams: Gate,
    /// What the kernel keeps of all MESSAGEs, if it drops any.
    sieved: Option<u32>,
    /// Of the first shard, for all of the profile.
    telling: Telling,
    lost: Lost,
    tally: Tally,
}

/// Runs the shard until its mailbox says stop, or drain and nothing is under way.
pub fn run(index: u16, sockets: Pair, end: End, profile: Arc<Profile>, world: Arc<World>) {
    let End { mailbox, wake, targets } = end;
    let poller = match Poller::new(&sockets.requests, sockets.answers.as_ref(), &wake) {
        Ok(poller) => poller,
        Err(error) => return tracing::error!(%error, "a shard can't wait for its socket"),
    };
    let mut shard = Shard::new(index, &wake, targets, profile, world);
    let mut batch = RecvBatch::new(BATCH);
    // What flows await may be tokio's.
    let runtime = shard.world.deps.runtime.clone();
    let _context = runtime.enter();
    shard.wait_for_the_world(&mailbox);
    shard.gate.begin(Instant::now());
    shard.streams.begin(Instant::now());
    while !shard.is_over(&mailbox) {
        wake.falls_asleep();
        let is_busy = shard.has_ready() || !mailbox.is_empty() || shard.is_over(&mailbox);
        let patience = if is_busy { Some(Duration::ZERO) } else { shard.patience(Instant::now()) };
        let ready = poller.wait(patience);
        wake.wakes_up(ready.wake);
        // A fault of ours costs the messages of one turn, not the profile.
        let turn = || shard.turn(&mailbox, &sockets, &mut batch, ready);
        if catch_unwind(AssertUnwindSafe(turn)).is_err() {
            tracing::error!("a shard of profile {} has panicked and goes on", shard.profile.name);
        }
    }
}

impl Shard {
    fn new(
        index: u16,
        wake: &Arc<EventFd>,
        targets: Targets,
        profile: Arc<Profile>,
        world: Arc<World>,
    ) -> Self {
        let config = profile.settings().config.clone();
        let mut random = Random::new();
        let limits = Limits { timing: config.timing, force_rport: config.force_rport, ..Limits::default() };
        let id = world.next_id();
        let flows = Flows::new(id, config.max_flows, wake.clone());
        flows.enter();
        local::enter(profile.id);
        let [gate, streams] = [(); 2].map(|()| Gate::new(Instant::now(), random.next()));
        Self {
            index,
            transactions: Transactions::new(index, random.next(), limits),
            random,
            flows,
            questions: Flows::new(id, questions::LIMIT, wake.clone()),
            forks: Forks::default(),
            targets,
            most_pending: usize::MAX,
            turns: Turns::default(),
            most_waiting: config.max_flows,
            again: Again::default(),
            upkeep: Upkeep::new(Instant::now()),
            pings: Pings::default(),
            out: SendBatch::default(),
            jobs: Vec::new(),
            scratch: Vec::new(),
            call_id: String::new(),
            second: 0,
            next_tick: Instant::now() + TICK,
            gate,
            streams,
            sieved: None,
            telling: Telling::default(),
            tally: Tally::default(),
            lost: Lost { count: 0, next: Instant::now() + TICK },
            profile,
            world,
        }
    }

    /// Reads nothing before its profile is one of the endpoint's and whoever is to route messages is there: the sockets keep
    /// what comes, and who sent it knows nothing of the start.
    fn wait_for_the_world(&self, mailbox: &Mailbox) {
        let is_known = || self.world.view().profiles.iter().any(|profile| profile.id == self.profile.id);
        while !(mailbox.is_stopped() || mailbox.is_draining() || !self.world.is_held() && is_known()) {
            std::thread::park_timeout(START);
        }
    }

    /// Whether the thread is to end: at once, or because nothing is under way any more.
    fn is_over(&self, mailbox: &Mailbox) -> bool {
        let is_idle = self.flows.len() == 0 && self.questions.len() == 0 && self.forks.len() == 0;
        mailbox.is_stopped() || mailbox.is_draining() && is_idle && self.gateways_are_quiet()
    }

    /// Whether something that was paused can go on.
    fn has_ready(&self) -> bool {
        self.flows.has_ready() || self.questions.has_ready()
    }

    /// How long the shard may sleep.
    fn patience(&mut self, now: Instant) -> Option<Duration> {
        let tick = (self.index == 0).then_some(self.next_tick);
        let upkeep = self.upkeep.due().filter(|_| self.index == 0);
        let look = self.gate.next_look();
        let times = [self.transactions.poll_timeout(), self.forks.next_deadline(), tick, look, upkeep];
        times.into_iter().flatten().min().map(|at| at.saturating_duration_since(now))
    }

    fn turn(&mut self, mailbox: &Mailbox, sockets: &Pair, batch: &mut RecvBatch, ready: Ready) {
        let _reads_once = chappe_current::turn();
        let now = Instant::now();
        self.second = u64::try_from(self.world.unix_seconds()).unwrap_or_default();
        self.most_pending = self.profile.settings().config.most_pending();
        self.mail(now, mailbox);
        self.datagrams(now, mailbox, sockets, batch, ready);
        self.settle(now);
        self.timers(now, sockets);
        self.settle(now);
        while self.flush(now, sockets) {
            self.settle(now);
        }
    }

    fn timers(&mut self, now: Instant, sockets: &Pair) {
        self.gate.look(now);
        self.sieve(&sockets.requests);
        self.count_lost(now, sockets);
        self.transactions.handle_timeout(now);
        self.forks.expire(now);
        self.keep_gateways(now);
        if self.index == 0 && self.next_tick <= now {
            self.world.bans.expire(now);
            let expired = self.profile.registrar.expire(now);
            self.next_tick = now + if expired.more { SOON } else { TICK };
            for binding in &expired.bindings {
                notices::expired(&self.world, &self.profile, binding);
            }
            self.profile.have_refreshed(&self.world, now);
            self.ping(now);
            if !expired.more {
                self.tell_of_overload();
            }
        }
    }

    /// Lets flows, requests and transactions act on each other until there is nothing left to do; all that can take the
    /// same step take it together, see [`receive`](Self::receive).
    fn settle(&mut self, now: Instant) {
        while self.has_ready()
            || !self.jobs.is_empty()
            || local::has_work()
            || self.turns.has_come()
            || self.transactions.has_output()
        {
            while let Some(ended) = self.flows.next() {
                if let Some((routed, waiting)) = ended {
                    self.finish(now, routed, waiting);
                }
            }
            self.adopt_spawned();
            while let Some(answered) = self.questions.next() {
                if let Some((found, paused)) = answered {
                    self.resume(now, found.flatten(), paused);
                }
            }
            self.take_turns(now);
            self.send_jobs(now);
            self.drain_outputs(now);
        }
    }

    /// Work that flows leave behind goes on as flows of this shard.
    fn adopt_spawned(&mut self) {
        while let Some(work) = local::next_spawned() {
            self.adopt(work);
        }
    }

    fn adopt(&mut self, work: Work) {
        let flow = Box::pin(async move {
            work.await;
            Routed::Done(Verdict::OK)
        });
        self.start(flow, Waiting::Nobody);
    }

    /// Whether no more messages can be under way in this shard.
    pub fn flows_are_full(&self) -> bool {
        self.flows.is_full()
    }

    /// Whether messages are refused for want of time or room, here or in the profile's other shards in the last second.
    pub fn is_busy(&self) -> bool {
        self.flows_are_full() || self.profile.counters.is_shedding.load(Ordering::Relaxed)
    }

    /// Takes a flow on, to be polled in this turn.
    pub fn start(&mut self, flow: Pin<Box<dyn Future<Output = Routed> + Send>>, waiting: Waiting) {
        self.flows.start(flow, waiting);
    }

    /// `None`: a fault of ours, which costs the message it was met by and no other.
    fn finish(&mut self, now: Instant, routed: Option<Routed>, waiting: Waiting) {
        let verdict = match routed {
            Some(Routed::Done(verdict)) => verdict,
            Some(Routed::TakenOver(verdict, rest)) => {
                self.adopt(rest);
                verdict
            }
            None => {
                tracing::error!(
                    "a message of profile {} has met a fault, the others go on",
                    self.profile.name
                );
                Verdict::SERVER_ERROR
            }
        };
        if let Waiting::Sender(server) = waiting {
            let response = inbound::verdict(verdict, &self.profile.settings());
            self.respond(now, server, response);
        }
    }

    pub fn respond(&mut self, now: Instant, server: ServerId, response: Response) {
        self.transactions.respond(now, server, response);
    }

    /// Answers one who has not shown credentials; nothing is kept of it.
    pub fn challenge(&mut self, now: Instant, server: ServerId, response: Response) {
        self.transactions.respond_and_forget(now, server, response);
    }
}
