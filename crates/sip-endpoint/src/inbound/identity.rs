//! Asserted identities, RFC 3325: who says who sent a message, and who is believed.
//!
//! The trust domain of RFC 3325 §2.3 is the addresses that `apply-inbound-acl` allows, and gateways. What those assert is passed
//! on, and of everybody else it is taken off (§5, §9.1), whether a password was asked for or not. Of a user who authenticated we
//! assert the identity ourselves, if it asks for that.

use chappe_directory::User;
use chappe_event::Event;
use chappe_sip_msg::{Header, HeaderName, Message, NameAddr};

use crate::auth;

/// The headers of events that become header lines.
pub const ASSERTED: &str = "sip_h_P-Asserted-Identity";
pub const PRIVACY: &str = "sip_h_Privacy";

/// A header that is no business of somebody outside of the trust domain.
pub fn is_assertion(line: &Header<'_>) -> bool {
    matches!(line.name, HeaderName::PAssertedIdentity | HeaderName::PPreferredIdentity)
}

/// RFC 3323 §4.2: all values in one header.
pub fn add_privacy(event: &mut Event, line: &Header<'_>) {
    let before = event.get(PRIVACY).map(|before| format!("{before};{}", line.text()));
    match before {
        Some(all) => event.set(PRIVACY, all),
        None => event.add(PRIVACY, line.text()),
    }
}

/// RFC 3325 §6: of the identities that the authenticated user has, the one that it prefers. What it prefers and does not have
/// counts for nothing.
pub fn assert_preferred(event: &mut Event, message: &Message<'_>, user: &User) {
    let preferred = message.values(HeaderName::PPreferredIdentity);
    let mut addresses =
        preferred.filter_map(|value| NameAddr::parse(HeaderName::PPreferredIdentity, value).ok());
    let is_own = |address: &NameAddr<'_>| {
        let name = address.uri.user_unescaped().unwrap_or_default();
        auth::is_user(user, &String::from_utf8_lossy(&name))
            && user.domain.as_bytes().eq_ignore_ascii_case(address.uri.host)
    };
    if let Some(own) = addresses.find(is_own) {
        let name = String::from_utf8_lossy(own.uri.user.unwrap_or_default()).into_owned();
        event.add(ASSERTED, format!("<sip:{name}@{}>", user.domain));
    }
}

/// RFC 3325 §9.3: whether the sender's identity is for the trust domain alone.
pub fn is_private(event: &Event) -> bool {
    let Some(privacy) = event.get(PRIVACY) else { return false };
    privacy.split([';', ',']).any(|value| value.trim().eq_ignore_ascii_case("id"))
}
