//! Certificates for a run: made when they are first asked for, gone with it.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::error::BenchError;

/// The server's certificate with its key, and clients that believe it.
pub struct Certificates {
    /// What `agent.pem` holds.
    pub agent: String,
    /// Who has signed it, for clients in other processes.
    pub authority: String,
    /// Every handshake is a whole one: nothing is resumed.
    pub client: Arc<ClientConfig>,
}

static OF_THIS_RUN: OnceLock<Certificates> = OnceLock::new();

/// Those of this run.
pub fn certificates() -> &'static Certificates {
    OF_THIS_RUN.get_or_init(|| make().expect("keys and certificates of fixed names can be made"))
}

/// Those of the run that has started this program: its clients believe the authority in this file.
pub fn inherit(authority: &Path) -> Result<(), BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError::Connection(format!("no authority: {error}"));
    let der = CertificateDer::from_pem_file(authority).map_err(|error| failed(&error))?;
    let client = client(der).map_err(|error| failed(&error))?;
    OF_THIS_RUN.get_or_init(|| Certificates { agent: String::new(), authority: String::new(), client });
    Ok(())
}

/// Keys of the curve P-256, as certificates have today.
fn make() -> Result<Certificates, Box<dyn std::error::Error>> {
    let mut authority = CertificateParams::default();
    // Who has the name of its issuer counts as its own issuer.
    authority.distinguished_name.push(DnType::CommonName, "authority of a bench");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let own = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    let client = client(authority.der().clone())?;
    Ok(Certificates { agent: own.pem() + &key.serialize_pem(), authority: authority.pem(), client })
}

fn client(authority: CertificateDer<'static>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.resumption = Resumption::disabled();
    Ok(Arc::new(client))
}
