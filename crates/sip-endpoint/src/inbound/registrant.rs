//! What the directory says of a user who registers: params of the user, its group or its domain, some of which a profile has
//! for all others.

use chappe_directory::User;
use chappe_expression::Expression;
use chappe_sip_msg::HeaderName;
use chappe_sip_proto::registrar::Aor;

use super::Request;
use crate::auth::{Sender, printable};
use crate::config::ProfileConfig;
use crate::world::View;

/// Bindings a user may have where `max-registrations-per-extension` says nothing.
const BINDINGS: usize = 50;
/// As a profile's `max-registrations-per-extension`.
const MOST: usize = 1000;

/// A user who registers; `None`: one that the directory does not know.
pub(super) struct Registrant<'v>(Option<&'v User>);

impl<'v> Registrant<'v> {
    pub(super) fn of(request: &Request<'v, '_>, sender: &Sender<'v>, view: &'v View, aor: &Aor) -> Self {
        Self(sender.user.or_else(|| request.user(view, aor.domain(), aor.user())))
    }

    /// `sip-forbid-register`, and `user-agent-filter`: an expression that the device's User-Agent has to match.
    /// Deviation: FreeSWITCH refuses all that such a user authenticates, its messages too, and looks at the User-Agent before the
    /// password (sofia_reg.c sofia_reg_parse_auth).
    pub(super) fn is_forbidden(&self, request: &Request<'_, '_>, config: &ProfileConfig) -> bool {
        let forbids = self.param("sip-forbid-register").is_some_and(chappe_event::is_true);
        let filter = self.param("user-agent-filter").or(config.user_agent_filter.as_deref());
        forbids || filter.is_some_and(|filter| !lets_in(filter, request, config))
    }

    /// Bindings that the user may have at once: its own `max-registrations-per-extension`, else the profile's.
    pub(super) fn most_bindings(&self, config: &ProfileConfig) -> usize {
        most(self.param("max-registrations-per-extension"), config.max_registrations)
    }

    fn param(&self, name: &str) -> Option<&'v str> {
        self.0.and_then(|user| user.param(name))
    }
}

/// What is no number counts for nothing, and nobody gets more than a profile could say.
fn most(own: Option<&str>, of_profile: usize) -> usize {
    match own.and_then(|own| own.trim().parse().ok()).unwrap_or(of_profile) {
        0 => BINDINGS,
        most => most.min(MOST),
    }
}

/// An expression that can't be used lets nobody in.
fn lets_in(filter: &str, request: &Request<'_, '_>, config: &ProfileConfig) -> bool {
    let agent = request.message.first(HeaderName::UserAgent).unwrap_or_default();
    let agent = String::from_utf8_lossy(agent);
    let found = match Expression::cached(filter).as_ref() {
        Ok(expression) => expression.is_match(&agent).unwrap_or_default(),
        Err(error) => {
            tracing::error!(%error, "nobody can register with this user-agent-filter");
            false
        }
    };
    if config.log_auth_failures {
        let agent = printable(&agent);
        // The words of FreeSWITCH's sofia_reg.c.
        let result = if found { "OK" } else { "failure" };
        let words = format!(
            "SIP auth {result} (REGISTER) due to user-agent-filter.  Filter \"{filter}\" User-Agent \"{agent}\""
        );
        match found {
            true => tracing::debug!(file = "sofia_reg.c", "{words}"),
            false => tracing::warn!(file = "sofia_reg.c", "{words}"),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_bindings_have_a_limit_whatever_is_written() {
        let cases = [
            (None, 0, 50),
            (None, 7, 7),
            (Some("3"), 7, 3),
            (Some(" 3 "), 7, 3),
            (Some("0"), 7, 50),
            (Some("-1"), 7, 7),
            (Some("many"), 7, 7),
            (Some("1000000000"), 7, 1000),
            (Some("99999999999999999999999"), 7, 7),
        ];
        for (own, of_profile, expected) in cases {
            assert_eq!(most(own, of_profile), expected, "{own:?}");
        }
    }
}
