use std::borrow::Cow;

use chappe_sip_msg::{Contact, HeaderError, HeaderName, Message, NameAddr};
use smallvec::SmallVec;

use crate::Peer;

/// RFC 3261 §10.2.1.1: what an Expires says that can't be read.
const UNREADABLE_EXPIRES: u32 = 3_600;

/// Most bytes of Contact, Call-ID and Path together that a binding keeps.
pub const KEPT: usize = 4_096;
/// Most bytes of a User-Agent that are kept; it is only for people to read.
const USER_AGENT: usize = 256;
/// Most bytes of an instance; with more, it is none.
const INSTANCE: usize = 256;

/// Why a REGISTER was refused. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegisterError {
    /// `*` beside other contacts or with another Expires than 0, RFC 3261 §10.3 step 6.
    #[error("a wildcard contact that is not alone or not with Expires 0")]
    Wildcard,
    /// Its CSeq is not higher than that of a binding with the same Call-ID, RFC 3261 §10.3 step 7.
    #[error("an older request than the one that made the binding")]
    OutOfOrder,
    /// A time below the least, RFC 3261 §10.2.8.
    #[error("less than {min} seconds")]
    TooBrief {
        /// For the Min-Expires header.
        min: u32,
    },
    /// More bindings than a user may have.
    #[error("more than {max} bindings")]
    TooMany {
        /// How many there may be.
        max: usize,
    },
    /// More bindings than there is room for.
    #[error("no room for more bindings")]
    Full,
    /// What a binding would keep is longer than [`KEPT`].
    #[error("a binding of more than {KEPT} bytes")]
    TooLong,
    /// A header of it can't be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

impl RegisterError {
    /// The status it deserves.
    pub fn status(&self) -> u16 {
        match self {
            Self::Wildcard | Self::TooLong | Self::Header(_) => 400,
            Self::OutOfOrder => 500,
            Self::TooBrief { .. } => 423,
            Self::TooMany { .. } => 403,
            Self::Full => 503,
        }
    }
}

/// A contact that is to be bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted<'a> {
    /// Its URI.
    pub uri: Cow<'a, str>,
    /// Preference in thousandths.
    pub q: Option<u16>,
    /// Its own time in seconds; 0 removes the binding.
    pub expires: Option<u32>,
    /// `REG-ID;INSTANCE`, RFC 5626 §4.2: which of a device's flows it is; empty where it is none.
    pub flow: Box<str>,
}

impl<'a> Wanted<'a> {
    fn of(address: &NameAddr<'a>) -> Self {
        Self {
            uri: String::from_utf8_lossy(address.uri.text()),
            q: address.q(),
            expires: address.expires(),
            flow: flow(address).unwrap_or_default(),
        }
    }

    /// Whose flow it is; empty where it is none.
    pub(super) fn instance(&self) -> &str {
        instance_of(&self.flow)
    }
}

/// RFC 5626 §6: a reg-id without an instance, and an instance without a reg-id, are no flow.
fn flow(address: &NameAddr<'_>) -> Option<Box<str>> {
    let text = |name: &str| std::str::from_utf8(address.param(name)?).ok();
    let instance = text("+sip.instance")?;
    // RFC 5626 §4.2: 1 to 2^31 - 1.
    let reg_id: i32 = text("reg-id")?.parse().ok().filter(|number| *number > 0)?;
    let is_printable = instance.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"');
    let is_short = (1..=INSTANCE).contains(&instance.len());
    (is_printable && is_short).then(|| format!("{reg_id};{instance}").into())
}

/// The device of a flow.
pub(super) fn instance_of(flow: &str) -> &str {
    flow.split_once(';').map_or("", |(_, instance)| instance)
}

/// The contacts of a REGISTER.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Contacts<'a> {
    /// `*`: all bindings are to go.
    All,
    /// These are to be bound, or removed; none if the client only asks which there are.
    These(SmallVec<[Wanted<'a>; 1]>),
}

/// What a REGISTER asks for.
#[derive(Clone, Debug)]
pub struct Register<'a> {
    /// For whom what is to be done.
    pub contacts: Contacts<'a>,
    /// The Expires header in seconds, for contacts without a time of their own.
    pub expires: Option<u32>,
    /// Call-ID.
    pub call_id: Cow<'a, str>,
    /// CSeq number.
    pub cseq: u32,
    /// Path URIs, topmost first, RFC 3327.
    pub path: SmallVec<[Cow<'a, str>; 1]>,
    /// Where it came from.
    pub received: Peer,
    /// User-Agent; empty without one.
    pub user_agent: Cow<'a, str>,
    /// Whether its client is behind a NAT, as far as whoever hands it in can tell; `false` as it is read.
    pub is_nat: bool,
}

impl<'a> Register<'a> {
    /// Takes a REGISTER apart.
    pub fn read(request: &Message<'a>, received: Peer) -> Result<Self, RegisterError> {
        let user_agent = request.first(HeaderName::UserAgent).unwrap_or_default();
        let user_agent = &user_agent[..user_agent.len().min(USER_AGENT)];
        let register = Self {
            contacts: contacts(request)?,
            expires: request.expires().unwrap_or(Some(UNREADABLE_EXPIRES)),
            call_id: String::from_utf8_lossy(request.call_id()),
            cseq: request.cseq()?.number,
            path: path(request)?,
            received,
            user_agent: String::from_utf8_lossy(user_agent),
            is_nat: false,
        };
        if register.longest() > KEPT { Err(RegisterError::TooLong) } else { Ok(register) }
    }

    /// Bytes of the longest binding it would make.
    fn longest(&self) -> usize {
        let contact = match &self.contacts {
            Contacts::All => 0,
            Contacts::These(these) => these.iter().map(|wanted| wanted.uri.len()).max().unwrap_or(0),
        };
        contact + self.call_id.len() + self.path.iter().map(|hop| hop.len()).sum::<usize>()
    }

    /// Whether it registers a flow, RFC 5626.
    pub fn has_flows(&self) -> bool {
        matches!(&self.contacts, Contacts::These(these) if these.iter().any(|wanted| !wanted.flow.is_empty()))
    }

    /// RFC 5626 §6: they do not count where the first hop can't keep them.
    pub fn forget_flows(&mut self) {
        if let Contacts::These(these) = &mut self.contacts {
            these.iter_mut().for_each(|wanted| wanted.flow = Box::default());
        }
    }

    /// Whether it only asks for the bindings there are.
    pub fn is_fetch(&self) -> bool {
        matches!(&self.contacts, Contacts::These(these) if these.is_empty())
    }
}

fn contacts<'a>(request: &Message<'a>) -> Result<Contacts<'a>, RegisterError> {
    let mut these = SmallVec::new();
    let mut all = false;
    for contact in request.contacts() {
        match contact? {
            Contact::All => all = true,
            Contact::Address(address) => these.push(Wanted::of(&address)),
        }
    }
    match (all, these.is_empty()) {
        (true, true) => Ok(Contacts::All),
        (true, false) => Err(RegisterError::Wildcard),
        (false, _) => Ok(Contacts::These(these)),
    }
}

fn path<'a>(request: &Message<'a>) -> Result<SmallVec<[Cow<'a, str>; 1]>, HeaderError> {
    let values = request.values(HeaderName::Path);
    let uris = values.map(|value| NameAddr::parse(HeaderName::Path, value));
    uris.map(|uri| uri.map(|uri| String::from_utf8_lossy(uri.uri.text()))).collect()
}
