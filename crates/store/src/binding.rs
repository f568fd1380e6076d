use std::net::SocketAddr;

use crate::Micros;

/// Profile, user and contact.
pub(crate) type BindingKey = (Box<str>, Box<str>, Box<str>);

/// Where a user can be reached, as it survives a restart. The key is profile, user and contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptBinding {
    /// The profile it was registered at.
    pub profile: Box<str>,
    /// `user@domain`.
    pub aor: Box<str>,
    /// The contact's URI.
    pub contact: Box<str>,
    /// Thousandths.
    pub q: u16,
    pub expires: Micros,
    /// When it was first made.
    pub since: Micros,
    pub call_id: Box<str>,
    pub cseq: u32,
    pub path: Vec<Box<str>>,
    /// Where the REGISTER came from.
    pub received: SocketAddr,
    /// `UDP`, `TCP`...
    pub transport: Box<str>,
    pub user_agent: Box<str>,
}

impl KeptBinding {
    pub(crate) fn key(&self) -> BindingKey {
        (self.profile.clone(), self.aor.clone(), self.contact.clone())
    }
}
