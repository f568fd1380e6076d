//! Whether there is time for the requests that came in, decided before they are read. `now` is handed in.
//!
//! What has a transaction, and answers to it, goes first; what is new waits in a socket of its own, first in, first out. A
//! request that has waited there for too long is refused, so that those which are taken are answered soon. Refusing costs a
//! fraction of serving, and all of it together may cost no more than [`SHARE_BEFORE`] of the time, and [`SHARE`] where that is not
//! enough; what would cost more is dropped unread, and then always the same requests, for their senders send them again: were others dropped
//! each time, some would get in at their second or third try, and all would be answered late. As how much is dropped changes, what
//! may have been dropped before is refused as long as there is hardly time for the rest.
//!
//! Nothing here has to be told how much the server can do: the time that requests wait says whether it is too much, and what
//! serving and refusing took of late says how much has to be dropped.

mod budget;
mod costs;
mod queue;
mod sifting;
mod telling;
mod window;

use std::time::{Duration, Instant};

use self::budget::Budget;
use self::costs::Costs;
use self::queue::Queue;
use self::sifting::{Sieve, Sifted, of_all};
pub use self::telling::{Telling, Told};
use self::window::Window;

/// Refusals may take this part of the time.
const SHARE: f64 = 1.0 / 8.0;
/// Before anything is dropped, they may take this one. Where requests are dropped only now and then, they come again half a second later
/// when there is time for them, and are late.
const SHARE_BEFORE: f64 = 1.0 / 5.0;
/// Where they take more, so many requests are dropped that they take this part.
const AIM: f64 = 1.0 / 12.0;
/// For so long after there was too much, what may have been dropped before is refused: it is late.
const WARY: Duration = Duration::from_millis(400);
/// With time for so many times as much as what gets in there is too much no longer.
const ROOMY: f64 = 2.0;
/// Requests that are no MESSAGE, which there are few of and messages can't do without, may wait so many times as long.
const OTHERS: u32 = 4;
/// How often it is looked at how many requests have to be dropped.
const WINDOW: Duration = Duration::from_millis(20);
/// After so many in which no request waits too long more are let through.
const CALM: u32 = 3;
/// At most so many times as many are let through each time, at least as many as that, and between them a part of what there is time for:
/// what was dropped comes all at once.
const WIDER: f64 = 1.25;
const GENTLEST: f64 = 1.01;
const GENTLY: f64 = 8.0;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Serve,
    /// Answered 503 without being read.
    Refuse,
    /// Thrown away: there is no time even for that.
    Drop,
}

/// What becomes of the requests of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    messages: Fate,
    others: Fate,
    /// Of messages that may have been dropped before.
    doubtful: Fate,
}

impl Verdict {
    const SERVE: Self = Self { messages: Fate::Serve, others: Fate::Serve, doubtful: Fate::Serve };
}

/// What one read found.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    pub count: usize,
    /// How long the first of its requests has waited.
    pub waited: Duration,
    /// Whether more may be waiting; a request that nobody waits behind is served however late it is.
    pub is_full: bool,
    /// Whether there is room for messages at all.
    pub has_room: bool,
}

/// The gate of one shard.
pub struct Gate {
    began: Instant,
    queue: Queue,
    budget: Budget,
    sieve: Sieve,
    costs: Costs,
    window: Window,
    /// Windows in which no request had waited too long, since the last in which one had.
    calm: u32,
    /// How much of what came in the last window there was time for.
    room: f64,
    wary_until: Instant,
}

impl Gate {
    /// `seed` is secret, so that nobody can make requests that are never dropped.
    pub fn new(now: Instant, seed: u64) -> Self {
        Self {
            began: now,
            queue: Queue::new(now),
            budget: Budget::new(now),
            sieve: Sieve::new(now, seed as u32),
            costs: Costs::default(),
            window: Window::new(now, now),
            calm: 0,
            room: 1.0,
            wary_until: now,
        }
    }

    /// From here on requests are read. What waited for the start has not waited for want of time.
    pub fn begin(&mut self, now: Instant) {
        self.began = now;
    }

    /// What becomes of the requests of a read, the longest of which may wait for `most`; zero: for ever.
    pub fn judge(&mut self, now: Instant, read: Read, most: Duration) -> Verdict {
        self.look(now);
        self.budget.earn(now);
        let waited = read.waited.min(now.saturating_duration_since(self.began));
        let limit = self.queue.limit(now, if read.is_full { waited } else { Duration::ZERO }, most);
        let late = |times: u32| !most.is_zero() && read.is_full && waited > limit * times;
        self.be_wary(now, late(1) || self.queue.is_standing);
        let refuse_if = |is_refused| if is_refused { Fate::Refuse } else { Fate::Serve };
        let verdict = Verdict {
            messages: refuse_if(late(1) || !read.has_room),
            others: refuse_if(late(OTHERS)),
            // There are enough others, which were not sent before.
            doubtful: refuse_if(self.is_wary(now) || !read.has_room),
        };
        self.window.read(now - waited, read);
        self.window.is_late |= late(1);
        verdict
    }

    fn be_wary(&mut self, now: Instant, is_too_much: bool) {
        if is_too_much {
            self.wary_until = now + WARY;
        }
    }

    /// Whether there has been too much lately.
    fn is_wary(&self, now: Instant) -> bool {
        now < self.wary_until
    }

    /// Whether all of them are served.
    pub fn is_open(&self, verdict: Verdict) -> bool {
        verdict == Verdict::SERVE && !self.sieve.is_on()
    }

    /// What becomes of one of them. Answers are served: they come this way where the system does not keep them apart.
    pub fn fate(&mut self, verdict: Verdict, datagram: &[u8]) -> Fate {
        if datagram.starts_with(b"SIP/") {
            return Fate::Serve;
        }
        let is_message = datagram.starts_with(b"MESSAGE ");
        let sifted = self.sieve.of(datagram);
        let fate = match sifted {
            _ if !is_message && verdict.others == Fate::Refuse && self.budget.is_spent() => Fate::Drop,
            _ if !is_message => verdict.others,
            Sifted::Out => Fate::Drop,
            Sifted::Doubtful => verdict.doubtful,
            Sifted::In => verdict.messages,
        };
        if is_message && sifted == Sifted::Doubtful {
            self.window.is_doubtful();
        }
        if fate == Fate::Refuse {
            self.budget.spend(self.costs.refusing());
        }
        self.window.is_not_served(fate);
        fate
    }

    /// What the kernel may drop before it is read: places above the second number, by this seed.
    pub fn sieve(&self) -> Option<(u32, u32)> {
        self.sieve.drops().then(|| (self.sieve.seed, of_all(self.sieve.kept)))
    }

    /// When [`Gate::look`] wants to be called, if at all: while requests are dropped, so that it ends when their cause does.
    pub fn next_look(&self) -> Option<Instant> {
        self.sieve.is_on().then_some(self.window.began + WINDOW)
    }

    /// How much of what comes, of all that is not dropped, there is time for: the part of it, or how many times as much.
    fn room(&mut self, now: Instant) -> Option<f64> {
        let most = self.costs.sustained(self.share())?;
        let room = most / self.window.rate(now)?;
        Some(agreed(room, std::mem::replace(&mut self.room, room)))
    }

    fn share(&self) -> f64 {
        if self.sieve.drops() { SHARE } else { SHARE_BEFORE }
    }

    /// There was too much: more is dropped. What may have been dropped before is the first to go: most of it comes again, and soon there will
    /// be less of it.
    fn tighten(&mut self, room: f64) {
        let Some((aim, most)) = self.costs.sustained(AIM).zip(self.costs.sustained(self.share())) else {
            return;
        };
        let part = room * aim / most;
        let sure = self.sieve.surely() * (part / self.window.sure()).min(1.0);
        let kept = self.sieve.kept;
        self.sieve.keep((kept * part).max(sure).min(kept));
    }

    /// There was time for more: less is dropped, down to where all the time would go to what is new. What may have been dropped before is
    /// not counted, it has yet to become less.
    fn widen(&mut self, now: Instant) {
        let Some((most, rate)) = self.costs.sustained(0.0).zip(self.window.rate(now)) else { return };
        let wanted = self.sieve.surely() * most / (rate * self.window.sure());
        let times = wanted / self.sieve.kept;
        if times > 1.0 {
            self.sieve.keep(self.sieve.kept * (1.0 + (times - 1.0) / GENTLY).clamp(GENTLEST, WIDER));
        }
    }

    /// Adapts what is dropped to what came of it.
    pub fn look(&mut self, now: Instant) {
        if now < self.window.began + WINDOW {
            return;
        }
        if let Some(work) = self.window.work(now) {
            self.costs.learn(work);
        }
        self.calm = if self.window.is_late { 0 } else { self.calm.saturating_add(1) };
        let room = self.room(now);
        match room {
            Some(room) if room >= ROOMY => self.wary_until = now,
            _ => self.be_wary(now, self.sieve.drops()),
        }
        let before = self.sieve.kept;
        match room {
            Some(room) if room < 1.0 && self.window.is_late => self.tighten(room),
            Some(_) if self.calm >= CALM && !self.window.is_busy() => self.widen(now),
            _ => {}
        }
        self.sieve.forget(now);
        if self.calm >= CALM && !self.is_wary(now) {
            self.sieve.forget_all();
        }
        let sifted = if self.sieve.kept == before { self.window.sifted } else { now };
        self.window = Window::new(now, sifted);
    }
}

/// What two windows agree on. What comes in one of them may be a burst, or be missing because the machine stood still: only what is
/// too much in both is dropped, and as long as they differ it stays as it is.
fn agreed(one: f64, other: f64) -> f64 {
    match (one < 1.0, other < 1.0) {
        (true, true) => one.max(other),
        (false, false) => one.min(other),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::sieve;

    const MOST: Duration = Duration::from_millis(50);

    /// A shard that serves, refuses and drops at these costs, and what comes to it.
    struct Shard {
        gate: Gate,
        now: Instant,
        serve: Duration,
        refuse: Duration,
        /// Requests that wait: when each came, and which one it is.
        waiting: std::collections::VecDeque<(Instant, u64)>,
        served: Vec<(u64, Duration)>,
        refused: Vec<u64>,
        dropped: Vec<u64>,
        was_dropped: std::collections::HashSet<u64>,
        /// What the kernel sieves by.
        sifts: Option<(u32, u32)>,
        /// The machine's seed, if it is a noisy one.
        noise: Option<u64>,
        began: Instant,
    }

    const BATCH: usize = 32;
    const DROP: Duration = Duration::from_nanos(300);

    fn message(number: u64) -> Vec<u8> {
        format!("MESSAGE sip:somebody@somewhere;branch={number:020};{:300}", "").into_bytes()
    }

    impl Shard {
        fn new(serve: u64, refuse: u64) -> Self {
            let now = start();
            let mut gate = Gate::new(now, 7);
            gate.begin(now - Duration::from_secs(60));
            let micros = Duration::from_micros;
            Self {
                gate,
                now,
                serve: micros(serve),
                refuse: micros(refuse),
                waiting: Default::default(),
                served: vec![],
                refused: vec![],
                dropped: vec![],
                was_dropped: Default::default(),
                sifts: None,
                noise: None,
                began: now,
            }
        }

        /// One turn: reads, and does what the gate says.
        fn turn(&mut self) {
            let start = self.now;
            let batch: Vec<_> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
            let waited = batch.first().map_or(Duration::ZERO, |(came, _)| start - *came);
            let read = Read { count: batch.len(), waited, is_full: batch.len() == BATCH, has_room: true };
            let verdict = self.gate.judge(start, read, MOST);
            let slow = self.noise.map_or(1.0, |seed| self.stand_still(seed));
            for (came, number) in batch {
                match self.gate.fate(verdict, &message(number)) {
                    Fate::Serve => {
                        self.now += self.serve.mul_f64(slow);
                        self.served.push((number, self.now - came));
                    }
                    Fate::Refuse => {
                        self.now += self.refuse.mul_f64(slow);
                        self.refused.push(number);
                    }
                    Fate::Drop => {
                        self.now += DROP;
                        self.drop(number);
                    }
                }
            }
            if self.now == start {
                self.now += Duration::from_micros(10);
            }
        }

        /// A noisy machine: it runs for a quarter of each 10 ms, and for 70 ms at a time it is up to 1.4 times as slow.
        fn stand_still(&mut self, seed: u64) -> f64 {
            const PERIOD: u128 = 10_000;
            let time = (self.now - self.began).as_micros();
            if time % PERIOD > PERIOD / 4 {
                self.now += Duration::from_micros((PERIOD - time % PERIOD) as u64);
            }
            let mixed = ((time as u64 / 70_000) ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            1.0 + 0.4 * (mixed % 1000) as f64 / 1000.0
        }

        /// One comes, past the sieve of the kernel.
        fn arrive(&mut self, number: u64) {
            let is_out =
                |(seed, kept)| sieve::place(seed, &message(number)).is_some_and(|place| place > kept);
            match self.sifts.is_some_and(is_out) {
                true => self.drop(number),
                false => self.waiting.push_back((self.now, number)),
            }
        }

        fn drop(&mut self, number: u64) {
            self.dropped.push(number);
            self.was_dropped.insert(number);
        }

        /// So many requests a second for so long; what is dropped comes again by timer E, RFC 3261 §17.1.2.2.
        fn offer(&mut self, rate: f64, length: Duration, next: &mut u64) {
            let (start, end) = (self.now, self.now + length);
            let mut sent = 0;
            let mut again = std::collections::BTreeMap::<(Instant, u64), ()>::new();
            let mut intervals = std::collections::HashMap::new();
            while self.now < end {
                while f64::from(sent) < (self.now - start).as_secs_f64() * rate {
                    self.arrive(*next);
                    (sent, *next) = (sent + 1, *next + 1);
                }
                while let Some(entry) = again.first_entry().filter(|entry| entry.key().0 <= self.now) {
                    let (_, number) = entry.remove_entry().0;
                    self.arrive(number);
                }
                self.turn();
                self.sifts = self.gate.sieve();
                for number in self.dropped.drain(..) {
                    let interval = intervals.entry(number).or_insert(Duration::from_millis(250));
                    *interval = (*interval * 2).min(Duration::from_secs(4));
                    again.insert((self.now + *interval, number), ());
                }
            }
        }

        fn longest(&self, quantile: f64) -> Duration {
            let mut times: Vec<_> = self.served.iter().map(|(_, time)| *time).collect();
            times.sort_unstable();
            times[((times.len() - 1) as f64 * quantile) as usize]
        }
    }

    fn start() -> Instant {
        Instant::now()
    }

    /// Twenty-five and three microseconds: 40,000 served a second, or 42,000 refused in an eighth of the time.
    fn swamped(times: f64) -> Shard {
        let mut shard = Shard::new(25, 3);
        shard.offer(40_000.0 * times, LENGTH, &mut 0);
        shard
    }

    const LENGTH: Duration = Duration::from_secs(2);

    #[test]
    fn nothing_is_refused_that_there_is_time_for() {
        let shard = swamped(0.9);
        assert_eq!((shard.refused.len(), shard.was_dropped.len()), (0, 0));
        assert!(shard.longest(1.0) < MOST);
    }

    #[test]
    fn as_much_is_served_whatever_is_offered() {
        for times in [1.25, 2.0, 3.0, 5.0, 8.0] {
            let shard = swamped(times);
            let served = shard.served.len() as f64 / LENGTH.as_secs_f64() / 40_000.0;
            assert!(served > 0.84, "{times}: {served}");
            assert!(shard.longest(0.99) < Duration::from_millis(60), "{times}: {:?}", shard.longest(0.99));
        }
    }

    #[test]
    fn what_is_dropped_is_dropped_again() {
        let shard = swamped(8.0);
        let late = shard.served.iter().filter(|(number, _)| shard.was_dropped.contains(number)).count();
        assert!(late * 100 < shard.served.len(), "{late} of {}", shard.served.len());
    }

    #[test]
    fn where_there_is_hardly_too_much_nothing_is_served_late() {
        // Ten microseconds of a quarter of a core, on average 1.2 times as long.
        const CAPACITY: f64 = 21_000.0;
        for (times, seed) in [(1.25, 1), (1.25, 2), (1.5, 3), (1.5, 4), (2.0, 5), (5.0, 6)] {
            let mut shard = Shard { noise: Some(seed), ..Shard::new(10, 3) };
            shard.offer(CAPACITY * times, 2 * LENGTH, &mut 0);
            let late = shard.served.iter().filter(|(number, _)| shard.was_dropped.contains(number)).count();
            assert!(late * 100 < shard.served.len(), "{times}, {seed}: {late} of {}", shard.served.len());
            let served = shard.served.len() as f64 / (2 * LENGTH).as_secs_f64() / CAPACITY;
            assert!(served > 0.75, "{times}, {seed}: {served}");
        }
    }

    #[test]
    fn refusing_takes_its_share_and_no_more() {
        let shard = swamped(8.0);
        let share = shard.refused.len() as f64 * shard.refuse.as_secs_f64() / LENGTH.as_secs_f64();
        assert!((0.08..0.17).contains(&share), "{share}");
    }

    #[test]
    fn a_burst_is_served() {
        let mut shard = Shard::new(25, 2);
        shard.offer(1000.0, Duration::from_secs(1), &mut 0);
        shard.waiting.extend((0..1900).map(|number| (shard.now, 10_000 + number)));
        shard.offer(1000.0, Duration::from_secs(1), &mut 1_000_000);
        assert!(shard.refused.is_empty() && shard.served.len() >= 3800);
    }

    #[test]
    fn all_is_served_again_soon_after() {
        let mut shard = swamped(10.0);
        shard.offer(0.0, Duration::from_millis(1), &mut 0);
        shard.waiting.clear();
        shard.offer(20_000.0, Duration::from_millis(300), &mut 1_000_000_000);
        let (refused, served) = (shard.refused.len(), shard.served.len());
        shard.offer(20_000.0, Duration::from_millis(500), &mut 2_000_000_000);
        assert_eq!(shard.refused.len(), refused);
        assert!(shard.served.len() >= served + 9_900);
        assert_eq!(shard.gate.next_look(), None);
    }

    #[test]
    fn nothing_is_dropped_soon_after_all_have_gone() {
        let mut shard = swamped(8.0);
        assert!(shard.gate.sieve().is_some());
        for _ in 0..20 {
            shard.now += WINDOW;
            shard.gate.look(shard.now);
        }
        assert_eq!(shard.gate.sieve(), None);
    }

    #[test]
    fn a_slow_shard_with_little_to_do_refuses_nothing() {
        let mut shard = Shard::new(60_000, 2);
        shard.offer(8.0, Duration::from_secs(60), &mut 0);
        assert_eq!((shard.refused.len(), shard.was_dropped.len()), (0, 0));
    }

    fn gate(now: Instant) -> Gate {
        let mut gate = Gate::new(now, 7);
        gate.begin(now - Duration::from_secs(60));
        gate
    }

    fn read(millis: u64) -> Read {
        Read { count: BATCH, waited: Duration::from_millis(millis), is_full: true, has_room: true }
    }

    #[test]
    fn messages_go_before_what_they_can_not_do_without() {
        let now = start();
        let fates = |waited| {
            let mut gate = gate(now);
            let verdict = gate.judge(now, read(waited), MOST);
            [&b"MESSAGE sip:a SIP/2.0"[..], b"REGISTER sip:a SIP/2.0", b"SIP/2.0 200 OK"]
                .map(|datagram| gate.fate(verdict, datagram))
        };
        use Fate::{Refuse, Serve};
        assert_eq!(fates(49), [Serve, Serve, Serve]);
        assert_eq!(fates(51), [Refuse, Serve, Serve]);
        assert_eq!(fates(201), [Refuse, Refuse, Serve]);
    }

    #[test]
    fn what_nobody_waits_behind_is_served() {
        let now = start();
        let late = Read { is_full: false, ..read(3000) };
        assert_eq!(gate(now).judge(now, late, MOST), Verdict::SERVE);
    }

    #[test]
    fn what_waited_for_the_start_is_served() {
        let now = start();
        let mut gate = Gate::new(now - Duration::from_secs(9), 7);
        gate.begin(now);
        assert_eq!(gate.judge(now, read(8000), MOST), Verdict::SERVE);
    }

    #[test]
    fn no_room_is_a_reason_without_a_limit_of_time_too() {
        let now = start();
        let full = Read { is_full: false, has_room: false, ..read(0) };
        let verdict = gate(now).judge(now, full, Duration::ZERO);
        assert_eq!((verdict.messages, verdict.others), (Fate::Refuse, Fate::Serve));
        assert_eq!(gate(now).judge(now, read(9000), Duration::ZERO), Verdict::SERVE);
    }
}
