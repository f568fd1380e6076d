//! TLS by rustls: what is shown to those who connect and to those connected to, and what is asked of them.

mod certificates;
mod client;
mod names;
mod pem;
mod server;
mod sessions;
mod stamps;
mod verify;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::{CryptoProvider, ring};

use crate::config::TlsConfig;
pub use client::TlsClient;
pub use server::TlsServer;

/// What is wrong with TLS. The operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(
        "there is no {file}. A certificate to try with is made by: openssl req -x509 -newkey ec -pkeyopt \
         ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=HOST -addext subjectAltName=DNS:HOST -keyout {file} -out {file}",
        file = file.display()
    )]
    NoFile { file: PathBuf },
    #[error("{} can't be read: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{} has no certificate in PEM (-----BEGIN CERTIFICATE-----)", file.display())]
    NoCertificate { file: PathBuf },
    #[error("{} has no private key in PEM (-----BEGIN PRIVATE KEY-----)", file.display())]
    NoKey { file: PathBuf },
    #[error("the private key in {} is encrypted; give tls-passphrase", file.display())]
    Locked { file: PathBuf },
    #[error(
        "the private key in {} can't be opened: tls-passphrase is wrong, or it is encrypted in another way than PKCS #8 \
         with PBES2, which `openssl pkcs8 -topk8` makes",
        file.display()
    )]
    WrongPassphrase { file: PathBuf },
    #[error("{} can't be used: {source}", file.display())]
    Unusable { file: PathBuf, source: rustls::Error },
    #[error("tls-verify-policy asks for certificates of those who connect, and {} has none to check them by", file.display())]
    NoAuthorities { file: PathBuf },
    #[error("the machine knows no certificate authorities, and there is no {}", file.display())]
    NoRoots { file: PathBuf },
    #[error("these TLS params don't go together: {0}")]
    Params(rustls::Error),
}

/// ring's, with the cipher suites that the profile wants, in its order.
fn provider(config: &TlsConfig) -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    if let Some(wanted) = &config.ciphers {
        let known = std::mem::take(&mut provider.cipher_suites);
        let find = |name: &rustls::CipherSuite| known.iter().find(|suite| suite.suite() == *name).copied();
        provider.cipher_suites = wanted.iter().filter_map(find).collect();
    }
    Arc::new(provider)
}

fn versions(config: &TlsConfig) -> Vec<&'static SupportedProtocolVersion> {
    let wanted =
        [(&rustls::version::TLS13, config.versions.v13), (&rustls::version::TLS12, config.versions.v12)];
    wanted.into_iter().filter(|(_, on)| *on).map(|(version, _)| version).collect()
}
