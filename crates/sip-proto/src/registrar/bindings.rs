use std::sync::Arc;
use std::time::Instant;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use smallvec::SmallVec;

use super::agents::Agents;
use super::aor_hash::{AorHash, AorKey};
use super::expiry::Expiry;
use super::register::{Register, RegisterError};
use super::restore::Claims;
use super::stamp::Stamp;
use super::update::{Applied, Update};
use super::{Aor, Binding, Policy};
use crate::siphash::HashKey;

/// Bindings of one user. Nearly always there is one.
pub type Found = SmallVec<[Arc<Binding>; 1]>;

/// The serial numbers below those of bindings that are put back: older than any that is made here.
const FIRST_SERIAL: u64 = 1 << 40;

/// Who can be reached where.
///
/// A lookup costs the user's place in the table and the bindings themselves, a refresh the same: when a user is to be
/// looked at again is noted once, and moved on when that time has come, see [`Expiry`].
#[derive(Debug)]
pub struct Bindings {
    /// In boxes: the table, which is half empty at times, stays small.
    users: HashTable<Box<User>>,
    pub(super) key: AorKey,
    expiry: Expiry,
    pub(super) agents: Agents,
    /// Of all users.
    len: usize,
    next_serial: u64,
    pub(super) next_restored: u64,
    /// While bindings of an earlier run are put back.
    pub(super) claims: Option<Box<Claims>>,
}

#[derive(Debug)]
struct User {
    aor: Aor,
    /// In the order they were first made; never empty.
    bindings: Found,
    /// The time in [`Expiry`] that counts: no binding runs out before it.
    armed: Stamp,
}

impl User {
    /// Reads a little of each place in memory.
    fn touch(&self) -> (Option<u8>, Option<u8>) {
        let name = self.aor.as_str().bytes().next();
        (name, self.bindings.first().and_then(|binding| binding.touch()))
    }

    /// When the next of the bindings runs out.
    fn due(&self) -> Stamp {
        due(&self.bindings).unwrap_or(self.armed)
    }
}

fn due(bindings: &Found) -> Option<Stamp> {
    bindings.iter().map(|binding| binding.expires()).min()
}

impl Bindings {
    /// Nobody is registered. `seed` keeps users from choosing names that hash alike; it must be secret.
    pub fn new(seed: u64) -> Self {
        Self {
            users: HashTable::new(),
            key: AorKey::new(seed),
            expiry: Expiry::default(),
            agents: Agents::new(HashKey::derive(seed, 0x6167_656e)),
            len: 0,
            next_serial: FIRST_SERIAL,
            next_restored: 0,
            claims: None,
        }
    }

    fn user(&self, aor: &str) -> Option<&User> {
        self.user_of(self.key.hash(aor), aor)
    }

    fn user_of(&self, hash: AorHash, aor: &str) -> Option<&User> {
        self.users.find(hash.0, |user| user.aor.as_str() == aor).map(|user| &**user)
    }

    /// The bindings of a user whose hash is known.
    pub(super) fn all_of(&self, hash: AorHash, aor: &str) -> &[Arc<Binding>] {
        self.user_of(hash, aor).map_or(&[], |user| &user.bindings)
    }

    /// Does what a REGISTER asks for `aor`, all of it or, with an error, nothing.
    pub fn apply(
        &mut self,
        now: Instant,
        aor: &Aor,
        register: &Register<'_>,
        policy: &Policy,
    ) -> Result<Applied, RegisterError> {
        // What ran out is as good as gone, though it still waits to be handed out by `expire`.
        let all = self.all(aor.as_str()).iter().cloned();
        let (live, dead): (Found, Found) = all.partition(|binding| binding.is_live(now));
        let update = Update::new(now, register, policy, self.next_serial, &mut self.agents);
        let mut applied = update.run(live.clone())?;
        if let Some(claims) = &mut self.claims {
            claims.note(aor, register, policy, &applied);
        }
        if applied.added.is_empty() && applied.refreshed.is_empty() && applied.removed.is_empty() {
            return Ok(applied);
        }
        let is_left = |known: &Arc<Binding>| applied.bindings.iter().any(|left| Arc::ptr_eq(left, known));
        applied.gone = live.into_iter().filter(|known| !is_left(known)).collect();
        self.next_serial += register_size(register);
        self.store(aor, dead.into_iter().chain(applied.bindings.iter().cloned()).collect());
        Ok(applied)
    }

    /// Replaces a user's bindings.
    pub(super) fn store(&mut self, aor: &Aor, after: Found) {
        self.store_by(self.key.hash(aor.as_str()), aor, after);
    }

    pub(super) fn store_by(&mut self, AorHash(hash): AorHash, aor: &Aor, after: Found) {
        let key = self.key;
        let entry = self.users.entry(hash, |user| user.aor == *aor, |user| key.hash(user.aor.as_str()).0);
        match (entry, due(&after)) {
            (Entry::Vacant(_), None) => {}
            (Entry::Vacant(free), Some(due)) => {
                self.len += after.len();
                self.expiry.arm(due, hash);
                free.insert(Box::new(User { aor: aor.clone(), bindings: after, armed: due }));
            }
            (Entry::Occupied(known), None) => {
                let (user, _) = known.remove();
                self.len -= user.bindings.len();
            }
            (Entry::Occupied(mut known), Some(due)) => {
                let user = known.get_mut();
                self.len = self.len - user.bindings.len() + after.len();
                user.bindings = after;
                // A later time needs nothing: the user is looked at too early, and noted anew then.
                if due < user.armed {
                    user.armed = due;
                    self.expiry.arm(due, hash);
                }
            }
        }
        self.tidy();
    }

    /// Where to reach a user: the most preferred first, of equals the one made or refreshed last.
    pub fn lookup(&self, now: Instant, aor: &Aor) -> Found {
        self.find(now, aor.as_str())
    }

    /// The same by the text of the address-of-record, without making one.
    pub fn find(&self, now: Instant, aor: &str) -> Found {
        self.find_hashed(now, self.key.hash(aor), aor)
    }

    /// The same by the hash of that text under this table's key.
    pub fn find_hashed(&self, now: Instant, hash: AorHash, aor: &str) -> Found {
        let mut found: Found =
            self.all_of(hash, aor).iter().filter(|binding| binding.is_live(now)).cloned().collect();
        if found.len() > 1 {
            found.sort_by_key(|binding| std::cmp::Reverse((binding.q(), binding.serial())));
        }
        found
    }

    /// Reads what a lookup will read, so that it finds that in the processor's cache. A loop of these waits for many users' memory
    /// at once, as none depends on another.
    pub fn bring_near(&self, hash: AorHash) {
        // Whoever has such a hash will do: nearly always that is the one.
        let _ = self.users.find(hash.0, |user| {
            std::hint::black_box(user.touch());
            false
        });
    }

    /// All bindings of a user in the order they were first made, also those that ran out and were not taken out.
    pub fn all(&self, aor: &str) -> &[Arc<Binding>] {
        self.user(aor).map_or(&[], |user| &user.bindings)
    }

    /// Whether anything leads to the user.
    pub fn is_registered(&self, now: Instant, aor: &str) -> bool {
        self.all(aor).iter().any(|binding| binding.is_live(now))
    }

    /// Takes out what ran out by `now`, the earliest first, and looks at no more users than `looks`, from which it takes
    /// those it looked at: where [`Bindings::next_look`] has come then, there is more.
    pub fn expire(&mut self, now: Instant, looks: &mut usize) -> Vec<(Aor, Arc<Binding>)> {
        let mut expired = Vec::new();
        while *looks > 0 {
            let Some((at, hash)) = self.expiry.pop(now) else { break };
            *looks -= 1;
            // Of two users with one hash and one time either will do: the other one has its own note.
            let found = self
                .users
                .find_entry(hash, |user| user.armed == at && self.key.hash(user.aor.as_str()).0 == hash);
            let Ok(mut entry) = found else { continue };
            let user = entry.get_mut();
            let before = user.bindings.len();
            let aor = &user.aor;
            user.bindings.retain(|binding| {
                let is_live = binding.is_live(now);
                if !is_live {
                    expired.push((aor.clone(), binding.clone()));
                }
                is_live
            });
            self.len = self.len - before + user.bindings.len();
            if user.bindings.is_empty() {
                entry.remove();
            } else {
                user.armed = user.due();
                self.expiry.arm(user.armed, hash);
            }
        }
        expired.sort_by_key(|(_, binding)| (binding.expires(), binding.serial()));
        self.tidy();
        expired
    }

    /// When [`Bindings::expire`] has something to look at: no binding runs out before.
    pub fn next_look(&self) -> Option<Instant> {
        self.expiry.next()
    }

    /// Times that count for nobody must not pile up.
    fn tidy(&mut self) {
        if !self.expiry.is_untidy(self.users.len()) {
            return;
        }
        let key = self.key;
        let armed = self.users.iter_mut().map(|user| {
            user.armed = user.due();
            (user.armed, key.hash(user.aor.as_str()).0)
        });
        self.expiry.replace(armed.collect());
    }

    /// Takes out a user's bindings that `which` picks.
    pub fn remove(&mut self, aor: &Aor, which: impl Fn(&Binding) -> bool) -> Found {
        let all = self.all(aor.as_str()).iter().cloned();
        let (taken, left): (Found, Found) = all.partition(|binding| which(binding));
        if !taken.is_empty() {
            self.store(aor, left);
        }
        taken
    }

    /// Takes out everybody's bindings that `which` picks, in the order of [`Bindings::iter`]. Costs a look at each.
    pub fn remove_all(&mut self, which: impl Fn(&Aor, &Binding) -> bool) -> Vec<(Aor, Arc<Binding>)> {
        let picked = self.iter().filter(|(aor, binding)| which(aor, binding));
        let picked: Vec<_> = picked.map(|(aor, binding)| (aor.clone(), binding.clone())).collect();
        for (aor, binding) in &picked {
            self.remove(aor, |other| other.serial() == binding.serial());
        }
        picked
    }

    /// All bindings, sorted by address-of-record, a user's in the order they were first made. Those that ran out and
    /// were not taken out are among them.
    pub fn iter(&self) -> impl Iterator<Item = (&Aor, &Arc<Binding>)> {
        let mut users: Vec<_> = self.users.iter().collect();
        users.sort_unstable_by_key(|user| &user.aor);
        users.into_iter().flat_map(|user| user.bindings.iter().map(move |binding| (&user.aor, binding)))
    }

    /// The same in no particular order, for whoever sorts by himself: nothing is allocated.
    pub fn unsorted(&self) -> impl Iterator<Item = (&Aor, &[Arc<Binding>])> {
        self.users.iter().map(|user| (&user.aor, &user.bindings[..]))
    }

    /// How many bindings there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
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

    /// A binding of a phone that is reached directly; each Path URI adds its own length. Its User-Agent is one of those
    /// that many have.
    #[test]
    fn a_binding_costs_at_most_480_bytes() {
        let contact = "sip:1004@192.168.111.222:45060;transport=udp;rinstance=0123456789abcdef";
        let call_id = "0123456789abcdef0123456789abcdef@192.168.111.222";
        let aor = "1004@pbx.customer.example.com";
        let counts = 2 * size_of::<usize>();
        let texts = contact.len() + call_id.len() + aor.len() + 2 * (counts + OVERHEAD);
        let binding = size_of::<Binding>() + counts + OVERHEAD;
        // Just after they grew: half full.
        let user = size_of::<User>() + OVERHEAD + 2 * (size_of::<Box<User>>() + 1);
        let expiry = 2 * Expiry::ENTRY;
        let all = texts + binding + user + expiry;
        assert!(all <= 480, "{all} = {texts} + {binding} + {user} + {expiry}");
    }
}
