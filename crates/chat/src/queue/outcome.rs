//! What an attempt means for a message that is kept.

use chappe_store::{Attempt, Micros};

use crate::{CopyEnd, Delivery, Tried};

/// What is to become of the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outlook {
    /// A device has it.
    Delivered,
    /// No device will ever take it.
    Refused { code: u16, reason: String },
    /// A device does not take it at the moment.
    PutOff,
    /// Nobody answered.
    Silence,
    /// There is no device, or none that is not asked already.
    Nobody,
    /// Too much is under way here.
    Overload,
}

pub(super) fn outlook(tried: &Tried) -> Outlook {
    match &tried.delivery {
        Delivery::Delivered { .. } | Delivery::Accepted | Delivery::Stored => Outlook::Delivered,
        Delivery::NobodyRegistered => Outlook::Nobody,
        Delivery::Overloaded { .. } | Delivery::QueueFull => Outlook::Overload,
        Delivery::Refused { code, reason, .. } if is_for_good(*code) && all_for_good(&tried.copies) => {
            Outlook::Refused { code: *code, reason: reason.clone() }
        }
        Delivery::Refused { .. } => Outlook::PutOff,
        Delivery::NoAnswer | Delivery::Failed(_) => Outlook::Silence,
    }
}

/// RFC 3261 §21.6: a 6xx speaks for the user, not for a device.
fn all_for_good(copies: &[CopyEnd]) -> bool {
    copies.iter().any(|copy| copy.code >= 600) || copies.iter().all(|copy| is_for_good(copy.code))
}

/// Whether a device's answer will be the same the next time. RFC 3261 §21.4 and §21.5: what speaks of the moment does not.
pub(super) fn is_for_good(code: u16) -> bool {
    match code {
        408 | 423 | 425 | 429 | 430 | 480 | 481 | 486 | 487 | 491 | 494 => false,
        300..=499 | 501 | 505 | 513 | 600.. => true,
        _ => false,
    }
}

/// Whether the device is not to get the message again.
pub(super) fn is_settled(code: u16) -> bool {
    (200..300).contains(&code) || is_for_good(code)
}

/// What was tried, to be written down.
pub(super) fn attempts(tried: &Tried, at: Micros) -> Vec<Attempt> {
    let mut attempts = ends(&tried.copies, at);
    let told = |device: &str| tried.copies.iter().any(|copy| *copy.device == *device);
    match &tried.delivery {
        Delivery::Delivered { code, device } => {
            let device = device.as_deref().unwrap_or_default();
            if !told(device) {
                attempts.push(Attempt { at, device: device.into(), code: *code, reason: "OK".into() });
            }
        }
        Delivery::Refused { code, reason, device } if attempts.is_empty() => {
            let device = device.as_deref().unwrap_or_default();
            attempts.push(Attempt { at, device: device.into(), code: *code, reason: reason.as_str().into() });
        }
        Delivery::Failed(why) => {
            attempts.push(Attempt { at, device: "".into(), code: 0, reason: why.as_str().into() });
        }
        Delivery::NoAnswer if attempts.is_empty() && tried.rest.is_none() => {
            attempts.push(Attempt { at, device: "".into(), code: 0, reason: NO_ANSWER.into() });
        }
        _ => {}
    }
    attempts
}

pub(super) fn ends(copies: &[CopyEnd], at: Micros) -> Vec<Attempt> {
    let attempt = |copy: &CopyEnd| Attempt {
        at,
        device: copy.device.clone(),
        code: copy.code,
        reason: if copy.code == 0 && copy.reason.is_empty() { NO_ANSWER.into() } else { copy.reason.clone() },
    };
    copies.iter().map(attempt).collect()
}

const NO_ANSWER: &str = "No Answer";

/// What is left of copies as one attempt.
pub(super) fn of_rest(copies: Vec<CopyEnd>) -> Tried {
    let taken = copies.iter().find(|copy| (200..300).contains(&copy.code));
    let refused =
        || copies.iter().filter(|copy| copy.code >= 300).min_by_key(|copy| (copy.code < 600, copy.code));
    let delivery = match (taken, refused()) {
        (Some(copy), _) => Delivery::Delivered { code: copy.code, device: Some(copy.device.to_string()) },
        (None, Some(copy)) => Delivery::Refused {
            code: copy.code,
            reason: copy.reason.to_string(),
            device: Some(copy.device.to_string()),
        },
        (None, None) => Delivery::NoAnswer,
    };
    Tried { delivery, copies, rest: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(codes: &[u16]) -> Tried {
        let copy =
            |code: &u16| CopyEnd { device: format!("d{code}").into(), code: *code, reason: "R".into() };
        of_rest(codes.iter().map(copy).collect())
    }

    #[test]
    fn one_outlook_for_all_devices() {
        let cases: [(&[u16], &str); 9] = [
            (&[200], "Delivered"),
            (&[486, 202], "Delivered"),
            (&[486], "PutOff"),
            (&[503], "PutOff"),
            (&[404], "Refused"),
            (&[404, 0], "PutOff"),
            (&[404, 480], "PutOff"),
            (&[0, 603], "Refused"),
            (&[0, 0], "Silence"),
        ];
        for (codes, expected) in cases {
            let outlook = format!("{:?}", outlook(&tried(codes)));
            assert!(outlook.starts_with(expected), "{codes:?}: {outlook}");
        }
    }

    #[test]
    fn each_device_is_written_down_once() {
        let all = attempts(&tried(&[486, 200, 0]), 7);
        let seen: Vec<_> = all.iter().map(|a| (&*a.device, a.code, &*a.reason)).collect();
        assert_eq!(seen, [("d486", 486, "R"), ("d200", 200, "R"), ("d0", 0, "R")]);
        let lone: Tried = Delivery::Delivered { code: 200, device: Some("d".into()) }.into();
        assert_eq!(attempts(&lone, 7).len(), 1);
        let silent: Tried = Delivery::NoAnswer.into();
        assert_eq!(attempts(&silent, 7)[0].code, 0);
    }
}
