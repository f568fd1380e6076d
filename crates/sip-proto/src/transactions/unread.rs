//! Refusals that cost a fraction of what a request would: a server with too much to do must not spend its time on saying so.

use chappe_sip_msg::{Method, ResponseWriter, skim};

use super::matching::branch_key;
use super::{Transactions, answer};
use crate::Peer;

/// What became of a datagram that was hardly read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unread {
    /// It is refused; the answer is for this peer.
    Refused(Peer),
    /// It repeats a request that has a transaction, or ends one: for [`Transactions::receive`].
    Known,
    /// It must be parsed to be judged.
    Odd,
}

impl Transactions {
    /// Appends the answer to a new request that is refused with this status and one header, without parsing it and without
    /// a transaction, RFC 3261 §8.2.7: the same request gets the same tag.
    pub fn refuse_unread(
        &mut self,
        datagram: &[u8],
        source: Peer,
        code: u16,
        (name, value): (&str, &[u8]),
        out: &mut Vec<u8>,
    ) -> Unread {
        let Some(request) = skim(datagram) else { return Unread::Odd };
        if request.method == Method::Ack {
            return Unread::Known;
        }
        let Some(key) = branch_key(request.method, &request.via, self.match_key) else { return Unread::Odd };
        if self.servers.find(key).is_some() {
            return Unread::Known;
        }
        self.outbox.counters.refused += 1;
        let tag = self.servers.tag(key);
        let tag = std::str::from_utf8(&tag).unwrap_or_default();
        let mut response = ResponseWriter::skimmed(&request, Some(source.addr), code, "", tag, out);
        response.header(name, value);
        response.finish();
        Unread::Refused(answer::destination(&request.via, source))
    }
}
