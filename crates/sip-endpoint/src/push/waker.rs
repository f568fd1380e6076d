use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chappe_sip_proto::registrar::{Aor, Binding};
use parking_lot::Mutex;

use super::rate::Rate;
use super::{Asked, PushError, PushService, WakeUp, Why};
use crate::config::PushConfig;
use crate::shard::Random;
use crate::world::World;

/// Before another try, and twice as long before each further one.
const PAUSE: Duration = Duration::from_secs(1);
/// Registrations that are noted; those beyond run out unless they are refreshed unasked.
const MOST_REFRESHES: usize = 1 << 20;
/// Registrations looked at in one turn.
const MOST_LOOKS: usize = 1000;

/// Wakes the devices of a profile.
#[derive(Default)]
pub struct Waker {
    rate: Mutex<Rate>,
    hasher: RandomState,
    under_way: Arc<AtomicUsize>,
    /// When which registration is to be refreshed: of one that was refreshed meanwhile the number is another.
    refreshes: Mutex<BinaryHeap<Reverse<(Instant, u64, Aor)>>>,
    /// Whether those of an earlier run are among them.
    knows_all: AtomicBool,
}

impl Waker {
    /// Has the binding's device register again, if it can be woken and was not just before.
    pub fn wake(
        &self,
        world: &World,
        config: &PushConfig,
        profile: &str,
        why: Why,
        aor: &Aor,
        binding: &Binding,
    ) {
        let Some(device) = Asked::of(binding.contact()).device() else { return };
        let Some(service) = config.service_of(device.provider) else { return };
        let hash = self.hasher.hash_one((aor, device.provider, device.prid));
        if !self.rate.lock().admits(Instant::now(), hash, config.interval) {
            return;
        }
        let Some(place) = Place::take(&self.under_way, config.max_queue) else {
            tracing::warn!("too many wake-ups are under way in profile {profile}: {aor} is not woken");
            return;
        };
        let mut id = String::new();
        Random::new().uuid(&mut id);
        let wake_up = WakeUp {
            why,
            profile: profile.to_owned(),
            user: aor.user().to_owned(),
            domain: aor.domain().to_owned(),
            provider: device.provider.to_owned(),
            prid: device.prid.to_owned(),
            param: device.param.to_owned(),
            id,
            at: world.unix_seconds(),
        };
        let (timeout, tries) = (config.timeout, config.retries + 1);
        world.deps.runtime.spawn(async move {
            let _place = place;
            push(&*service, &wake_up, timeout, tries).await;
        });
    }

    /// Takes note of a registration that may have to be refreshed.
    pub fn registered(&self, config: &PushConfig, aor: &Aor, binding: &Binding) {
        if config.refresh_before.is_zero() || Asked::of(binding.contact()).device().is_none() {
            return;
        }
        if let Some(at) = binding.expires_at().checked_sub(config.refresh_before) {
            let mut refreshes = self.refreshes.lock();
            if refreshes.len() < MOST_REFRESHES {
                refreshes.push(Reverse((at, binding.serial(), aor.clone())));
            }
        }
    }

    /// Whether all registrations there are have to be noted: once, when those of an earlier run are back.
    pub fn begins(&self) -> bool {
        !self.knows_all.swap(true, Ordering::AcqRel)
    }

    /// The registrations whose time has come, by user and number.
    pub fn due(&self, now: Instant) -> Vec<(Aor, u64)> {
        let (mut refreshes, mut due) = (self.refreshes.lock(), Vec::new());
        while due.len() < MOST_LOOKS && refreshes.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            due.extend(refreshes.pop().map(|Reverse((_, serial, aor))| (aor, serial)));
        }
        due
    }
}

/// A place among the wake-ups that are under way; given back when dropped, whatever became of the wake-up.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(under_way: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = (under_way.fetch_add(1, Ordering::AcqRel), Self(under_way.clone()));
        (place.0 < most).then_some(place.1)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn push(service: &dyn PushService, wake_up: &WakeUp, timeout: Duration, tries: u32) {
    let WakeUp { user, domain, provider, .. } = wake_up;
    let mut pause = PAUSE;
    for tried in 1..=tries {
        let pushed = tokio::time::timeout(timeout, service.push(wake_up)).await;
        let error = match pushed {
            Ok(Ok(())) => {
                return tracing::debug!("{user}@{domain} is woken by {provider}: {}", wake_up.why.as_str());
            }
            Ok(Err(error)) => error,
            Err(_) => PushError::Failed("no answer in time".to_owned()),
        };
        if tried == tries || matches!(error, PushError::Refused(_)) {
            return tracing::warn!("{user}@{domain} can't be woken by {provider}: {error}");
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;

    /// Answers as it is told to, the last answer again and again; `None`: never.
    struct Told(Mutex<Vec<Option<Result<(), PushError>>>>, AtomicUsize);

    impl PushService for Told {
        fn push(&self, _: &WakeUp) -> BoxFuture<'static, Result<(), PushError>> {
            self.1.fetch_add(1, Ordering::AcqRel);
            let mut answers = self.0.lock();
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
            async move {
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
            .boxed()
        }
    }

    async fn tried(answers: Vec<Option<Result<(), PushError>>>) -> usize {
        let wake_up = WakeUp {
            why: Why::Message,
            profile: String::new(),
            user: String::new(),
            domain: String::new(),
            provider: String::new(),
            prid: String::new(),
            param: String::new(),
            id: String::new(),
            at: 0,
        };
        let told = Told(Mutex::new(answers), AtomicUsize::new(0));
        push(&told, &wake_up, Duration::from_secs(5), 4).await;
        told.1.load(Ordering::Acquire)
    }

    #[test]
    fn a_place_is_given_back_also_by_a_wake_up_that_panics() {
        let under_way = Arc::new(AtomicUsize::new(0));
        let place = Place::take(&under_way, 1).expect("there is room");
        assert!(Place::take(&under_way, 1).is_none());
        let ended = std::thread::spawn(move || {
            let _place = place;
            panic!("a service that is broken");
        });
        assert!(ended.join().is_err());
        assert_eq!(under_way.load(Ordering::Acquire), 0);
        assert!(Place::take(&under_way, 1).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_tried_until_that_is_of_no_use() {
        let failed = || Some(Err(PushError::Failed("500".to_owned())));
        let refused = || Some(Err(PushError::Refused("401".to_owned())));
        assert_eq!(tried(vec![Some(Ok(()))]).await, 1);
        assert_eq!(tried(vec![failed(), None, Some(Ok(()))]).await, 3);
        assert_eq!(tried(vec![failed()]).await, 4);
        assert_eq!(tried(vec![failed(), refused()]).await, 2);
    }
}
