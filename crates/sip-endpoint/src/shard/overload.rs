//! Whether there is time for the requests that came in, decided before they are read. `now` is handed in.
//!
//! What has a transaction, and answers to it, goes first; what is new waits in a socket of its own, first in, first out. A
//! request that has waited there for too long is refused, so that those which are taken are answered soon. Refusing costs a
//! fraction of serving, and all of it together may cost no more than [`SHARE`] of the time; what would is dropped unread, and
//! then always the same requests, for their senders send them again: were others dropped each time, some would get in at
//! their second or third try, and all would be answered late.
//!
//! Nothing here knows how much the server can do: the time that requests wait is all that is looked at.

use std::time::{Duration, Instant};

/// Refusals may take one part in so many of the time.
const SHARE: u32 = 6;
/// The time for refusals that may be saved up.
const SAVED: Duration = Duration::from_millis(10);
/// Requests that always wait this long stand in a queue that is no burst. RFC 8289 §3.2.
const INTERVAL: Duration = Duration::from_millis(100);
/// In such a queue a request may wait for this part of the longest time.
const STANDING: u32 = 5;
/// Requests that are no MESSAGE, which there are few of and messages can't do without, may wait so many times as long.
const OTHERS: u32 = 4;
/// How often it is looked at how many requests have to be dropped.
const WINDOW: Duration = Duration::from_millis(20);
/// Of all requests at least this part is not dropped.
const LEAST: f64 = 1.0 / 256.0;
/// As much of a datagram tells one from another.
const TELLING: usize = 512;

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
    window: Window,
}

/// What happened since the last look.
#[derive(Clone, Copy)]
struct Window {
    until: Instant,
    read: f64,
    dropped: f64,
    refused: f64,
    spent: Duration,
}

impl Window {
    fn until(until: Instant) -> Self {
        Self { until, read: 0.0, dropped: 0.0, refused: 0.0, spent: Duration::ZERO }
    }

    /// By how much more requests there is time for, had each of them the fate that they had.
    fn room(&self) -> f64 {
        let part = (WINDOW / SHARE).as_secs_f64() / self.spent.as_secs_f64().max(1e-9);
        let (taken, refused) = (self.read - self.dropped - self.refused, self.refused);
        (taken + refused * part.clamp(0.25, 1.5)) / (taken + refused).max(1.0)
    }
}

impl Gate {
    /// `seed` is secret, so that nobody can make requests that are never dropped.
    pub fn new(now: Instant, seed: u64) -> Self {
        Self {
            began: now,
            queue: Queue { is_standing: false, least: Duration::ZERO, until: now },
            budget: Budget { left: nanos(SAVED), at: now },
            sieve: Sieve { kept: 1.0, surely: 1.0, seed: seed | 1 },
            window: Window::until(now),
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
        let refuse_if = |is_refused| if is_refused { Fate::Refuse } else { Fate::Serve };
        let verdict = Verdict {
            messages: refuse_if(late(1) || !read.has_room),
            others: refuse_if(late(OTHERS)),
            // There are enough others, who were not sent before.
            doubtful: refuse_if(late(1) || !read.has_room || read.is_full && self.queue.is_standing),
        };
        self.window.read += read.count as f64;
        verdict
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
        let fate = match self.sieve.of(datagram) {
            Sifted::Out if is_message || verdict.others == Fate::Refuse => Fate::Drop,
            _ if !is_message => verdict.others,
            Sifted::Doubtful => verdict.doubtful,
            _ => verdict.messages,
        };
        match fate {
            Fate::Serve => {}
            Fate::Refuse => self.window.refused += 1.0,
            Fate::Drop => self.window.dropped += 1.0,
        }
        fate
    }

    /// What refusing has cost.
    pub fn spend(&mut self, time: Duration) {
        self.budget.spend(time);
        self.window.spent += time;
    }

    /// When [`Gate::look`] wants to be called, if at all: while requests are dropped, so that it ends when their cause does.
    pub fn next_look(&self) -> Option<Instant> {
        self.sieve.is_on().then_some(self.window.until)
    }

    /// Adapts what is dropped to what came of it.
    pub fn look(&mut self, now: Instant) {
        if now < self.window.until {
            return;
        }
        let room = self.window.room();
        if self.window.refused == 0.0 {
            self.sieve.change(2.0);
        } else if self.budget.is_spent() == (room < 1.0) {
            self.sieve.change(room);
        }
        self.sieve.forget();
        self.window = Window::until(now + WINDOW);
    }
}

/// What an operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Counted since the last time.
    Shedding { shed: u64, dropped: u64 },
    /// It has ended; counted since it began.
    Over { shed: u64, dropped: u64 },
}

/// What the operator was told so far.
#[derive(Default)]
pub struct Telling {
    before: (u64, u64),
    /// The counts when it began, while it lasts.
    began: Option<(u64, u64)>,
}

impl Telling {
    /// With the counts as they are.
    pub fn tell(&mut self, shed: u64, dropped: u64) -> Option<Told> {
        let before = std::mem::replace(&mut self.before, (shed, dropped));
        if before != self.before {
            self.began.get_or_insert(before);
            return Some(Told::Shedding { shed: shed - before.0, dropped: dropped - before.1 });
        }
        let began = self.began.take()?;
        Some(Told::Over { shed: shed - began.0, dropped: dropped - began.1 })
    }
}

/// How long the requests have waited lately.
struct Queue {
    is_standing: bool,
    /// The shortest time since the interval began.
    least: Duration,
    until: Instant,
}

impl Queue {
    /// How long a request may wait. After a while in which all waited long the longest time is for bursts alone.
    fn limit(&mut self, now: Instant, waited: Duration, most: Duration) -> Duration {
        let short = most / STANDING;
        self.least = self.least.min(waited);
        if now >= self.until {
            let enough = if self.is_standing { short / 2 } else { short };
            // Nobody waits in a queue that nobody has read from.
            let is_old = now >= self.until + INTERVAL;
            self.is_standing = self.least > enough && !is_old;
            (self.least, self.until) = (waited, now + INTERVAL);
        }
        if self.is_standing { short } else { most }
    }
}

/// The time there is for refusals.
struct Budget {
    /// Nanoseconds; less than nothing after a read that took longer than there was time for.
    left: i64,
    at: Instant,
}

impl Budget {
    fn earn(&mut self, now: Instant) {
        let time = now.saturating_duration_since(self.at) / SHARE;
        self.left = self.left.saturating_add(nanos(time)).min(nanos(SAVED));
        self.at = self.at.max(now);
    }

    fn spend(&mut self, time: Duration) {
        self.left = (self.left - nanos(time.min(SAVED))).max(-nanos(SAVED));
    }

    fn is_spent(&self) -> bool {
        self.left <= 0
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// Keeps a part of all requests, the same ones whenever they come again.
struct Sieve {
    /// From 0 to 1.
    kept: f64,
    /// The part of which none was dropped for some time.
    surely: f64,
    seed: u64,
}

/// What the sieve says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sifted {
    In,
    /// It may have been dropped before.
    Doubtful,
    Out,
}

impl Sieve {
    fn is_on(&self) -> bool {
        self.surely < 1.0
    }

    fn of(&self, datagram: &[u8]) -> Sifted {
        if !self.is_on() {
            return Sifted::In;
        }
        match f64::from(self.hash(datagram)) / f64::from(u32::MAX) {
            place if place > self.kept => Sifted::Out,
            place if place > self.surely => Sifted::Doubtful,
            _ => Sifted::In,
        }
    }

    fn hash(&self, datagram: &[u8]) -> u32 {
        let (words, _) = datagram[..datagram.len().min(TELLING)].as_chunks::<8>();
        let mix = |hash: u64, word: &[u8; 8]| {
            let mixed = u128::from(hash ^ u64::from_le_bytes(*word)) * 0x9e37_79b9_7f4a_7c15;
            mixed as u64 ^ (mixed >> 64) as u64
        };
        (words.iter().fold(self.seed, mix) >> 32) as u32
    }

    /// Lets so many times as much through.
    fn change(&mut self, times: f64) {
        self.kept = (self.kept * times).clamp(LEAST, 1.0);
        self.surely = self.surely.min(self.kept);
    }

    /// With time less is sent again of what was dropped.
    fn forget(&mut self) {
        let growth = if self.kept < 1.0 { 1.002 } else { 1.2 };
        self.surely = (self.surely * growth).min(self.kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }

    const BATCH: usize = 32;
    const DROP: Duration = Duration::from_nanos(300);

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
            }
        }

        /// One turn: reads, and does what the gate says.
        fn turn(&mut self) {
            let start = self.now;
            let batch: Vec<_> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
            let waited = batch.first().map_or(Duration::ZERO, |(came, _)| start - *came);
            let read = Read { count: batch.len(), waited, is_full: batch.len() == BATCH, has_room: true };
            let verdict = self.gate.judge(start, read, MOST);
            let mut refusing = Duration::ZERO;
            for (came, number) in batch {
                match self.gate.fate(verdict, format!("MESSAGE {number:020} SIP/2.0").as_bytes()) {
                    Fate::Serve => {
                        self.now += self.serve;
                        self.served.push((number, self.now - came));
                    }
                    Fate::Refuse => {
                        (self.now, refusing) = (self.now + self.refuse, refusing + self.refuse);
                        self.refused.push(number);
                    }
                    Fate::Drop => {
                        self.now += DROP;
                        self.dropped.push(number);
                        self.was_dropped.insert(number);
                    }
                }
            }
            self.gate.spend(refusing);
            if self.now == start {
                self.now += Duration::from_micros(10);
            }
        }

        /// So many requests a second for so long; what is dropped comes again by timer E, RFC 3261 §17.1.2.2.
        fn offer(&mut self, rate: f64, length: Duration, next: &mut u64) {
            let (start, end) = (self.now, self.now + length);
            let mut sent = 0;
            let mut again = std::collections::BTreeMap::<(Instant, u64), ()>::new();
            let mut intervals = std::collections::HashMap::new();
            while self.now < end {
                while f64::from(sent) < (self.now - start).as_secs_f64() * rate {
                    self.waiting.push_back((self.now, *next));
                    (sent, *next) = (sent + 1, *next + 1);
                }
                while let Some(entry) = again.first_entry().filter(|entry| entry.key().0 <= self.now) {
                    let (_, number) = entry.remove_entry().0;
                    self.waiting.push_back((self.now, number));
                }
                self.turn();
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

    /// Twenty-five and two microseconds: 40,000 served a second, or 83,000 refused in a sixth of the time.
    fn swamped(times: f64) -> Shard {
        let mut shard = Shard::new(25, 2);
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
        // Beyond five times reading what is dropped takes its time, too.
        for (times, least) in [(1.25, 0.8), (2.0, 0.8), (3.0, 0.75), (5.0, 0.7), (8.0, 0.6)] {
            let shard = swamped(times);
            let served = shard.served.len() as f64 / LENGTH.as_secs_f64() / 40_000.0;
            assert!(served > least, "{times}: {served}");
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
    fn refusing_takes_its_share_and_no_more() {
        let shard = swamped(8.0);
        let share = shard.refused.len() as f64 * shard.refuse.as_secs_f64() / LENGTH.as_secs_f64();
        assert!((0.12..0.19).contains(&share), "{share}");
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

    #[test]
    fn an_operator_is_told_while_it_lasts_and_when_it_is_over() {
        let mut telling = Telling::default();
        let told = [(0, 0), (5, 0), (5, 2), (5, 2), (5, 2), (6, 2)]
            .map(|(shed, dropped)| telling.tell(shed, dropped));
        let shedding = |shed, dropped| Some(Told::Shedding { shed, dropped });
        let over = Some(Told::Over { shed: 5, dropped: 2 });
        assert_eq!(told, [None, shedding(5, 0), shedding(0, 2), over, None, shedding(1, 0)]);
    }

    #[test]
    fn the_sieve_keeps_the_same_part_each_time() {
        let mut sieve = Sieve { kept: 0.75, surely: 0.75, seed: 99 };
        let sifted = |sieve: &Sieve| -> Vec<Sifted> {
            let of = |number| format!("MESSAGE sip:x@y;branch={number:010};and=so on");
            (0..10_000).map(|number: u32| sieve.of(of(number).as_bytes())).collect()
        };
        let count = |sifted: &[Sifted], what| sifted.iter().filter(|one| **one == what).count();
        let before = sifted(&sieve);
        assert!((7300..7700).contains(&count(&before, Sifted::In)));
        sieve.change(2.0 / 3.0);
        let narrow = sifted(&sieve);
        assert!((4800..5200).contains(&count(&narrow, Sifted::In)));
        assert!(
            before.iter().zip(&narrow).all(|(before, narrow)| *narrow == Sifted::Out || before == narrow)
        );
        sieve.change(1.5);
        let wide = sifted(&sieve);
        // What was dropped is known when it comes again.
        assert!(
            narrow.iter().zip(&wide).all(|(narrow, wide)| (*narrow == Sifted::In) == (*wide == Sifted::In))
        );
        assert!((2300..2700).contains(&count(&wide, Sifted::Doubtful)));
    }
}
