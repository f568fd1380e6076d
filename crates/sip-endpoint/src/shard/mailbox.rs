//! The way into a shard from other threads: a bounded queue and a wake-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use chappe_sip_proto::Peer;
use crossbeam_queue::{ArrayQueue, SegQueue};

use super::forks::SendJob;
use super::gateways::GatewayMail;
use super::local::Work;
use super::targets::Turn;
use crate::transport::mmsg::EventFd;

/// What other threads have for a shard.
pub enum Mail {
    /// A message that came by a connection, or by the socket of another shard.
    Frame { peer: Peer, bytes: Bytes },
    /// The beginning of a message that can't be read to its end, and what it deserves.
    Refused { peer: Peer, bytes: Bytes, code: u16 },
    /// A request to send.
    Send(Box<SendJob>),
    /// Work that nobody waits for.
    Work(Work),
    /// For the shard that looks after gateways.
    Gateway(Box<GatewayMail>),
    /// A connection has ended. It comes to the shard that gets the connection's frames, after the last of them.
    Ended(Peer),
    /// What was sent to this peer is lost.
    Unreachable(Peer),
}

/// A shard's mailbox. When it is full the mail is handed back: a connection then waits with its
/// frame and reads no further, a datagram of another shard is dropped, a request is refused as overload.
pub struct Mailbox {
    /// Each with when it was posted.
    queue: ArrayQueue<(Instant, Mail)>,
    /// Of the shard's own copies that waited, so that there are no more than those, and none is ever handed back.
    turns: SegQueue<(u64, Turn)>,
    wake: Arc<EventFd>,
    stop: AtomicBool,
    drain: AtomicBool,
}

const CAPACITY: usize = 16_384;

impl Mailbox {
    pub fn new(wake: Arc<EventFd>) -> Self {
        let flag = || AtomicBool::new(false);
        Self { queue: ArrayQueue::new(CAPACITY), turns: SegQueue::new(), wake, stop: flag(), drain: flag() }
    }

    pub fn post(&self, mail: Mail) -> Result<(), Mail> {
        self.queue.push((Instant::now(), mail)).map_err(|(_, mail)| mail)?;
        self.wake.signal();
        Ok(())
    }

    /// For the shard, before it sleeps.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.turns.is_empty()
    }

    /// It is the turn of the shard's copy of this number.
    pub fn post_turn(&self, number: u64, turn: Turn) {
        self.turns.push((number, turn));
        self.wake.signal();
    }

    pub fn next_turn(&self) -> Option<(u64, Turn)> {
        self.turns.pop()
    }

    /// A request to send, from another thread. `Err`: the mailbox is full.
    pub fn send(&self, job: Box<SendJob>) -> Result<(), Box<SendJob>> {
        match self.post(Mail::Send(job)) {
            Err(Mail::Send(job)) => Err(job),
            _ => Ok(()),
        }
    }

    /// The oldest mail, and when it was posted.
    pub fn take(&self) -> Option<(Instant, Mail)> {
        self.queue.pop()
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Ends the shard's thread at once.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake.signal();
    }

    /// Ends the shard's thread when nothing is under way any more.
    pub fn drain(&self) {
        self.drain.store(true, Ordering::Release);
        self.wake.signal();
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub fn is_draining(&self) -> bool {
        self.drain.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_mailbox_hands_the_mail_back() {
        let mailbox = Mailbox::new(Arc::new(EventFd::new().unwrap()));
        let peer = Peer::udp("127.0.0.1:5060".parse().unwrap());
        for _ in 0..CAPACITY {
            assert!(mailbox.post(Mail::Unreachable(peer)).is_ok());
        }
        assert!(mailbox.post(Mail::Unreachable(peer)).is_err());
        assert!(mailbox.take().is_some());
        assert!(mailbox.post(Mail::Unreachable(peer)).is_ok());
    }
}
