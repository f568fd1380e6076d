//! Devices that don't want to hear that somebody is typing.
//!
//! Whoever gets a 415 for an is-composing notice sends no more of them (RFC 3994 §3.2), but the sender's device does not know
//! which of the recipient's devices said so: it is known here.

use std::time::{Duration, Instant};

use chappe_chat::{CopyEnd, Delivery, Tried};
use chappe_event::{Event, header};
use hashbrown::HashMap;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::shard::Leg;

/// How long a device's 415 is remembered: it may learn better.
const TIME: Duration = Duration::from_secs(3600);
/// Devices that are remembered; one more is not, until the time of some is over.
const MOST: usize = 10_000;
/// RFC 3261 §21.4.13.
const UNSUPPORTED: u16 = 415;

/// The contacts of those devices, and until when they are left alone.
#[derive(Default)]
pub struct Unwilling(Mutex<HashMap<Box<str>, Instant>>);

/// RFC 3994 §4.
pub fn is_notice(message: &Event) -> bool {
    const COMPOSING: &str = "application/im-iscomposing+xml";
    let written = message.get(header::TYPE).and_then(|written| written.get(..COMPOSING.len()));
    written.is_some_and(|written| written.eq_ignore_ascii_case(COMPOSING))
}

impl Unwilling {
    /// Leaves those out who don't want notices. `Err`: nobody wants them; what the last of them said.
    pub fn spare(&self, legs: &mut SmallVec<[Leg; 2]>, now: Instant) -> Result<(), Delivery> {
        let unwilling = self.0.lock();
        let is_unwilling = |uri: &str| unwilling.get(uri).is_some_and(|until| now < *until);
        let mut spared = None;
        legs.retain(|leg| {
            let wants = !is_unwilling(&leg.uri);
            if !wants {
                spared = Some(leg.uri.clone());
            }
            wants
        });
        match spared {
            Some(device) if legs.is_empty() => Err(Delivery::Refused {
                code: UNSUPPORTED,
                reason: "Unsupported Media Type".to_owned(),
                device: Some(device),
            }),
            _ => Ok(()),
        }
    }

    /// Remembers who answered a notice with 415.
    pub fn learn(&self, tried: &Tried, now: Instant) {
        if let Delivery::Refused { code: UNSUPPORTED, device: Some(device), .. } = &tried.delivery {
            self.add(device, now);
        }
        for CopyEnd { device, .. } in tried.copies.iter().filter(|copy| copy.code == UNSUPPORTED) {
            self.add(device, now);
        }
    }

    fn add(&self, device: &str, now: Instant) {
        let mut unwilling = self.0.lock();
        if unwilling.len() >= MOST {
            unwilling.retain(|_, until| now < *until);
        }
        if unwilling.len() < MOST {
            unwilling.insert(device.into(), now + TIME);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, device: &str) -> Tried {
        Delivery::Refused { code, reason: String::new(), device: Some(device.to_owned()) }.into()
    }

    fn spares(unwilling: &Unwilling, uri: &str, now: Instant) -> bool {
        unwilling.0.lock().get(uri).is_some_and(|until| now < *until)
    }

    #[test]
    fn a_415_is_remembered_for_a_while() {
        let (unwilling, now) = (Unwilling::default(), Instant::now());
        unwilling.learn(&refused(UNSUPPORTED, "sip:a@h"), now);
        unwilling.learn(&refused(486, "sip:b@h"), now);
        assert!(spares(&unwilling, "sip:a@h", now) && !spares(&unwilling, "sip:b@h", now));
        assert!(!spares(&unwilling, "sip:a@h", now + TIME));
    }

    #[test]
    fn so_many_are_remembered() {
        let (unwilling, now) = (Unwilling::default(), Instant::now());
        for number in 0..=MOST {
            unwilling.learn(&refused(UNSUPPORTED, &format!("sip:{number}@h")), now);
        }
        assert_eq!(unwilling.0.lock().len(), MOST);
        unwilling.learn(&refused(UNSUPPORTED, "sip:late@h"), now + TIME);
        assert_eq!(unwilling.0.lock().len(), 1);
    }
}
