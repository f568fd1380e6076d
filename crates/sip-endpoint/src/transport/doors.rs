//! Opening what a profile listens on besides UDP and TCP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chappe_sip_proto::Transport;

use super::entrance::Entrance;
use super::listeners::Listeners;
use super::tls::{TlsError, TlsServer};
use super::ws::Origins;
use super::{Connections, udp};
use crate::config::{Binding, ProfileConfig};

/// Why a transport is not listened on; the others are.
#[derive(Debug, thiserror::Error)]
pub enum Closed {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("can't listen on {addr}: {source}")]
    Bind { addr: SocketAddr, source: std::io::Error },
}

/// What a profile's doors need to know of it.
pub struct House<'p> {
    pub name: &'p str,
    pub config: &'p ProfileConfig,
    /// Where UDP and TCP are.
    pub addr: SocketAddr,
    /// Where certificates are when the profile does not say.
    pub certificates: &'p Path,
    /// Ports that the system chose in an earlier run, which devices know.
    pub known: Vec<(Transport, SocketAddr)>,
}

/// Opens those doors that are wanted and not open; what goes wrong is logged and noted.
pub fn open(
    house: &House<'_>,
    listeners: &Listeners,
    connections: &Arc<Connections>,
    runtime: &tokio::runtime::Handle,
) {
    let mut troubles = Vec::new();
    for (transport, addr) in house.wanted() {
        if listeners.addr(transport).is_some() {
            continue;
        }
        if let Err(why) = house.open(transport, addr, listeners, connections, runtime) {
            tracing::error!("profile {} does not take {transport}: {why}", house.name);
            troubles.push((transport, why.to_string()));
        }
    }
    listeners.note(troubles);
}

/// The folder of a profile's certificates.
pub fn folder(config: &ProfileConfig, default: &Path) -> PathBuf {
    config.tls.folder.clone().unwrap_or_else(|| default.to_owned())
}

impl House<'_> {
    fn wanted(&self) -> Vec<(Transport, SocketAddr)> {
        let at = |binding: &Binding| SocketAddr::new(binding.ip.unwrap_or(self.addr.ip()), binding.port);
        let tls = self.config.tls.on.then(|| SocketAddr::new(self.addr.ip(), self.config.tls.port));
        let websocket = &self.config.websocket;
        let all = [
            (Transport::Tls, tls),
            (Transport::Ws, websocket.ws.as_ref().map(at)),
            (Transport::Wss, websocket.wss.as_ref().map(at)),
        ];
        all.into_iter()
            .filter_map(|(transport, addr)| Some((transport, self.remembered(transport, addr?))))
            .collect()
    }

    fn remembered(&self, transport: Transport, addr: SocketAddr) -> SocketAddr {
        let same = |(known, at): &&(Transport, SocketAddr)| *known == transport && at.ip() == addr.ip();
        match self.known.iter().find(same) {
            Some((_, known)) if addr.port() == 0 => *known,
            _ => addr,
        }
    }

    fn open(
        &self,
        transport: Transport,
        addr: SocketAddr,
        listeners: &Listeners,
        connections: &Arc<Connections>,
        runtime: &tokio::runtime::Handle,
    ) -> Result<(), Closed> {
        // FreeSWITCH sofia-sip tport_type_ws.c takes wss.pem for WSS.
        let files: &[&str] =
            if transport == Transport::Wss { &["wss.pem", "agent.pem"] } else { &["agent.pem"] };
        let is_secure = transport != Transport::Ws;
        let tls = is_secure
            .then(|| TlsServer::new(&self.config.tls, &folder(self.config, self.certificates), files))
            .transpose()?;
        let origins = (transport != Transport::Tls).then(|| Origins(self.config.websocket.origins.clone()));
        let entrance = Entrance { transport, tls: tls.map(Arc::new), origins };
        let failed = |source| Closed::Bind { addr, source };
        let listener = udp::listen(addr).map_err(failed)?;
        listeners.start(listener, entrance, connections, runtime).map_err(failed)
    }
}
