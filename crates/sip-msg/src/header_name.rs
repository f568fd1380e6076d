//! Names of header fields: the ones this crate knows, with their compact forms.

use std::fmt;

macro_rules! header_names {
    ($($variant:ident = $text:literal $(/ $compact:literal)?),* $(,)?) => {
        /// The name of a header field (RFC 3261 §7.3.1: names know no case; §7.3.3: compact forms).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum HeaderName {
            $(#[doc = $text] $variant,)*
            /// A name this crate has no word for; see [`Header::name_text`](crate::Header::name_text).
            Other,
        }

        const NAMES: &[(HeaderName, &str)] = &[$((HeaderName::$variant, $text),)*];

        impl HeaderName {
            /// The name in its long form, spelled as the RFCs do. Empty for [`HeaderName::Other`].
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(HeaderName::$variant => $text,)*
                    HeaderName::Other => "",
                }
            }

            const fn of_compact(letter: u8) -> Self {
                $($(if letter.eq_ignore_ascii_case(&$compact) { return HeaderName::$variant; })?)*
                HeaderName::Other
            }
        }
    };
}

header_names! {
    Accept = "Accept",
    AcceptContact = "Accept-Contact" / b'a',
    AcceptEncoding = "Accept-Encoding",
    AcceptLanguage = "Accept-Language",
    AlertInfo = "Alert-Info",
    Allow = "Allow",
    AllowEvents = "Allow-Events" / b'u',
    AuthenticationInfo = "Authentication-Info",
    Authorization = "Authorization",
    CallId = "Call-ID" / b'i',
    CallInfo = "Call-Info",
    Contact = "Contact" / b'm',
    ContentDisposition = "Content-Disposition",
    ContentEncoding = "Content-Encoding" / b'e',
    ContentLanguage = "Content-Language",
    ContentLength = "Content-Length" / b'l',
    ContentType = "Content-Type" / b'c',
    CSeq = "CSeq",
    Date = "Date",
    Diversion = "Diversion",
    ErrorInfo = "Error-Info",
    Event = "Event" / b'o',
    Expires = "Expires",
    From = "From" / b'f',
    Geolocation = "Geolocation",
    HistoryInfo = "History-Info",
    Identity = "Identity" / b'y',
    InReplyTo = "In-Reply-To",
    MaxForwards = "Max-Forwards",
    MimeVersion = "MIME-Version",
    MinExpires = "Min-Expires",
    Organization = "Organization",
    PAssertedIdentity = "P-Asserted-Identity",
    PPreferredIdentity = "P-Preferred-Identity",
    Path = "Path",
    Priority = "Priority",
    Privacy = "Privacy",
    ProxyAuthenticate = "Proxy-Authenticate",
    ProxyAuthenticationInfo = "Proxy-Authentication-Info",
    ProxyAuthorization = "Proxy-Authorization",
    ProxyRequire = "Proxy-Require",
    Reason = "Reason",
    RecordRoute = "Record-Route",
    ReferTo = "Refer-To" / b'r',
    ReferredBy = "Referred-By" / b'b',
    RejectContact = "Reject-Contact" / b'j',
    ReplyTo = "Reply-To",
    RequestDisposition = "Request-Disposition" / b'd',
    Require = "Require",
    RetryAfter = "Retry-After",
    Route = "Route",
    Server = "Server",
    ServiceRoute = "Service-Route",
    SessionExpires = "Session-Expires" / b'x',
    SipEtag = "SIP-ETag",
    SipIfMatch = "SIP-If-Match",
    Subject = "Subject" / b's',
    SubscriptionState = "Subscription-State",
    Supported = "Supported" / b'k',
    Timestamp = "Timestamp",
    To = "To" / b't',
    Unsupported = "Unsupported",
    UserAgent = "User-Agent",
    UserToUser = "User-to-User",
    Via = "Via" / b'v',
    Warning = "Warning",
    WwwAuthenticate = "WWW-Authenticate",
}

impl HeaderName {
    /// The name these bytes stand for, in any case, long or compact.
    pub fn of(text: &[u8]) -> Self {
        match text {
            [] => HeaderName::Other,
            [letter] => Self::of_compact(*letter),
            _ => match NAMES.get(usize::from(TABLE.slots[slot(text, TABLE.seed)])) {
                // As the RFCs spell it, nearly always; and comparing whole words is quick.
                Some((name, long)) if text == long.as_bytes() => *name,
                Some((name, long)) if text.eq_ignore_ascii_case(long.as_bytes()) => *name,
                _ => HeaderName::Other,
            },
        }
    }

    /// How many there are, [`HeaderName::Other`] among them: each is less than this as a number.
    pub(crate) const COUNT: usize = NAMES.len() + 1;
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const SLOTS: usize = 1024;
const EMPTY: u8 = u8::MAX;
const _: () = assert!(NAMES.len() < EMPTY as usize);

/// A perfect hash over the long names, found at compile time: one probe and one comparison a header line.
struct Table {
    seed: u32,
    slots: [u8; SLOTS],
}

static TABLE: Table = build();

const fn slot(text: &[u8], seed: u32) -> usize {
    let last = text.len() - 1;
    let key = (text[0] | 0x20) as u32
        | ((text[last] | 0x20) as u32) << 8
        | ((text[text.len() / 2] | 0x20) as u32) << 16
        | (text.len() as u32) << 24;
    (key.wrapping_mul(seed) >> 22) as usize
}

const fn build() -> Table {
    let mut seed = 0x9E37_79B1;
    let mut tries = 0;
    while tries < 10_000 {
        if let Some(slots) = fill(seed) {
            return Table { seed, slots };
        }
        seed = seed.wrapping_mul(0x85EB_CA6B).wrapping_add(0xC2B2_AE34) | 1;
        tries += 1;
    }
    panic!("no seed separates the header names")
}

const fn fill(seed: u32) -> Option<[u8; SLOTS]> {
    let mut slots = [EMPTY; SLOTS];
    let mut index = 0;
    while index < NAMES.len() {
        let at = slot(NAMES[index].1.as_bytes(), seed);
        if slots[at] != EMPTY {
            return None;
        }
        slots[at] = index as u8;
        index += 1;
    }
    Some(slots)
}

#[cfg(test)]
mod tests {
    use super::{HeaderName, NAMES};

    #[test]
    fn every_name_is_found_in_any_case() {
        for (name, text) in NAMES {
            assert_eq!(HeaderName::of(text.as_bytes()), *name, "{text}");
            assert_eq!(HeaderName::of(text.to_uppercase().as_bytes()), *name, "{text}");
            assert_eq!(HeaderName::of(text.to_lowercase().as_bytes()), *name, "{text}");
            assert_eq!(name.as_str(), *text);
        }
    }

    #[test]
    fn compact_forms_and_strangers() {
        for (text, name) in [
            ("v", HeaderName::Via),
            ("V", HeaderName::Via),
            ("m", HeaderName::Contact),
            ("l", HeaderName::ContentLength),
            ("z", HeaderName::Other),
            ("", HeaderName::Other),
            ("Vib", HeaderName::Other),
            ("X-Foo", HeaderName::Other),
        ] {
            assert_eq!(HeaderName::of(text.as_bytes()), name, "{text}");
        }
    }
}
