use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hashbrown::HashSet;

/// Devices that are remembered; with more the oldest is forgotten, and may be woken again too early.
const MOST: usize = 100_000;

/// When which device was woken last.
#[derive(Default)]
pub struct Rate {
    woken: HashSet<u64>,
    /// The earliest first.
    times: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Whether the device with this hash may be woken; if so, it counts as woken.
    pub fn admits(&mut self, now: Instant, device: u64, interval: Duration) -> bool {
        while let Some((at, oldest)) = self.times.front()
            && (*at + interval <= now || self.times.len() >= MOST)
        {
            self.woken.remove(oldest);
            self.times.pop_front();
        }
        let admitted = self.woken.insert(device);
        if admitted {
            self.times.push_back((now, device));
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_woken_once_an_interval() {
        let (mut rate, now, interval) = (Rate::default(), Instant::now(), Duration::from_secs(10));
        let mut at = |second, device| rate.admits(now + Duration::from_secs(second), device, interval);
        let seen = [at(0, 1), at(0, 2), at(5, 1), at(9, 1), at(10, 1), at(11, 1), at(11, 2), at(20, 1)];
        assert_eq!(seen, [true, true, false, false, true, false, true, true]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        for device in 0..(MOST as u64 + 10) {
            assert!(rate.admits(now, device, Duration::from_secs(60)));
        }
        assert_eq!((rate.times.len(), rate.woken.len()), (MOST, MOST));
    }
}
