//! What can go wrong with a profile.

use std::io;
use std::net::SocketAddr;

use chappe_sip_proto::Transport;

/// Why a profile does not run. The operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("profile {profile} can't listen on {transport} {addr}: {source}")]
    Bind { profile: String, transport: &'static str, addr: SocketAddr, source: io::Error },
    #[error("profile {profile} can't start its threads: {source}")]
    Thread { profile: String, source: io::Error },
    #[error("profile {profile} is to take nothing but TLS, and does not take {transport}: {why}")]
    TlsOnly { profile: String, transport: Transport, why: String },
    #[error("no profile {profile} in sofia.conf")]
    NoProfile { profile: String },
}
