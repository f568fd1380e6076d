//! What stands behind a listening socket: the handshakes that a connection has to get through.

use std::io;
use std::sync::Arc;

use chappe_sip_proto::Transport;
use tokio::net::TcpStream;

use super::connection::{Octets, Open};
use super::cut::Stream;
use super::tls::TlsServer;
use super::ws::{self, Origins};

/// The way in of one transport.
pub struct Entrance {
    pub transport: Transport,
    /// For TLS and WSS.
    pub tls: Option<Arc<TlsServer>>,
    /// For WS and WSS.
    pub origins: Option<Origins>,
}

impl Entrance {
    /// Through the handshakes.
    pub async fn admit(&self, stream: TcpStream) -> io::Result<Open> {
        let mut octets: Box<dyn Octets> = match &self.tls {
            Some(tls) => Box::new(tls.accept(stream).await?),
            None => Box::new(stream),
        };
        let Some(origins) = &self.origins else {
            return Ok(Open { octets, cutter: Box::new(Stream::default()) });
        };
        let cutter = ws::accept(&mut octets, origins).await?;
        Ok(Open { octets, cutter: Box::new(cutter) })
    }
}
