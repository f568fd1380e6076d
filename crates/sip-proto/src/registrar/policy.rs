/// Which bindings of a user a REGISTER leaves beside its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Multiple {
    /// None: one phone a user. FreeSWITCH's `multiple-registrations` = false.
    #[default]
    No,
    /// All with another contact, as RFC 3261 §10.3 says. FreeSWITCH's `multiple-registrations` = contact.
    ByContact,
    /// All with another Call-ID and another contact: a phone that comes back with a new address replaces its old one.
    /// FreeSWITCH's `multiple-registrations` = call-id or true.
    ByCallId,
}

/// What a registrar grants. Times are in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Shortest time a client may ask for; less is refused with 423.
    pub min: u32,
    /// Longest time granted; more is cut to it.
    pub max: u32,
    /// Granted when the client names no time.
    pub default: u32,
    /// Granted whatever the client asks, unless it asks for 0. FreeSWITCH's `sip-force-expires`.
    pub forced: Option<u32>,
    /// Most bindings a user may have; a REGISTER that adds more is refused with 403.
    pub max_bindings: usize,
    /// There is no room for more bindings, whosever they are; those there are can be refreshed and replaced.
    pub full: bool,
    /// What happens to a user's other bindings.
    pub multiple: Multiple,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min: 60,
            max: 86_400,
            default: 3_600,
            forced: None,
            max_bindings: 10,
            full: false,
            multiple: Multiple::No,
        }
    }
}

impl Policy {
    /// How long a binding lasts, RFC 3261 §10.3 step 7: 0 removes it, `Err` is too brief.
    pub(super) fn grant(&self, asked: Option<u32>) -> Result<u32, TooBrief> {
        match (asked, self.forced) {
            (Some(0), _) => Ok(0),
            (_, Some(forced)) => Ok(forced.max(1)),
            (Some(seconds), None) if seconds < self.min => Err(TooBrief),
            (asked, None) => Ok(asked.unwrap_or(self.default).min(self.max).max(1)),
        }
    }
}

/// Less than [`Policy::min`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooBrief;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_granted_within_the_limits() {
        let plain = Policy { min: 60, max: 600, default: 300, ..Policy::default() };
        let forced = Policy { forced: Some(30), ..plain };
        let odd = Policy { default: 0, ..plain };
        for (policy, asked, granted) in [
            (plain, None, Ok(300)),
            (plain, Some(0), Ok(0)),
            (plain, Some(59), Err(TooBrief)),
            (plain, Some(60), Ok(60)),
            (plain, Some(u32::MAX), Ok(600)),
            (forced, Some(5), Ok(30)),
            (forced, None, Ok(30)),
            (forced, Some(0), Ok(0)),
            (odd, None, Ok(1)),
        ] {
            assert_eq!(policy.grant(asked), granted, "{asked:?} under {policy:?}");
        }
    }
}
