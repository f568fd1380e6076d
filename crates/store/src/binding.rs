use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::Micros;

/// Profile, user, contact and flow.
pub(crate) type BindingKey = (Arc<str>, Arc<str>, Arc<str>, Box<str>);

/// Where a user can be reached, as it survives a restart. The key is profile, user, contact and flow.
///
/// Texts are shared with whoever hands it in: one that waits to be written costs no copy of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptBinding {
    /// The profile it was registered at.
    pub profile: Arc<str>,
    /// `user@domain`.
    pub aor: Arc<str>,
    /// The contact's URI.
    pub contact: Arc<str>,
    /// Thousandths.
    pub q: u16,
    pub expires: Micros,
    /// When it was first made.
    pub since: Micros,
    pub call_id: Arc<str>,
    pub cseq: u32,
    pub path: Vec<Box<str>>,
    /// Where the REGISTER came from.
    pub received: SocketAddr,
    /// `UDP`, `TCP`...
    pub transport: Cow<'static, str>,
    pub user_agent: Arc<str>,
    /// Which of a device's flows it is; empty where it is none.
    pub flow: Box<str>,
    /// The device is behind a NAT.
    pub is_nat: bool,
}

impl KeptBinding {
    pub(crate) fn key(&self) -> BindingKey {
        (self.profile.clone(), self.aor.clone(), self.contact.clone(), self.flow.clone())
    }
}
