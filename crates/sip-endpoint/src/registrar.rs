//! A profile's bindings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Instant;

use chappe_sip_proto::registrar::{
    Aor, AorHash, AorKey, Applied, Binding, Bindings, Found, Policy, Register, RegisterError,
};
use parking_lot::{Mutex, MutexGuard};

use crate::inbound::came;
use crate::kept::Keeper;
use crate::nat;
use crate::profile::{Profile, transport_name};
use crate::shard::Random;
use crate::world::World;

/// So many shards at a time rarely meet at one lock; and whoever looks at all bindings holds only a few thousand of a
/// million up at a time.
const STRIPES: usize = 256;
/// Users looked at by one [`Registrar::expire`].
const MOST_LOOKS: usize = 1024;
/// And under one lock.
const MOST_LOOKS_OF_A_STRIPE: usize = 64;

/// The bindings of an earlier run are here.
const RESTORED: u8 = 1;
/// Messages find the profile.
const FOUND: u8 = 2;

/// Users and their bindings, striped so that shards don't wait for each other.
///
/// Invariant: the store hears of every change, and of a user's changes in their order: it is told under the stripe's lock,
/// which is short, since a store only takes note.
pub struct Registrar {
    stripes: Box<[Mutex<Bindings>]>,
    key: AorKey,
    /// Bindings in all stripes.
    count: AtomicUsize,
    /// The stripe at which [`Registrar::expire`] begins.
    turn: AtomicUsize,
    keeper: Keeper,
    /// [`RESTORED`], [`FOUND`].
    reached: AtomicU8,
}

/// What [`Registrar::expire`] has done.
pub struct Expired {
    pub bindings: Vec<(Aor, Arc<Binding>)>,
    /// More has run out, and waits for the next call.
    pub more: bool,
}

/// A binding as `show registrations` and `sofia status` see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub user: String,
    pub domain: String,
    pub profile: String,
    pub contact: String,
    /// `sofia/internal/sip:1009@192.0.2.1:5060`.
    pub url: String,
    pub call_id: String,
    pub user_agent: String,
    /// Seconds since 1970.
    pub expires: i64,
    pub network: SocketAddr,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: &'static str,
    /// The profile has found out that its device is behind a NAT.
    pub is_nat: bool,
}

impl Registrar {
    pub fn new(keeper: Keeper) -> Self {
        let seed = Random::new().next();
        let stripes = (0..STRIPES).map(|_| Mutex::new(Bindings::new(seed))).collect();
        Self {
            stripes,
            key: AorKey::new(seed),
            count: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            keeper,
            reached: AtomicU8::new(0),
        }
    }

    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    fn stripe(&self, aor: &str) -> &Mutex<Bindings> {
        self.stripe_of(self.key.hash(aor))
    }

    fn stripe_of(&self, hash: AorHash) -> &Mutex<Bindings> {
        // A part is less than STRIPES.
        &self.stripes[hash.part(STRIPES)]
    }

    /// Changes a stripe, and keeps count.
    fn change<T>(&self, stripe: &Mutex<Bindings>, change: impl FnOnce(&mut Bindings) -> T) -> T {
        let mut bindings = stripe.lock();
        let before = bindings.len();
        let changed = change(&mut bindings);
        // Wraps around where there are fewer.
        self.count.fetch_add(bindings.len().wrapping_sub(before), Ordering::Relaxed);
        changed
    }

    pub fn apply(
        &self,
        now: Instant,
        aor: &Aor,
        register: &Register<'_>,
        policy: &Policy,
    ) -> Result<Applied, RegisterError> {
        self.change(self.stripe(aor.as_str()), |bindings| {
            let applied = bindings.apply(now, aor, register, policy)?;
            self.keeper.changed(aor, &applied, bindings.all(aor.as_str()));
            Ok(applied)
        })
    }

    /// REGISTERs that come from here on win over what [`Registrar::restore`] puts back.
    pub fn begin_restore(&self) {
        self.stripes.iter().for_each(|stripe| stripe.lock().begin_restore());
    }

    /// Puts a binding of an earlier run back; `false`: it is left out, and forgotten, since a REGISTER has decided otherwise.
    pub fn restore(&self, now: Instant, aor: &Aor, binding: Binding) -> bool {
        self.change(self.stripe(aor.as_str()), |bindings| {
            // A clone shares the texts.
            let is_back = bindings.restore(now, aor, binding.clone());
            if !is_back {
                self.keeper.gone(aor, &binding, bindings.all(aor.as_str()));
            }
            is_back
        })
    }

    pub fn end_restore(&self, world: &World) {
        self.stripes.iter().for_each(|stripe| stripe.lock().end_restore());
        self.reach(RESTORED, world);
    }

    /// Whether nothing more is put back.
    pub fn is_restored(&self) -> bool {
        self.reached.load(Ordering::Acquire) & RESTORED != 0
    }

    /// Messages find the profile from here on.
    pub fn found(&self, world: &World) {
        self.reach(FOUND, world);
    }

    /// The profile was stopped.
    pub fn lost(&self) {
        self.reached.fetch_and(!FOUND, Ordering::AcqRel);
    }

    /// Who can be written to from here on: everybody with a binding, once bindings are back and messages find the profile.
    fn reach(&self, step: u8, world: &World) {
        // With a million users that is only worth it where somebody may wait.
        if self.is_reached_by(step) && !world.deps.router.queue().is_empty() {
            self.users().iter().for_each(|aor| came(world, aor, true));
        }
    }

    /// Takes a step; whether it was the last.
    fn is_reached_by(&self, step: u8) -> bool {
        const BOTH: u8 = RESTORED | FOUND;
        let before = self.reached.fetch_or(step, Ordering::AcqRel);
        before != BOTH && before | step == BOTH
    }

    /// Everybody with a binding, in an order that does not depend on the hash.
    fn users(&self) -> Vec<Aor> {
        let mut users = Vec::new();
        for stripe in &self.stripes {
            users.extend(stripe.lock().unsorted().map(|(aor, _)| aor.clone()));
        }
        users.sort_unstable();
        users
    }

    /// The user's bindings, the most preferred first.
    pub fn lookup(&self, now: Instant, user: &str, domain: &str) -> Found {
        self.find(now, Aor::of(user, domain).as_str())
    }

    /// The same by the text of the address-of-record.
    pub fn find(&self, now: Instant, aor: &str) -> Found {
        let hash = self.key.hash(aor);
        self.stripe_of(hash).lock().find_hashed(now, hash, aor)
    }

    /// By which [`Registrar::bring_near`] knows a user.
    pub fn hash(&self, aor: &str) -> AorHash {
        self.key.hash(aor)
    }

    /// Has the processor fetch what lookups of these users will read, all at once: of very many users hardly any is in its caches,
    /// and one after the other each would be waited for. Leaves out whom another thread is at.
    pub fn bring_near(&self, users: &mut [AorHash]) {
        // Locks first: an instruction that locks waits for all that was read before.
        users.sort_unstable_by_key(|user| user.part(STRIPES));
        let stripes = users.chunk_by(|one, other| one.part(STRIPES) == other.part(STRIPES));
        let locked: Vec<(MutexGuard<'_, Bindings>, &[AorHash])> =
            stripes.filter_map(|users| Some((self.stripe_of(*users.first()?).try_lock()?, users))).collect();
        for (bindings, users) in &locked {
            users.iter().for_each(|user| bindings.bring_near(*user));
        }
    }

    /// Takes out what ran out. With very many at once it stops after a while: then there is more.
    pub fn expire(&self, now: Instant) -> Expired {
        let first = self.turn.load(Ordering::Relaxed);
        let mut expired = Expired { bindings: Vec::new(), more: false };
        let mut looks = MOST_LOOKS;
        for turn in 0..STRIPES {
            let stripe = (first + turn) % STRIPES;
            if looks == 0 {
                // Where it stopped it goes on, so that none is left out for long.
                self.turn.store(stripe, Ordering::Relaxed);
                expired.more = true;
                break;
            }
            let mut most = looks.min(MOST_LOOKS_OF_A_STRIPE);
            let come = |bindings: &Bindings| bindings.next_look().is_some_and(|at| at <= now);
            self.change(&self.stripes[stripe], |bindings| {
                if !come(bindings) {
                    return;
                }
                looks -= most;
                let taken = bindings.expire(now, &mut most);
                looks += most;
                self.forget(bindings, &taken);
                expired.bindings.extend(taken);
                expired.more |= come(bindings);
            });
        }
        expired
    }

    /// Takes out the bindings that `which` picks.
    pub fn flush(&self, which: impl Fn(&Aor, &Binding) -> bool) -> Vec<(Aor, Arc<Binding>)> {
        let mut all = Vec::new();
        for stripe in &self.stripes {
            all.extend(self.change(stripe, |bindings| {
                let taken = bindings.remove_all(&which);
                self.forget(bindings, &taken);
                taken
            }));
        }
        all
    }

    fn forget(&self, bindings: &Bindings, taken: &[(Aor, Arc<Binding>)]) {
        for (aor, binding) in taken {
            self.keeper.gone(aor, binding, bindings.all(aor.as_str()));
        }
    }

    /// In so many parts [`Registrar::of_stripe`] hands the bindings out.
    pub fn stripes(&self) -> usize {
        STRIPES
    }

    /// The live bindings of one part that `fits` picks.
    pub fn of_stripe(&self, stripe: usize, fits: impl Fn(&Binding) -> bool) -> Vec<(Aor, Arc<Binding>)> {
        let now = Instant::now();
        let bindings = self.stripes[stripe].lock();
        let all = bindings.unsorted().flat_map(|(aor, all)| all.iter().map(move |binding| (aor, binding)));
        let fitting = all.filter(|(_, binding)| binding.is_live(now) && fits(binding));
        fitting.map(|(aor, binding)| (aor.clone(), binding.clone())).collect()
    }

    /// Takes one binding out, unless it was refreshed meanwhile.
    pub fn remove(&self, aor: &Aor, serial: u64) -> Option<(Aor, Arc<Binding>)> {
        self.change(self.stripe(aor.as_str()), |bindings| {
            let taken = bindings.remove(aor, |binding| binding.serial() == serial).into_iter().next()?;
            let taken = (aor.clone(), taken);
            self.forget(bindings, std::slice::from_ref(&taken));
            Some(taken)
        })
    }

    /// How many bindings there are.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many live bindings `fits` picks. Looks at all, but at no more than a stripe at a time.
    pub fn count(&self, fits: impl Fn(&Aor, &Binding) -> bool) -> usize {
        let now = Instant::now();
        let of_user = |aor: &Aor, bindings: &[Arc<Binding>]| {
            bindings.iter().filter(|binding| binding.is_live(now) && fits(aor, binding)).count()
        };
        let of_stripe = |bindings: &Bindings| {
            bindings.unsorted().map(|(aor, bindings)| of_user(aor, bindings)).sum::<usize>()
        };
        self.stripes.iter().map(|stripe| of_stripe(&stripe.lock())).sum()
    }

    /// The live bindings that `fits` picks, sorted by user, domain and contact. A stripe is held no longer than it takes to
    /// look at its bindings: nothing is written down meanwhile.
    pub fn select(&self, fits: impl Fn(&Aor, &Binding) -> bool) -> Vec<(Aor, Arc<Binding>)> {
        let now = Instant::now();
        let mut all = Vec::new();
        for stripe in &self.stripes {
            let bindings = stripe.lock();
            for (aor, of_user) in bindings.unsorted() {
                let fitting = of_user.iter().filter(|binding| binding.is_live(now) && fits(aor, binding));
                all.extend(fitting.map(|binding| (aor.clone(), binding.clone())));
            }
        }
        all.sort_unstable_by(|(one, at), (other, there)| {
            (one.user(), one.domain(), at.contact()).cmp(&(other.user(), other.domain(), there.contact()))
        });
        all
    }

    /// The bindings as others see them.
    pub fn described(all: &[(Aor, Arc<Binding>)], profile: &Profile, world: &World) -> Vec<Registration> {
        let (now, unix) = (Instant::now(), world.unix_seconds());
        all.iter().map(|(aor, binding)| registration(aor, binding, profile, now, unix)).collect()
    }

    /// Every binding, sorted by user, domain and contact.
    pub fn registrations(&self, profile: &Profile, world: &World) -> Vec<Registration> {
        Self::described(&self.select(|_, _| true), profile, world)
    }
}

fn registration(aor: &Aor, binding: &Binding, profile: &Profile, now: Instant, unix: i64) -> Registration {
    let remaining = i64::try_from(binding.remaining(now).as_secs()).unwrap_or(i64::MAX);
    let contact = nat::shown(binding, &profile.settings().config.nat);
    Registration {
        user: aor.user().to_owned(),
        domain: aor.domain().to_owned(),
        profile: profile.name.to_string(),
        url: dial_string(&profile.name, &contact),
        contact: contact.into_owned(),
        call_id: binding.call_id().to_owned(),
        user_agent: binding.user_agent().to_string(),
        expires: unix.saturating_add(remaining),
        network: binding.received().addr,
        transport: transport_name(binding.received().transport),
        is_nat: binding.is_nat(),
    }
}

/// `sofia/internal/sip:1009@192.0.2.1:5060`.
pub fn dial_string(profile: &str, contact: &str) -> String {
    let bare = contact.strip_prefix("sips:").or_else(|| contact.strip_prefix("sip:")).unwrap_or(contact);
    format!("sofia/{profile}/sip:{bare}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use chappe_event::ManualClock;
    use chappe_sip_proto::Peer;
    use chappe_sip_proto::registrar::Multiple;
    use chappe_store::{MemoryStore, Store as _};
    use futures_util::FutureExt as _;

    pub(crate) fn registrar() -> (Registrar, Arc<MemoryStore>) {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::at(0)));
        (Registrar::new(Keeper::new("internal".into(), store.clone(), clock)), store)
    }

    /// Registers `a@d`.
    pub(crate) fn register(registrar: &Registrar, now: Instant, received: Peer, cseq: u32, lines: &str) {
        let request = format!(
            "REGISTER sip:d SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@d>;tag=1\r\n\
             To: <sip:a@d>\r\nCall-ID: x\r\nCSeq: {cseq} REGISTER\r\n{lines}\r\n"
        );
        let message = chappe_sip_msg::parse(request.as_bytes()).unwrap();
        let register = Register::read(&message, received).unwrap();
        let policy = Policy { multiple: Multiple::ByContact, ..Policy::default() };
        // One that is older than another thread's is refused, as it should be.
        let _ = registrar.apply(now, &Aor::of("a", "d"), &register, &policy);
    }

    const PEER: &str = "192.0.2.9:1024";

    fn stored(store: &MemoryStore) -> Vec<(String, u32)> {
        let rows = store.bindings("internal", i64::MIN).now_or_never().unwrap().unwrap();
        rows.into_iter().map(|row| (row.contact.to_string(), row.cseq)).collect()
    }

    #[test]
    fn the_store_follows_what_becomes_of_bindings() {
        let ((registrar, store), now) = (registrar(), Instant::now());
        let at = |second| now + std::time::Duration::from_secs(second);
        let peer = Peer::udp(PEER.parse().unwrap());
        let check = |want: &[(&str, u32)]| {
            let want: Vec<_> = want.iter().map(|(contact, cseq)| ((*contact).to_owned(), *cseq)).collect();
            assert_eq!(stored(&store), want);
        };
        let both = "Contact: <sip:a@one>;expires=60, <sip:a@two>;expires=90\r\n";
        register(&registrar, now, peer, 1, both);
        check(&[("sip:a@one", 1), ("sip:a@two", 1)]);
        // The same contact in other words is another key.
        register(&registrar, now, peer, 2, "Contact: <sip:a@TWO>;expires=90\r\n");
        check(&[("sip:a@TWO", 2), ("sip:a@one", 1)]);
        register(&registrar, now, peer, 2, "Contact: <sip:a@TWO>;expires=0\r\n");
        check(&[("sip:a@TWO", 2), ("sip:a@one", 1)]);
        // It has run out, but nobody has taken it out yet.
        register(&registrar, at(61), peer, 3, "Contact: <sip:a@one>;expires=60\r\n");
        assert_eq!(registrar.expire(at(62)).bindings.len(), 1);
        check(&[("sip:a@TWO", 2), ("sip:a@one", 3)]);
        assert_eq!(registrar.expire(at(100)).bindings.len(), 1);
        check(&[("sip:a@one", 3)]);
        assert_eq!(registrar.flush(|_, _| true).len(), 1);
        check(&[]);
    }

    fn register_user(registrar: &Registrar, now: Instant, user: usize, seconds: u32) {
        let request = format!(
            "REGISTER sip:d SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:{user}@d>;tag=1\r\n\
             To: <sip:{user}@d>\r\nCall-ID: x{user}\r\nCSeq: 1 REGISTER\r\n\
             Contact: <sip:{user}@one>;expires={seconds}\r\n\r\n"
        );
        let message = chappe_sip_msg::parse(request.as_bytes()).unwrap();
        let register = Register::read(&message, Peer::udp(PEER.parse().unwrap())).unwrap();
        registrar.apply(now, &Aor::of(&user.to_string(), "d"), &register, &Policy::default()).unwrap();
    }

    #[test]
    fn those_who_run_out_together_are_taken_out_a_few_at_a_time_and_all_of_them() {
        const USERS: usize = 5000;
        let ((registrar, store), now) = (registrar(), Instant::now());
        (0..USERS).for_each(|user| register_user(&registrar, now, user, 60));
        (0..10).for_each(|user| register_user(&registrar, now, USERS + user, 3600));
        assert_eq!((registrar.len(), stored(&store).len()), (USERS + 10, USERS + 10));
        let later = now + std::time::Duration::from_secs(61);
        let mut left = USERS;
        loop {
            let Expired { bindings, more } = registrar.expire(later);
            assert!(bindings.len() <= MOST_LOOKS);
            left -= bindings.len();
            assert_eq!(registrar.len(), left + 10);
            if !more {
                break;
            }
            assert!(!bindings.is_empty(), "each call gets further");
        }
        assert_eq!((left, stored(&store).len()), (0, 10));
    }

    #[test]
    fn what_is_counted_and_selected_is_what_is_live() {
        let ((registrar, _), now) = (registrar(), Instant::now());
        [30, 4, 2000, 100].iter().for_each(|user| register_user(&registrar, now, *user, 600));
        let users = |fits: &dyn Fn(&Aor, &Binding) -> bool| {
            let all = registrar.select(fits);
            assert_eq!(all.len(), registrar.count(fits));
            all.iter().map(|(aor, _)| aor.user().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(users(&|_, _| true), ["100", "2000", "30", "4"]);
        assert_eq!(users(&|aor, _| aor.user().len() > 2), ["100", "2000"]);
        assert_eq!(registrar.flush(|aor, _| aor.user() == "30").len(), 1);
        assert_eq!(registrar.len(), 3);
    }

    #[test]
    fn whoever_is_there_is_told_of_once_both_steps_are_done() {
        let told = |steps: &[u8]| -> Vec<bool> {
            let (registrar, _) = registrar();
            let step = |step: &u8| match step {
                0 => {
                    registrar.lost();
                    false
                }
                step => registrar.is_reached_by(*step),
            };
            steps.iter().map(step).collect()
        };
        assert_eq!(told(&[RESTORED, FOUND, FOUND, RESTORED]), [false, true, false, false]);
        assert_eq!(told(&[FOUND, FOUND, RESTORED, FOUND]), [false, false, true, false]);
        assert_eq!(told(&[RESTORED, FOUND, 0, FOUND, FOUND]), [false, true, false, true, false]);
        assert_eq!(told(&[RESTORED, 0, RESTORED, FOUND]), [false, false, false, true]);
    }

    #[test]
    fn whom_another_thread_is_at_is_not_waited_for() {
        let (registrar, now) = (registrar().0, Instant::now());
        let peer = Peer::udp(PEER.parse().unwrap());
        register(&registrar, now, peer, 1, "Contact: <sip:a@192.0.2.1>\r\n");
        let mut users: Vec<_> = ["a@d", "nobody@d", "a@d"].map(|aor| registrar.hash(aor)).into();
        registrar.bring_near(&mut users);
        let held = registrar.stripe("a@d").lock();
        registrar.bring_near(&mut users);
        registrar.bring_near(&mut []);
        drop(held);
        assert_eq!(registrar.lookup(now, "a", "D").len(), 1);
    }

    #[test]
    fn users_spread_over_the_stripes() {
        let registrar = registrar().0;
        let mut users = [0; STRIPES];
        for user in 0..16 * STRIPES {
            users[registrar.hash(&format!("{user}@d")).part(STRIPES)] += 1;
        }
        assert!(users.iter().all(|users| (1..=40).contains(users)), "{users:?}");
    }

    #[test]
    fn shards_that_register_one_user_at_once_leave_the_store_as_the_registrar_is() {
        let ((registrar, store), now) = (registrar(), Instant::now());
        let peer = Peer::udp(PEER.parse().unwrap());
        std::thread::scope(|scope| {
            for shard in 0..4 {
                let registrar = &registrar;
                scope.spawn(move || {
                    for turn in 0..200 {
                        let expires = if (turn + shard) % 3 == 0 { 0 } else { 600 };
                        let lines = format!("Contact: <sip:a@{}>;expires={expires}\r\n", turn % 2);
                        register(registrar, now, peer, turn * 4 + shard, &lines);
                    }
                });
            }
        });
        let mut bound: Vec<_> = registrar.lookup(now, "a", "d").into_iter().collect();
        bound.sort_by(|one, other| one.contact().cmp(other.contact()));
        let bound: Vec<_> =
            bound.iter().map(|binding| (binding.contact().to_owned(), binding.cseq())).collect();
        assert_eq!(stored(&store), bound);
    }
}
