//! Who this server is, as every event says.

/// What the core headers of every event tell about the server.
///
/// An empty field means that its header is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `Core-UUID`: new at every start.
    pub core_uuid: String,
    /// `FreeSWITCH-Hostname`: what the machine calls itself.
    pub hostname: String,
    /// `FreeSWITCH-Switchname`: what the operator calls this server; the host name unless set.
    pub switchname: String,
    /// `FreeSWITCH-IPv4`: the address of the default route.
    pub ipv4: String,
    /// `FreeSWITCH-IPv6`: the same for IPv6, `::1` without one.
    pub ipv6: String,
}
