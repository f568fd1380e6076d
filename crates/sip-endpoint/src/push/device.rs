use std::borrow::Cow;

use chappe_sip_msg::Uri;

/// The params of a contact that say how its device is woken, RFC 8599 §4.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device<'c> {
    /// `apns`, `fcm`, `webpush` or another's name.
    pub provider: &'c str,
    /// The device's name at the provider: whoever knows it may wake the device.
    pub prid: &'c str,
    /// What else the provider wants to know; may be empty.
    pub param: &'c str,
}

/// What pn params of a contact come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked<'c> {
    /// There are none.
    Nothing,
    /// RFC 8599 §4.1.2: which providers there are.
    Providers,
    Device(Device<'c>),
}

impl<'c> Asked<'c> {
    pub fn of(contact: &'c str) -> Self {
        if !has_any(contact) {
            return Self::Nothing;
        }
        let Ok(uri) = Uri::parse(contact.as_bytes()) else { return Self::Nothing };
        let text = |name: &str| uri.param(name).and_then(|value| std::str::from_utf8(value).ok());
        let device = |provider| Device {
            provider,
            prid: text("pn-prid").unwrap_or_default(),
            param: text("pn-param").unwrap_or_default(),
        };
        match text("pn-provider") {
            Some(provider) if !provider.is_empty() => Self::Device(device(provider)),
            _ if uri.params.has("pn-provider") => Self::Providers,
            _ => Self::Nothing,
        }
    }

    /// A device that can be woken.
    pub fn device(self) -> Option<Device<'c>> {
        match self {
            Self::Device(device) if !device.prid.is_empty() => Some(device),
            _ => None,
        }
    }
}

/// Whether there may be pn params: most contacts have none.
fn has_any(contact: &str) -> bool {
    let octets = contact.as_bytes();
    memchr::memchr_iter(b'-', octets).any(|at| {
        octets.get(at.saturating_sub(2)..at + 2).is_some_and(|text| text.eq_ignore_ascii_case(b"pn-p"))
    })
}

/// A contact as others may see it, RFC 8599 §13: what a device is woken by is the device's and ours.
pub fn masked(contact: &str) -> Cow<'_, str> {
    if !has_any(contact) {
        return Cow::Borrowed(contact);
    }
    let mut out = String::with_capacity(contact.len());
    for (number, param) in contact.split(';').enumerate() {
        if number > 0 {
            out.push(';');
        }
        match param.split_once('=') {
            Some((name, _))
                if ["pn-prid", "pn-param"].iter().any(|secret| name.eq_ignore_ascii_case(secret)) =>
            {
                out.push_str(name);
                // Headers of the URI, and whatever stands behind it, are not the param's.
                out.push_str("=*");
                out.push_str(param.find(['?', '>']).map_or("", |end| &param[end..]));
            }
            _ => out.push_str(param),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_contact_asks_for() {
        let device = |provider, prid, param| Asked::Device(Device { provider, prid, param });
        let cases = [
            ("sip:a@h", Asked::Nothing),
            ("sip:a@h;pn-provider", Asked::Providers),
            ("sip:a@h;pn-provider=fcm", device("fcm", "", "")),
            ("sip:a@h;pn-provider=fcm;pn-param=P;pn-prid=T:1;x", device("fcm", "T:1", "P")),
            ("sip:pn-provider@h", Asked::Nothing),
        ];
        for (contact, want) in cases {
            assert_eq!(Asked::of(contact), want, "{contact}");
        }
        assert!(Asked::of("sip:a@h;pn-provider=fcm").device().is_none());
    }

    #[test]
    fn tokens_are_shown_to_nobody() {
        let cases = [
            ("sip:a@h;transport=tcp", "sip:a@h;transport=tcp"),
            (
                "sip:a@h;pn-provider=fcm;pn-param=P;pn-prid=T;transport=tcp",
                "sip:a@h;pn-provider=fcm;pn-param=*;pn-prid=*;transport=tcp",
            ),
            ("\"\" <sip:a@h;pn-prid=T>;q=1", "\"\" <sip:a@h;pn-prid=*>;q=1"),
            ("sip:a@h;pn-prid=T?Subject=x", "sip:a@h;pn-prid=*?Subject=x"),
            ("sip:a@h;PN-PRID=T", "sip:a@h;PN-PRID=*"),
            ("-p@h", "-p@h"),
        ];
        for (contact, want) in cases {
            assert_eq!(masked(contact), want);
        }
    }
}
