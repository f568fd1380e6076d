//! How much each of very many may do: token buckets in a table of fixed size.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Buckets that one hash may find; of more the one that is nearest to full is forgotten.
const WAYS: usize = 4;
/// Groups of them: 65,536 buckets, 1.2 MB, of those who did something lately.
const SETS: usize = 16_384;

/// `COUNT[/SECONDS]`: so many at once, and the allowance grows back evenly in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// 1 to 1,000,000.
    pub count: u32,
    /// 1 to 86,400.
    pub seconds: u32,
}

impl Allowance {
    const COUNTS: std::ops::RangeInclusive<u32> = 1..=1_000_000;
    const SECONDS: std::ops::RangeInclusive<u32> = 1..=86_400;

    /// Nothing where a number is out of its range.
    pub fn new(count: u32, seconds: u32) -> Option<Self> {
        let fits = Self::COUNTS.contains(&count) && Self::SECONDS.contains(&seconds);
        fits.then_some(Self { count, seconds })
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (count, seconds) = text.split_once('/').unwrap_or((text, "1"));
        Self::new(count.trim().parse().ok()?, seconds.trim().parse().ok()?)
    }

    fn window(self) -> u64 {
        u64::from(self.seconds) * 1_000_000_000
    }

    fn interval(self) -> u64 {
        self.window() / u64::from(self.count)
    }
}

impl std::fmt::Display for Allowance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.count, self.seconds)
    }
}

/// A bucket as the generic cell rate algorithm keeps one (ITU-T I.371): the time at which it will be full again says how
/// empty it is. One that is full is as good as none, so whoever is idle takes no room.
#[derive(Clone, Copy, Default)]
struct Bucket {
    /// A hash of whose it is.
    owner: u64,
    /// Nanoseconds since the table's start.
    full_at: u64,
}

/// Buckets of one kind. The table is made when the first token is taken, and never grows: when more than four busy ones
/// fall together, the one nearest to full is forgotten, which gives its owner a full one. Where they fall nobody can
/// predict.
pub struct Buckets {
    start: Instant,
    hasher: RandomState,
    sets: OnceLock<Box<[Mutex<[Bucket; WAYS]>]>>,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { start: Instant::now(), hasher: RandomState::new(), sets: OnceLock::new() }
    }
}

impl Buckets {
    /// Takes a token of `whose`. `Err`: there is none; how long until there is.
    pub fn take(&self, whose: impl Hash, allowance: Allowance, now: Instant) -> Result<(), Duration> {
        let owner = self.hasher.hash_one(whose);
        let sets = self.sets.get_or_init(|| (0..SETS).map(|_| Mutex::default()).collect());
        let now = u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX);
        let mut set = sets[(owner >> 40) as usize % SETS].lock();
        let bucket = choose(&mut set, owner);
        let full_at = bucket.full_at.max(now) + allowance.interval();
        match (full_at - now).checked_sub(allowance.window()) {
            None | Some(0) => {
                bucket.full_at = full_at;
                Ok(())
            }
            Some(wait) => Err(Duration::from_nanos(wait)),
        }
    }
}

/// Its own, or the one nearest to full.
fn choose(set: &mut [Bucket; WAYS], owner: u64) -> &mut Bucket {
    let own = set.iter().position(|bucket| bucket.owner == owner);
    let at = own.unwrap_or_else(|| {
        let nearest = set.iter().enumerate().min_by_key(|(_, bucket)| bucket.full_at);
        let at = nearest.map_or(0, |(at, _)| at);
        set[at] = Bucket { owner, full_at: 0 };
        at
    });
    &mut set[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowances_are_read() {
        for (text, expected) in [
            ("10", Some("10/1")),
            ("10/60", Some("10/60")),
            (" 3 / 4 ", Some("3/4")),
            ("1000000/86400", Some("1000000/86400")),
            ("0", None),
            ("1000001", None),
            ("5/0", None),
            ("5/86401", None),
            ("-1", None),
            ("5/", None),
            ("", None),
        ] {
            let found = Allowance::parse(text).map(|allowance| allowance.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    /// How many of these are let through, one at each millisecond of `times`.
    fn taken(buckets: &Buckets, whose: u32, allowance: &str, times: impl Iterator<Item = u64>) -> usize {
        let allowance = Allowance::parse(allowance).unwrap();
        let at = |millis| buckets.start + Duration::from_millis(millis);
        times.filter(|millis| buckets.take(whose, allowance, at(*millis)).is_ok()).count()
    }

    #[test]
    fn so_many_at_once_and_then_so_many_a_time() {
        let buckets = Buckets::default();
        assert_eq!(taken(&buckets, 1, "10/60", std::iter::repeat_n(0, 50)), 10);
        assert_eq!(taken(&buckets, 2, "10/60", std::iter::repeat_n(0, 50)), 10, "another's allowance");
        assert_eq!(taken(&buckets, 1, "10/60", std::iter::repeat_n(5_999, 5)), 0);
        assert_eq!(taken(&buckets, 1, "10/60", std::iter::repeat_n(6_000, 5)), 1);
        assert_eq!(taken(&buckets, 1, "10/60", std::iter::repeat_n(30_000, 50)), 4);
        assert_eq!(taken(&buckets, 1, "10/60", std::iter::repeat_n(200_000, 50)), 10, "it is full again");
        assert_eq!(taken(&buckets, 3, "100/1", 0..10_000), 1099, "a hundred and a hundred a second");
    }

    #[test]
    fn who_has_to_wait_is_told_how_long() {
        let buckets = Buckets::default();
        let allowance = Allowance::parse("1/10").unwrap();
        assert_eq!(buckets.take(1, allowance, buckets.start), Ok(()));
        let later = buckets.start + Duration::from_secs(4);
        assert_eq!(buckets.take(1, allowance, later), Err(Duration::from_secs(6)));
        assert_eq!(buckets.take(1, allowance, later), Err(Duration::from_secs(6)), "asking costs nothing");
    }

    #[test]
    fn a_flood_of_others_takes_no_room_and_hardly_any_bucket() {
        let buckets = Buckets::default();
        let allowance = Allowance::parse("5/60").unwrap();
        for whose in 0..20_000_u32 {
            for _ in 0..5 {
                let _ = buckets.take(whose, allowance, buckets.start);
            }
        }
        let emptied = (0..20_000_u32).filter(|whose| buckets.take(whose, allowance, buckets.start).is_err());
        assert!(emptied.count() > 19_000);
        assert_eq!(buckets.sets.get().map(|sets| sets.len()), Some(SETS));
    }
}
