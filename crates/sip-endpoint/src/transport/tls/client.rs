//! TLS for connections that are made from here.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificates::Folder;
use super::stamps::Stamps;
use super::verify::ServerCheck;
use super::{TlsError, pem, provider, versions};
use crate::config::TlsConfig;

/// A profile's side of the connections it makes.
#[derive(Clone)]
pub struct TlsClient(Arc<Inner>);

struct Inner {
    config: TlsConfig,
    folder: Folder,
    /// What the files came to, and as of when.
    built: Mutex<Option<(Stamps, Arc<ClientConfig>)>>,
}

impl TlsClient {
    /// Reads nothing before the first connection.
    pub fn new(config: &TlsConfig, folder: &Path) -> Self {
        let folder = Folder { path: folder.to_owned(), passphrase: config.passphrase.clone() };
        Self(Arc::new(Inner { config: config.clone(), folder, built: Mutex::default() }))
    }

    /// The handshake; `host` is whom the request is for, and is asked for by that name (SNI).
    pub async fn connect(
        &self,
        stream: TcpStream,
        host: Option<&str>,
        ip: IpAddr,
    ) -> io::Result<TlsStream<TcpStream>> {
        let inner = self.0.clone();
        // Files are read here, the machine's authorities among them.
        let config = tokio::task::spawn_blocking(move || inner.config()).await?.map_err(io::Error::other)?;
        let name = match host.map(|host| ServerName::try_from(host.to_owned())) {
            Some(Ok(name)) => name,
            _ => ServerName::IpAddress(ip.into()),
        };
        TlsConnector::from(config).connect(name, stream).await
    }
}

impl Inner {
    fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut built = self.built.lock();
        let stamps = Stamps::of(&self.folder.path);
        if let Some((known, config)) = &*built
            && *known == stamps
        {
            return Ok(config.clone());
        }
        let config = Arc::new(build(&self.config, &self.folder)?);
        *built = Some((stamps, config.clone()));
        Ok(config)
    }
}

fn build(config: &TlsConfig, folder: &Folder) -> Result<ClientConfig, TlsError> {
    let provider = provider(config);
    let known = if config.verify.outgoing { authorities(folder)? } else { Vec::new() };
    let check = ServerCheck::new(known, &config.verify, provider.clone());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(config))
        .map_err(TlsError::Params)?
        .dangerous()
        .with_custom_certificate_verifier(check);
    // As FreeSWITCH does, the profile shows its own certificate to those who ask for one.
    let file = folder.path.join("agent.pem");
    Ok(match pem::certified(&file, folder.passphrase.as_ref(), &provider) {
        Ok(own) => builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(own))),
        Err(_) => builder.with_no_client_auth(),
    })
}

/// Those in cafile.pem where there is one, else the machine's.
fn authorities(folder: &Folder) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let own = folder.authorities()?;
    if !own.is_empty() {
        return Ok(own);
    }
    let machine = rustls_native_certs::load_native_certs();
    if machine.certs.is_empty() {
        return Err(TlsError::NoRoots { file: folder.authorities_file() });
    }
    Ok(machine.certs)
}
