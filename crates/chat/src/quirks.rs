//! Where FreeSWITCH of 2026 and the mod_sms page differ, or FreeSWITCH is plainly wrong.

/// FreeSWITCH's ways that are not ours by default. Each is off unless `sms.conf` says `freeswitch-quirks`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quirks {
    /// A message that an extension matched is delivered point to point as well, unless the app `final` ran, so that
    /// `send` makes two copies. Off: an extension that matched takes the message, which is what the mod_sms page says.
    pub deliver_after_match: bool,
    /// `Content-Type` loses its parameters, `;charset=` among them. Off: they are kept, in the event's `type` too.
    pub bare_type: bool,
    /// is-composing bodies (RFC 3994) are answered 202 and dropped. Off: they are relayed to registered devices, past
    /// the chatplan, and never stored.
    pub swallow_composing: bool,
    /// Each MESSAGE is answered 202 at once, with a Contact, whatever becomes of it. Off: a 2xx is a promise, and RFC
    /// 3428 §7 forbids the Contact.
    pub accept_always: bool,
    /// `${body}` is empty unless a header has that name. Off: it means `${_body}`, as FreeSWITCH's own sample chatplan
    /// takes for granted.
    pub body_header: bool,
    /// `SMS::DELIVERY_REPORT` is sent for `SMS::SEND_MESSAGE` events alone, and says Accepted unless they are blocking.
    /// Off: each message gets a truthful report.
    pub reports: bool,
    /// The From of a MESSAGE is believed, whoever authenticated. Off: its user is the authenticated one, else 403.
    pub unchecked_from: bool,
    /// What a script or a program hands to an app is filled in as what a chatplan says: global variables and API commands,
    /// too. Off: only the message's own headers are, since a script that repeats a sender's text would let the sender
    /// read the one and call the other.
    pub scripts_expand_all: bool,
}

impl Quirks {
    /// All of FreeSWITCH's ways.
    pub const fn freeswitch() -> Self {
        Self {
            deliver_after_match: true,
            bare_type: true,
            swallow_composing: true,
            accept_always: true,
            body_header: true,
            reports: true,
            unchecked_from: true,
            scripts_expand_all: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_on_by_default() {
        let Quirks {
            deliver_after_match,
            bare_type,
            swallow_composing,
            accept_always,
            body_header,
            reports,
            unchecked_from,
            scripts_expand_all,
        } = Quirks::default();
        let all = [
            deliver_after_match,
            bare_type,
            swallow_composing,
            accept_always,
            body_header,
            reports,
            unchecked_from,
            scripts_expand_all,
        ];
        assert_eq!(all, [false; 8]);
    }
}
