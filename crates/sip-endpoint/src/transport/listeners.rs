//! The listening sockets of a profile's connections.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chappe_sip_proto::Transport;
use parking_lot::Mutex;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Connections;
use super::entrance::Entrance;

/// How long nothing is accepted after an error: out of descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(100);

struct Accepting {
    addr: SocketAddr,
    entrance: Arc<Entrance>,
    listener: Arc<TcpListener>,
    task: JoinHandle<()>,
}

/// Those of one profile.
#[derive(Default)]
pub struct Listeners {
    accepting: Mutex<Vec<Accepting>>,
    /// What does not listen, and why.
    troubles: Mutex<Vec<(Transport, String)>>,
}

impl Listeners {
    /// Takes connections until the profile stops.
    pub fn start(
        &self,
        listener: std::net::TcpListener,
        entrance: Entrance,
        connections: &Arc<Connections>,
        runtime: &tokio::runtime::Handle,
    ) -> io::Result<()> {
        let _context = runtime.enter();
        let listener = Arc::new(TcpListener::from_std(listener)?);
        let (addr, entrance) = (listener.local_addr()?, Arc::new(entrance));
        let task = runtime.spawn(accept(listener.clone(), entrance.clone(), connections.clone()));
        self.accepting.lock().push(Accepting { addr, entrance, listener, task });
        Ok(())
    }

    /// Closes the sockets; connections live on.
    pub fn stop(&self) {
        for Accepting { listener, task, .. } in std::mem::take(&mut *self.accepting.lock()) {
            task.abort();
            // The task holds the listener until the runtime ends it; the address is to be free before.
            let _ = SockRef::from(&*listener).shutdown(Shutdown::Both);
        }
    }

    /// Every transport that is listened on, with its real port.
    pub fn all(&self) -> Vec<(Transport, SocketAddr)> {
        self.accepting.lock().iter().map(|one| (one.entrance.transport, one.addr)).collect()
    }

    pub fn addr(&self, transport: Transport) -> Option<SocketAddr> {
        self.all().into_iter().find(|(known, _)| *known == transport).map(|(_, addr)| addr)
    }

    /// Looks for new certificates; those who are connected keep what they have.
    pub fn reload_certificates(&self) {
        let entrances: Vec<_> = self.accepting.lock().iter().map(|one| one.entrance.clone()).collect();
        entrances.iter().filter_map(|entrance| entrance.tls.as_ref()).for_each(|tls| tls.reload());
    }

    /// Notes why a transport does not listen.
    pub fn note(&self, troubles: Vec<(Transport, String)>) {
        *self.troubles.lock() = troubles;
    }

    pub fn troubles(&self) -> Vec<(Transport, String)> {
        self.troubles.lock().clone()
    }
}

async fn accept(listener: Arc<TcpListener>, entrance: Arc<Entrance>, connections: Arc<Connections>) {
    loop {
        match listener.accept().await {
            Ok((stream, addr)) => connections.adopt(stream, addr, entrance.clone()),
            Err(error) => {
                tracing::error!(%error, "{} connections can't be accepted", entrance.transport);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
