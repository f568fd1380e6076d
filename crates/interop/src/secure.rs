//! TLS and WebSocket for a folder.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::{Folder, free_port};

/// Where a folder's profile listens besides UDP and TCP, with certificates for 127.0.0.1 and localhost.
pub struct Secure {
    tls: u16,
    ws: u16,
    wss: u16,
    /// The authority that the clients are to believe.
    pub authority: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Secure {
    /// Lets the profile listen for all of it from the next start on.
    pub fn of(folder: &Folder) -> Secure {
        let certificates = folder.path().join("certs");
        let mut authority = CertificateParams::default();
        // Who has the name of its issuer counts as its own issuer.
        authority.distinguished_name.push(DnType::CommonName, "authority of a test");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"))
            .expect("an authority");
        folder.write("certs/agent.pem", &issue(&authority, &["127.0.0.1", "localhost"]));
        folder.write("certs/authority.crt", &authority.pem());
        let secure = Secure {
            tls: free_port(),
            ws: free_port(),
            wss: free_port(),
            authority: certificates.join("authority.crt"),
            issuer: authority,
        };
        folder.profile(&[
            ("tls", "true"),
            ("tls-sip-port", &secure.tls.to_string()),
            ("tls-cert-dir", &certificates.to_string_lossy()),
            ("ws-binding", &format!(":{}", secure.ws)),
            ("wss-binding", &format!(":{}", secure.wss)),
        ]);
        secure
    }

    /// Lets the server believe those whom the authority vouches for.
    pub fn believed_by(&self, folder: &Folder) {
        folder.write("certs/cafile.pem", &self.issuer.pem());
    }

    /// A certificate of the authority's for these names, then its private key, in PEM.
    pub fn issue(&self, names: &[&str]) -> String {
        issue(&self.issuer, names)
    }

    /// The TLS port.
    pub fn tls(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.tls))
    }

    /// The address of the plain WebSocket.
    pub fn ws(&self) -> String {
        format!("ws://127.0.0.1:{}/sip", self.ws)
    }

    /// The address of the WebSocket with TLS.
    pub fn wss(&self) -> String {
        format!("wss://127.0.0.1:{}/sip", self.wss)
    }
}

fn issue(authority: &CertifiedIssuer<'static, KeyPair>, names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate().expect("a key");
    let own = CertificateParams::new(names).expect("names").signed_by(&key, authority).expect("signed");
    own.pem() + &key.serialize_pem()
}
