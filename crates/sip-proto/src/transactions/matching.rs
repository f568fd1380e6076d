//! Which transaction a request belongs to, RFC 3261 §17.2.3, and which request it is a copy of, §8.2.2.2.
//!
//! What identifies a transaction is hashed to 128 bits under a key that peers don't know, and the hash stands for it.

use std::num::NonZeroU64;

use chappe_sip_msg::{CSeq, HeaderError, HeaderName, Message, Method, NameAddr, Via};

use super::branch::has_magic_cookie;
use crate::siphash::{HashKey, SipHash};

/// Stands for the branch, sent-by and method of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ServerKey([u64; 2]);

impl ServerKey {
    /// For tables: 96 bits, by which one in 10²⁰ looks for a request that is not there finds another among four million.
    pub(super) fn short(self) -> [u32; 3] {
        let [first, second] = self.0;
        [first as u32, (first >> 32) as u32, second as u32]
    }

    /// For tags: the same request always gets the same one, RFC 3261 §8.2.7.
    pub(super) fn words(self) -> [u64; 2] {
        self.0
    }
}

/// Stands for the Call-ID, From tag and CSeq of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct MergeKey(NonZeroU64);

impl MergeKey {
    /// For tables.
    pub(super) fn words(self) -> [u32; 2] {
        let number = self.0.get();
        [number as u32, (number >> 32) as u32]
    }
}

/// A request, and what it is known by.
#[derive(Clone, Copy, Debug)]
pub struct Identified<'m> {
    pub(super) identity: Identity<'m>,
    pub(super) key: ServerKey,
    pub(super) merge: Option<MergeKey>,
}

/// What every request is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity<'a> {
    pub(super) via: Via<'a>,
    pub(super) method: Method<'a>,
    from_tag: Option<&'a [u8]>,
    to_tag: Option<&'a [u8]>,
    cseq: CSeq<'a>,
}

impl<'a> Identity<'a> {
    /// `None` when a header that identifies a request can't be read.
    pub(super) fn of(request: &Message<'a>) -> Option<Self> {
        Some(Self {
            via: request.via().ok()?,
            method: request.method(),
            from_tag: tag(request.from())?,
            to_tag: tag(request.to())?,
            cseq: request.cseq().ok()?,
        })
    }

    /// RFC 3261 §17.2.3.
    pub(super) fn server_key(&self, request: &Message<'_>, key: HashKey) -> ServerKey {
        branch_key(self.method, &self.via, key).unwrap_or_else(|| {
            let mut hash = key.hash();
            let method = of_transaction(self.method);
            hash.field(method.as_bytes());
            self.hash_as_rfc2543(request, method, &mut hash);
            ServerKey(hash.finish128())
        })
    }

    /// A client of RFC 2543 repeats Request-URI, To tag, From tag, Call-ID, CSeq and topmost Via. The To tag of an ACK is
    /// that of the response and not of its INVITE, so it is left out for the two.
    fn hash_as_rfc2543(&self, request: &Message<'_>, method: Method<'_>, hash: &mut SipHash<1, 3>) {
        hash.field(request.uri_text());
        hash.field(self.from_tag.unwrap_or_default());
        hash.field(request.call_id());
        hash.number(self.cseq.number.into());
        hash.field(request.values(HeaderName::Via).next().unwrap_or_default());
        if method != Method::Invite {
            hash.field(self.to_tag.unwrap_or_default());
        }
    }

    /// RFC 3261 §8.2.2.2: only a request without a To tag can be a merged one.
    pub(super) fn merge_key(&self, request: &Message<'_>, key: HashKey) -> Option<MergeKey> {
        if self.to_tag.is_some() {
            return None;
        }
        let mut hash = key.hash();
        hash.field(request.call_id());
        hash.field(self.from_tag.unwrap_or_default());
        hash.number(self.cseq.number.into());
        hash.field(self.cseq.method.as_bytes());
        Some(MergeKey(NonZeroU64::new(hash.finish128()[0]).unwrap_or(NonZeroU64::MIN)))
    }
}

/// An ACK has the key of its INVITE; a CANCEL is a transaction of its own.
fn of_transaction(method: Method<'_>) -> Method<'_> {
    match method {
        Method::Ack => Method::Invite,
        method => method,
    }
}

/// The key of a request whose branch is unique by itself; `None`: it comes from a client of RFC 2543.
pub(super) fn branch_key(method: Method<'_>, via: &Via<'_>, key: HashKey) -> Option<ServerKey> {
    let branch = via.branch.filter(|branch| has_magic_cookie(branch))?;
    let mut hash = key.hash();
    hash.field(of_transaction(method).as_bytes());
    hash.field(branch);
    hash.field(via.host);
    hash.number(via.port.unwrap_or_default().into());
    Some(ServerKey(hash.finish128()))
}

/// Stands for a request that lacks what would identify it: all of its octets.
pub(super) fn unidentified(request: &Message<'_>, key: HashKey) -> ServerKey {
    let mut hash = key.hash();
    hash.field(request.bytes());
    ServerKey(hash.finish128())
}

/// The tag of a From or To; one that can't be read has none. `None` when it is not there.
fn tag<'a>(address: Result<NameAddr<'a>, HeaderError>) -> Option<Option<&'a [u8]>> {
    match address {
        Ok(address) => Some(address.tag()),
        Err(HeaderError::Missing(_)) => None,
        Err(HeaderError::Malformed { .. }) => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(lines: &[(&str, &str)]) -> Vec<u8> {
        let start = lines
            .iter()
            .find(|(name, _)| name.is_empty())
            .map_or("MESSAGE sip:b@h SIP/2.0", |(_, line)| line);
        let method = start.split(' ').next().unwrap();
        let cseq = format!("7 {method}");
        let mut text = format!("{start}\r\n");
        for (name, usual) in [
            ("Via", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa"),
            ("From", "<sip:a@h>;tag=f"),
            ("To", "<sip:b@h>"),
            ("Call-ID", "c1"),
            ("CSeq", cseq.as_str()),
            ("Max-Forwards", "70"),
        ] {
            let value = lines.iter().find(|(given, _)| *given == name).map_or(usual, |(_, value)| value);
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        (text + "\r\n").into_bytes()
    }

    fn keys(bytes: &[u8]) -> (ServerKey, Option<MergeKey>) {
        let message = chappe_sip_msg::parse(bytes).unwrap();
        let identity = Identity::of(&message).unwrap();
        let key = HashKey::derive(1, 0);
        (identity.server_key(&message, key), identity.merge_key(&message, key))
    }

    fn same_transaction(one: &[(&str, &str)], other: &[(&str, &str)]) -> bool {
        keys(&request(one)).0 == keys(&request(other)).0
    }

    #[test]
    fn branch_sent_by_and_method_make_the_transaction() {
        let via = |text| [("Via", text)];
        let plain = "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa";
        for (same, other) in [
            (true, plain),
            (true, "SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bKa"),
            (false, "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKA"),
            (false, "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK%61"),
            (false, "SIP/2.0/UDP 192.0.2.1:5071;branch=z9hG4bKa"),
            (false, "SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKa"),
        ] {
            assert_eq!(same_transaction(&via(plain), &via(other)), same, "{other}");
        }
        assert!(same_transaction(&[], &[("Call-ID", "c2"), ("CSeq", "8 MESSAGE")]));
        assert!(!same_transaction(&[], &[("", "OPTIONS sip:b@h SIP/2.0")]));
    }

    #[test]
    fn an_ack_belongs_to_its_invite_and_a_cancel_does_not() {
        for via in ["SIP/2.0/UDP h;branch=z9hG4bKa", "SIP/2.0/UDP h;branch=1", "SIP/2.0/UDP h"] {
            let invite = [("", "INVITE sip:b@h SIP/2.0"), ("Via", via)];
            let ack = [("", "ACK sip:b@h SIP/2.0"), ("Via", via), ("To", "<sip:b@h>;tag=t")];
            let cancel = [("", "CANCEL sip:b@h SIP/2.0"), ("Via", via)];
            assert!(same_transaction(&invite, &ack), "{via}");
            assert!(!same_transaction(&invite, &cancel), "{via}");
        }
    }

    #[test]
    fn without_the_cookie_all_that_rfc_2543_repeats_counts() {
        let via = ("Via", "SIP/2.0/UDP 192.0.2.1;branch=1");
        assert!(same_transaction(&[via], &[via]));
        for other in [
            ("", "MESSAGE sip:c@h SIP/2.0"),
            ("From", "<sip:a@h>;tag=g"),
            ("To", "<sip:b@h>;tag=t"),
            ("Call-ID", "c2"),
            ("CSeq", "8 MESSAGE"),
        ] {
            assert!(!same_transaction(&[via], &[via, other]), "{other:?}");
        }
        assert!(!same_transaction(&[via], &[("Via", "SIP/2.0/UDP 192.0.2.1;branch=2")]));
    }

    #[test]
    fn call_id_from_tag_and_cseq_make_the_request() {
        let merge = |lines: &[(&str, &str)]| keys(&request(lines)).1;
        let plain = merge(&[]).unwrap();
        assert_eq!(merge(&[("Via", "SIP/2.0/UDP h;branch=z9hG4bKb")]), Some(plain));
        assert_eq!(merge(&[("To", "<sip:b@h>;tag=t")]), None);
        for other in [("Call-ID", "c2"), ("From", "<sip:a@h>;tag=g"), ("CSeq", "8 MESSAGE")] {
            assert_ne!(merge(&[other]), Some(plain), "{other:?}");
        }
        assert_ne!(merge(&[("", "OPTIONS sip:b@h SIP/2.0")]), Some(plain));
    }
}
