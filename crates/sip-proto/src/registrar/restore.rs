//! Bindings of an earlier run, put back while REGISTERs may already come: what those say counts.

use std::sync::Arc;
use std::time::Instant;

use hashbrown::HashMap;

use super::register::{Contacts, Register};
use super::update::Applied;
use super::{Aor, Binding, Bindings, Found, Multiple, Policy};
use crate::siphash::HashKey;

/// Most contacts and Call-IDs that are remembered of one user; with more, none of its bindings is put back.
const MOST_OF_A_USER: usize = 16;
/// Most users of whom something is remembered; with more, nothing is put back any more.
const MOST_USERS: usize = 8_192;

/// What REGISTERs have said since [`Bindings::begin_restore`] about bindings that may still be put back.
#[derive(Debug)]
pub(super) struct Claims {
    users: HashMap<Aor, Vec<Claim>, HashKey>,
    /// Too much was said to be remembered.
    everything: bool,
}

/// Which bindings of a user a REGISTER has decided about.
#[derive(PartialEq, Eq, Debug)]
enum Claim {
    All,
    Contact(Box<str>),
    Flow(Box<str>),
    CallId(Box<str>),
}

impl Claim {
    fn is_about(&self, binding: &Binding) -> bool {
        match self {
            Self::All => true,
            Self::Contact(contact) => binding.is_for(contact),
            Self::Flow(flow) => binding.flow() == &**flow,
            Self::CallId(call_id) => *binding.call_id() == **call_id,
        }
    }
}

impl Claims {
    fn new(hash: HashKey) -> Self {
        Self { users: HashMap::with_hasher(hash), everything: false }
    }

    /// Takes note of a REGISTER that was applied.
    pub(super) fn note(&mut self, aor: &Aor, register: &Register<'_>, policy: &Policy, applied: &Applied) {
        if register.is_fetch() || self.everything {
            return;
        }
        let claims = self.users.entry(aor.clone()).or_default();
        let binds = !applied.added.is_empty() || !applied.refreshed.is_empty();
        match &register.contacts {
            Contacts::These(these) if !(binds && policy.multiple == Multiple::No) => {
                for wanted in these {
                    claim(claims, Claim::Contact((*wanted.uri).into()));
                    if !wanted.flow.is_empty() {
                        claim(claims, Claim::Flow(wanted.flow.clone()));
                    }
                }
                if binds && policy.multiple == Multiple::ByCallId {
                    claim(claims, Claim::CallId((*register.call_id).into()));
                }
            }
            _ => *claims = vec![Claim::All],
        }
        if self.users.len() > MOST_USERS {
            *self = Self { everything: true, ..Self::new(*self.users.hasher()) };
        }
    }

    fn are_about(&self, aor: &Aor, binding: &Binding) -> bool {
        let of_user = self.users.get(aor).into_iter().flatten();
        self.everything || of_user.into_iter().any(|claim| claim.is_about(binding))
    }
}

fn claim(claims: &mut Vec<Claim>, claim: Claim) {
    match claims.first() {
        Some(Claim::All) => {}
        _ if claims.contains(&claim) => {}
        _ if claims.len() == MOST_OF_A_USER => *claims = vec![Claim::All],
        _ => claims.push(claim),
    }
}

impl Bindings {
    /// Remembers what REGISTERs say from here to [`Bindings::end_restore`], so that [`Bindings::restore`] undoes none of it.
    pub fn begin_restore(&mut self) {
        self.claims = Some(Box::new(Claims::new(self.key.0)));
    }

    /// Puts a binding of an earlier run back. Of a user's bindings those that are put back later count as the later
    /// refreshed ones, and all of them as older than what a REGISTER made. `false`: it is left out, since it ran out, or
    /// a REGISTER has removed, replaced or refreshed it. Limits of a [`Policy`] are not looked at: it has been granted.
    pub fn restore(&mut self, now: Instant, aor: &Aor, mut binding: Binding) -> bool {
        let hash = self.key.hash(aor.as_str());
        let before = Found::from(self.all_of(hash, aor.as_str()));
        let is_claimed = self.claims.as_ref().is_some_and(|claims| claims.are_about(aor, &binding));
        let is_same = |known: &Binding| match binding.flow() {
            "" => known.is_for(binding.contact()),
            flow => known.flow() == flow,
        };
        let is_there = before.iter().any(|known| is_same(known));
        if is_claimed || is_there || !binding.is_live(now) {
            return false;
        }
        let later = before.iter().position(|known| known.since() > binding.since());
        let place = later.unwrap_or(before.len());
        binding.set_user_agent(self.agents.of(binding.user_agent()));
        let mut after = before;
        after.insert(place, Arc::new(binding.numbered(self.next_restored)));
        self.next_restored += 1;
        self.store_by(hash, aor, after);
        true
    }

    /// Nothing more is put back.
    pub fn end_restore(&mut self) {
        self.claims = None;
    }
}
