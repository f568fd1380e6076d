use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::register::{Register, RegisterError};
use super::restore::Claims;
use super::update::{Applied, Update};
use super::{Aor, Binding, Policy};
use crate::siphash::HashKey;

/// Bindings of one user. Nearly always there is one.
pub type Found = SmallVec<[Arc<Binding>; 1]>;

/// The serial numbers below are those of bindings that are put back: older than any that is made here.
const FIRST_SERIAL: u64 = 1 << 40;

/// Who can be reached where.
#[derive(Debug)]
pub struct Bindings {
    /// In the order a user's bindings were first made.
    pub(super) users: HashMap<Aor, Found, HashKey>,
    /// By expiry, then serial number.
    expiry: BTreeMap<(Instant, u64), Aor>,
    next_serial: u64,
    pub(super) next_restored: u64,
    /// While bindings of an earlier run are put back.
    pub(super) claims: Option<Box<Claims>>,
}

impl Bindings {
    /// Nobody is registered. `seed` keeps users from choosing names that hash alike; it must be secret.
    pub fn new(seed: u64) -> Self {
        let users = HashMap::with_hasher(HashKey::derive(seed, 0x7265_6773));
        let (next_serial, next_restored) = (FIRST_SERIAL, 0);
        Self { users, expiry: BTreeMap::new(), next_serial, next_restored, claims: None }
    }

    /// Does what a REGISTER asks for `aor`, all of it or, with an error, nothing.
    pub fn apply(
        &mut self,
        now: Instant,
        aor: &Aor,
        register: &Register<'_>,
        policy: &Policy,
    ) -> Result<Applied, RegisterError> {
        let before = self.users.get(aor).cloned().unwrap_or_default();
        // What ran out is as good as gone, though it still waits to be handed out by `expire`.
        let (live, dead): (Found, Found) = before.iter().cloned().partition(|binding| binding.is_live(now));
        let applied = Update::new(now, register, policy, self.next_serial).run(live)?;
        if let Some(claims) = &mut self.claims {
            claims.note(aor, register, policy, &applied);
        }
        if applied.added.is_empty() && applied.refreshed.is_empty() && applied.removed.is_empty() {
            return Ok(applied);
        }
        self.next_serial += register_size(register);
        let after = dead.into_iter().chain(applied.bindings.iter().cloned()).collect();
        self.store(aor, &before, after);
        Ok(applied)
    }

    /// Replaces a user's bindings and keeps the expiry queue in step.
    pub(super) fn store(&mut self, aor: &Aor, before: &Found, after: Found) {
        for binding in before {
            self.expiry.remove(&(binding.expires_at, binding.serial));
        }
        for binding in &after {
            self.expiry.insert((binding.expires_at, binding.serial), aor.clone());
        }
        if after.is_empty() {
            self.users.remove(aor);
        } else {
            self.users.insert(aor.clone(), after);
        }
    }

    /// Where to reach a user: the most preferred first, of equals the one made or refreshed last.
    pub fn lookup(&self, now: Instant, aor: &Aor) -> Found {
        self.find(now, aor.as_str())
    }

    /// The same by the text of the address-of-record, without making one.
    pub fn find(&self, now: Instant, aor: &str) -> Found {
        let all = self.users.get(aor).into_iter().flatten();
        let mut found: Found = all.filter(|binding| binding.is_live(now)).cloned().collect();
        found.sort_by_key(|binding| std::cmp::Reverse((binding.q, binding.serial)));
        found
    }

    /// All bindings of a user in the order they were first made, also those that ran out and were not taken out.
    pub fn all(&self, aor: &str) -> &[Arc<Binding>] {
        self.users.get(aor).map_or(&[], |bindings| bindings)
    }

    /// Whether anything leads to the user.
    pub fn is_registered(&self, now: Instant, aor: &str) -> bool {
        self.users.get(aor).into_iter().flatten().any(|binding| binding.is_live(now))
    }

    /// Takes out what ran out by `now`, the earliest first. Costs what it takes out.
    pub fn expire(&mut self, now: Instant) -> Vec<(Aor, Arc<Binding>)> {
        let mut expired = Vec::new();
        while let Some(entry) = self.expiry.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, serial), aor) = entry.remove_entry();
            let binding = self.take(&aor, |binding| binding.serial == serial);
            expired.extend(binding.into_iter().map(|binding| (aor.clone(), binding)));
        }
        expired
    }

    /// When the next binding runs out.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.expiry.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out a user's bindings that `which` picks.
    pub fn remove(&mut self, aor: &Aor, which: impl Fn(&Binding) -> bool) -> Found {
        let removed = self.take(aor, which);
        for binding in &removed {
            self.expiry.remove(&(binding.expires_at, binding.serial));
        }
        removed
    }

    /// Takes out everybody's bindings that `which` picks, in the order of [`Bindings::iter`]. Costs a look at each.
    pub fn remove_all(&mut self, which: impl Fn(&Aor, &Binding) -> bool) -> Vec<(Aor, Arc<Binding>)> {
        let picked = self.iter().filter(|(aor, binding)| which(aor, binding));
        let picked: Vec<_> = picked.map(|(aor, binding)| (aor.clone(), binding.clone())).collect();
        for (aor, binding) in &picked {
            self.remove(aor, |other| other.serial == binding.serial);
        }
        picked
    }

    fn take(&mut self, aor: &Aor, which: impl Fn(&Binding) -> bool) -> Found {
        let Some(bindings) = self.users.get_mut(aor) else {
            return Found::new();
        };
        let (taken, left): (Found, Found) = bindings.drain(..).partition(|binding| which(binding));
        *bindings = left;
        if bindings.is_empty() {
            self.users.remove(aor);
        }
        taken
    }

    /// All bindings, sorted by address-of-record, a user's in the order they were first made. Those that ran out and
    /// were not taken out are among them.
    pub fn iter(&self) -> impl Iterator<Item = (&Aor, &Arc<Binding>)> {
        let mut users: Vec<_> = self.users.iter().collect();
        users.sort_unstable_by_key(|(aor, _)| *aor);
        users.into_iter().flat_map(|(aor, bindings)| bindings.iter().map(move |binding| (aor, binding)))
    }

    /// How many bindings there are.
    pub fn len(&self) -> usize {
        self.expiry.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.expiry.is_empty()
    }
}

/// As many serial numbers as a REGISTER can use up.
fn register_size(register: &Register<'_>) -> u64 {
    match &register.contacts {
        super::Contacts::All => 0,
        super::Contacts::These(these) => these.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `malloc` adds to an allocation, at most.
    const OVERHEAD: usize = 16;

    /// A binding of a phone that is reached directly; each Path URI adds its own length.
    #[test]
    fn a_binding_costs_less_than_700_bytes() {
        let contact = "sip:1004@192.168.111.222:45060;transport=udp;rinstance=0123456789abcdef";
        let call_id = "0123456789abcdef0123456789abcdef@192.168.111.222";
        let user_agent = "Some Vendor Softphone 5.12.3 build 20260401";
        let aor = "1004@pbx.customer.example.com";
        let texts =
            [contact, call_id, user_agent, aor].map(|text| text.len() + OVERHEAD).iter().sum::<usize>();
        let counts = 2 * 2 * size_of::<usize>();
        let binding = size_of::<Binding>() + OVERHEAD;
        // Hash table and tree just after they grew: half full.
        let user = 2 * (size_of::<(Aor, Found)>() + 1);
        let expiry = 2 * size_of::<((Instant, u64), Aor)>();
        let all = texts + counts + binding + user + expiry;
        assert!(all <= 700, "{all} = {texts} + {counts} + {binding} + {user} + {expiry}");
    }
}
