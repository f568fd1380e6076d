//! TLS for those who connect.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::server::WantsServerCert;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::Folder;
use super::sessions::Sessions;
use super::stamps::Stamps;
use super::verify::ClientCheck;
use super::{TlsError, provider, versions};
use crate::config::TlsConfig;

/// How often a handshake looks whether files have changed.
const LOOK: Duration = Duration::from_secs(1);

/// One entrance's certificates and rules, read anew when their files change.
pub struct TlsServer {
    config: TlsConfig,
    folder: Folder,
    /// The main certificate's, the first of them that there is.
    files: &'static [&'static str],
    current: ArcSwap<ServerConfig>,
    seen: Mutex<Seen>,
}

struct Seen {
    stamps: Stamps,
    at: Instant,
}

impl TlsServer {
    pub fn new(config: &TlsConfig, folder: &Path, files: &'static [&'static str]) -> Result<Self, TlsError> {
        let folder = Folder { path: folder.to_owned(), passphrase: config.passphrase.clone() };
        // Before the files are read: a change meanwhile is seen the next time.
        let stamps = Stamps::of(&folder.path);
        let current = build(config, &folder, files, &stamps)?;
        let seen = Mutex::new(Seen { stamps, at: Instant::now() });
        Ok(Self { config: config.clone(), folder, files, current: ArcSwap::new(current), seen })
    }

    /// The handshake, with the certificates that are there at this time.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.look();
        let acceptor = TlsAcceptor::from(self.current.load_full());
        acceptor.accept(stream).await
    }

    fn look(&self) {
        // While another handshake looks, this one takes what is there.
        let Some(mut seen) = self.seen.try_lock().filter(|seen| seen.at.elapsed() >= LOOK) else { return };
        self.refresh(&mut seen);
    }

    /// Looks at the files now.
    pub fn reload(&self) {
        self.refresh(&mut self.seen.lock());
    }

    /// A file that can't be used changes nothing, and is tried again when it changes.
    fn refresh(&self, seen: &mut Seen) {
        seen.at = Instant::now();
        let stamps = Stamps::of(&self.folder.path);
        if stamps == seen.stamps {
            return;
        }
        match build(&self.config, &self.folder, self.files, &stamps) {
            Ok(config) => {
                tracing::info!("certificates in {} were read anew", self.folder.path.display());
                self.current.store(config);
            }
            Err(error) => tracing::error!("new certificates are not taken, the old ones stay: {error}"),
        }
        seen.stamps = stamps;
    }
}

fn build(
    config: &TlsConfig,
    folder: &Folder,
    files: &[&str],
    stamps: &Stamps,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider(config);
    let names = folder.names(files, stamps, &provider)?;
    let mut server = asking(config, folder)?.with_cert_resolver(Arc::new(names));
    server.session_storage = Arc::new(Sessions::new(Duration::from_secs(config.session_lifetime.into())));
    // One is enough for a phone that comes back, and kept for each connection.
    server.send_tls13_tickets = 1;
    Ok(Arc::new(server))
}

/// What is asked of those who connect.
fn asking(
    config: &TlsConfig,
    folder: &Folder,
) -> Result<rustls::ConfigBuilder<ServerConfig, WantsServerCert>, TlsError> {
    let provider = provider(config);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(config))
        .map_err(TlsError::Params)?;
    if !config.verify.incoming {
        return Ok(builder.with_no_client_auth());
    }
    let nobody = || TlsError::NoAuthorities { file: folder.authorities_file() };
    let check = ClientCheck::new(folder.authorities()?, &config.verify, provider).map_err(|_| nobody())?;
    Ok(builder.with_client_cert_verifier(check))
}
