//! OPTIONS to registered devices, which keep the way through a NAT open and tell whether they are there: on a profile's
//! first shard. FreeSWITCH sofia_reg.c sofia_reg_check_ping_expire, sofia.c sofia_handle_sip_r_options.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chappe_sip_msg::{Method, RequestWriter};
use chappe_sip_proto::ClientId;
use chappe_sip_proto::registrar::{Aor, Binding};
use hashbrown::HashMap;

use super::Shard;
use crate::config::{PingConfig, Pinged};
use crate::notices::{self, Ping};
use crate::way::{is_behind_nat, way_to};

/// Questions under way; with more none is asked, and who was not asked is asked in the next round.
const MOST: usize = 20_000;

/// A device that was asked.
struct Asked {
    aor: Aor,
    binding: Arc<Binding>,
}

/// Questions under way, and what is known of devices that did not answer.
#[derive(Default)]
pub(super) struct Pings {
    asked: HashMap<ClientId, Asked>,
    /// By the registration's number: answers in stock of those with fewer than the most.
    stock: HashMap<u64, Stock>,
    /// Whose turn it is, in 256ths of a round.
    turn: f64,
    last: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Stock {
    count: u32,
    is_reachable: bool,
    at: Instant,
}

impl Pings {
    /// Whether nothing is under way, so that no answer is one to us.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Counts an answer, or that there was none; what has changed.
    fn count(&mut self, now: Instant, serial: u64, answered: bool, config: &PingConfig) -> Option<bool> {
        let full = Stock { count: config.max, is_reachable: true, at: now };
        let mut stock = self.stock.get(&serial).copied().unwrap_or(full);
        let before = stock.is_reachable;
        stock.count =
            if answered { (stock.count + 1).min(config.max) } else { stock.count.saturating_sub(1) };
        // Deviation: FreeSWITCH begins with an empty stock, so that one lost datagram makes a new phone unreachable.
        stock.is_reachable = stock.count >= config.min;
        stock.at = now;
        if stock.count == config.max {
            self.stock.remove(&serial);
        } else {
            self.stock.insert(serial, stock);
        }
        (before != stock.is_reachable).then_some(stock.is_reachable)
    }
}

impl Shard {
    /// Asks those whose turn it is: all of them once in an interval, a few each time.
    pub(super) fn ping(&mut self, now: Instant) {
        let config = self.profile.settings().config.ping;
        if config.whom == Pinged::Nobody {
            return;
        }
        let registrar = self.profile.registrar.clone();
        let stripes = registrar.stripes();
        let passed = self.pings.last.replace(now).map_or(1.0, |last| (now - last).as_secs_f64());
        let until = self.pings.turn + stripes as f64 * passed / config.interval.as_secs_f64();
        let until = until.min(self.pings.turn + stripes as f64);
        for stripe in self.pings.turn as usize..until as usize {
            for (aor, binding) in
                registrar.of_stripe(stripe % stripes, |binding| is_asked(config.whom, binding))
            {
                if self.pings.asked.len() < MOST {
                    self.send_ping(now, aor, binding);
                }
            }
        }
        if until >= stripes as f64 {
            // What nobody has asked for two rounds is not there any more.
            let old = config.interval * 2;
            self.pings.stock.retain(|_, stock| now - stock.at <= old);
        }
        self.pings.turn = until % stripes as f64;
    }

    fn send_ping(&mut self, now: Instant, aor: Aor, binding: Arc<Binding>) {
        let settings = self.profile.settings();
        let peer = way_to(&binding, |peer| self.profile.connections().is_open(peer));
        let branch = self.transactions.new_branch();
        self.random.uuid(&mut self.call_id);
        let (transport, sent_by) = (peer.transport, settings.sent_by_to(&self.world, peer));
        let tag = self.random.next();
        let mut out = Vec::with_capacity(512);
        let mut request = RequestWriter::new(Method::Options, binding.contact(), &mut out);
        request.header("Via", format!("SIP/2.0/{transport} {sent_by};rport;branch={}", branch.as_str()));
        request.header("Max-Forwards", "70");
        for hop in binding.path() {
            request.header("Route", format!("<{hop}>"));
        }
        request.header("From", format!("<{}>;tag={tag:016x}", settings.login));
        request.header("To", format!("<sip:{aor}>"));
        request.header("Call-ID", &self.call_id);
        request.header("CSeq", "1 OPTIONS");
        request.header("Contact", &settings.contact);
        request.header("User-Agent", &settings.config.user_agent);
        request.finish();
        let client = self.transactions.request(now, branch, Bytes::from(out), peer);
        self.pings.asked.insert(client, Asked { aor, binding });
    }

    /// What came of a question; `false`: the request was none.
    pub(super) fn pinged(&mut self, now: Instant, client: ClientId, code: u16, phrase: &str) -> bool {
        if self.pings.is_empty() {
            return false;
        }
        let Some(Asked { aor, binding }) = self.pings.asked.remove(&client) else { return false };
        let config = self.profile.settings().config.ping;
        // Deviation: for FreeSWITCH only 200 and 486 count. Whoever refuses the method is there.
        let answered = !matches!(code, 0 | 404 | 408 | 410 | 480 | 503);
        let Some(is_reachable) = self.pings.count(now, binding.serial(), answered, &config) else {
            return true;
        };
        let now_is = if is_reachable { "Reachable" } else { "Unreachable" };
        tracing::warn!("Sip user '{aor}' is now {now_is}");
        let ping = Ping { is_reachable, code, phrase };
        notices::pinged(&self.world, &self.profile, &aor, &binding, &ping);
        if !is_reachable && config.unregister {
            tracing::warn!("Expire sip user '{aor}' due to options failure");
            if let Some(gone) = self.profile.registrar.remove(&aor, binding.serial()) {
                notices::expired(&self.world, &self.profile, &gone);
            }
        }
        true
    }
}

fn is_asked(whom: Pinged, binding: &Binding) -> bool {
    match whom {
        Pinged::Nobody => false,
        Pinged::All => true,
        Pinged::Nat => is_behind_nat(binding),
        Pinged::UdpNat => !binding.received().transport.is_reliable() && is_behind_nat(binding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_device_is_unreachable_after_so_many_questions_and_reachable_after_one_answer() {
        let config = PingConfig {
            whom: Pinged::All,
            interval: Duration::from_secs(30),
            min: 1,
            max: 3,
            unregister: false,
        };
        let (mut pings, now) = (Pings::default(), Instant::now());
        let mut changes = String::new();
        for answer in "..x.xxxx.x....".chars() {
            changes.push(match pings.count(now, 1, answer == '.', &config) {
                None => '-',
                Some(true) => 'R',
                Some(false) => 'U',
            });
        }
        assert_eq!(changes, "------U-RUR---");
        assert!(pings.stock.is_empty(), "nothing is remembered of who answers");
    }
}
