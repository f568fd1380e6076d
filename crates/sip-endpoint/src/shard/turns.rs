//! Copies that take turns: each is sent when its target has room for it, see [`targets`](super::targets).

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use chappe_sip_proto::{Branch, ClientId, Peer};
use hashbrown::HashMap;

use super::Shard;
use super::again::Trying;
use super::forks::{CopyId, LegEnd};
use super::targets::{Start, TargetKey, Ticket, Turn};

/// A copy that is ready to be sent.
pub(super) enum Prepared {
    Written { branch: Branch, bytes: Bytes, peer: Peer },
    Trying(Box<Trying>),
}

/// The copies of one shard that wait. As many may wait as messages may be under way; those beyond are refused as overload.
#[derive(Default)]
pub(super) struct Turns {
    waiting: HashMap<u64, Prepared>,
    /// Of the next copy that has to wait.
    number: u64,
    /// Those whose turn has come.
    come: VecDeque<(u64, Turn)>,
}

impl Turns {
    pub(super) fn has_come(&self) -> bool {
        !self.come.is_empty()
    }

    pub(super) fn add(&mut self, number: u64, turn: Turn) {
        self.come.push_back((number, turn));
    }
}

impl Shard {
    /// Whether a target may have a limited number of transactions pending.
    pub(super) fn has_turns(&self) -> bool {
        self.most_pending < usize::MAX
    }

    /// Sends the copy, now or when its turn has come. `None`: to a target without a limit.
    pub(super) fn send_in_turn(
        &mut self,
        now: Instant,
        fork: u64,
        device: String,
        target: Option<TargetKey>,
        copy: Prepared,
    ) {
        let number = self.turns.number;
        let start = target.map_or(Start::Goes, |key| {
            let has_room = self.turns.waiting.len() < self.most_waiting;
            let ticket = Ticket { shard: self.index, number };
            self.targets.start(key, self.most_pending, has_room.then_some(ticket))
        });
        if start == Start::Goes {
            let client = self.send_prepared(now, copy);
            return self.forks.add(fork, CopyId::Sent(client), device, target);
        }
        tracing::debug!(%device, "a MESSAGE is not sent while another is under way there");
        self.turns.number += 1;
        self.forks.add(fork, CopyId::Waiting(number), device, target);
        if start == Start::Waits {
            self.turns.waiting.insert(number, copy);
        } else {
            // Its fork may not have all its copies yet.
            self.turns.add(number, Turn::IsRefused);
        }
    }

    fn send_prepared(&mut self, now: Instant, copy: Prepared) -> ClientId {
        match copy {
            Prepared::Written { branch, bytes, peer } => {
                self.tally.sent += 1;
                self.transactions.request(now, branch, bytes, peer)
            }
            Prepared::Trying(trying) => self.send_trying(now, trying),
        }
    }

    /// A copy that was sent has come to its end; it is the turn of those behind it.
    pub(super) fn copy_ended(&mut self, client: ClientId, end: LegEnd) {
        let is_silent = end.is_silent();
        let Some(key) = self.forks.ended(CopyId::Sent(client), end) else { return };
        let (turn, tickets) = self.targets.end(key, self.most_pending, is_silent);
        for Ticket { shard, number } in tickets {
            if shard == self.index {
                self.turns.add(number, turn);
            } else if let Some(mailbox) = self.profile.mailbox(shard) {
                mailbox.post_turn(number, turn);
            }
        }
    }

    /// All whose turn has come.
    pub(super) fn take_turns(&mut self, now: Instant) {
        while let Some((number, turn)) = self.turns.come.pop_front() {
            let (copy, id) = (self.turns.waiting.remove(&number), CopyId::Waiting(number));
            let end = match (turn, copy) {
                (Turn::Goes, Some(copy)) => {
                    let client = self.send_prepared(now, copy);
                    self.forks.moved(id, CopyId::Sent(client));
                    continue;
                }
                (Turn::IsRefused, _) => LegEnd::TooMany,
                _ => LegEnd::NotSent,
            };
            // It had no place at its target, which nobody else gets now.
            self.forks.ended(id, end);
        }
    }
}
