//! Certificates for a run: made when they are first asked for, gone with it.

use std::sync::{Arc, LazyLock};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};

/// The server's certificate with its key, and clients that believe it.
pub struct Certificates {
    /// What `agent.pem` holds.
    pub agent: String,
    /// Every handshake is a whole one: nothing is resumed.
    pub client: Arc<ClientConfig>,
}

/// Those of this run.
pub fn certificates() -> &'static Certificates {
    static OF_THIS_RUN: LazyLock<Certificates> =
        LazyLock::new(|| make().expect("keys and certificates of fixed names can be made"));
    &OF_THIS_RUN
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
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.resumption = Resumption::disabled();
    Ok(Certificates { agent: own.pem() + &key.serialize_pem(), client: Arc::new(client) })
}
