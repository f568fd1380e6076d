//! Whose certificates are taken: `tls-verify-*`.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};

use crate::config::Verify;

/// Certificates that are known, and what else is asked of a peer's.
#[derive(Debug)]
struct Rules {
    roots: Arc<RootCertStore>,
    /// Those that are in cafile.pem: who shows one of them is known, also where it is no authority's.
    known: Vec<CertificateDer<'static>>,
    date: bool,
    depth: usize,
}

impl Rules {
    fn new(known: Vec<CertificateDer<'static>>, verify: &Verify) -> Self {
        let mut roots = RootCertStore::empty();
        // What can't be an authority may still be a peer's own.
        roots.add_parsable_certificates(known.iter().cloned());
        Self { roots: Arc::new(roots), known, date: verify.date, depth: verify.depth }
    }

    /// `check` says whether a chain leads to a root at some time.
    fn check(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
        check: impl Fn(UnixTime) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.known.contains(own) {
            return Ok(());
        }
        if between.len() > self.depth {
            return Err(CertificateError::UnknownIssuer.into());
        }
        match self.date {
            true => check(now),
            false => at_any_time(now, check),
        }
    }
}

/// A chain that has run out is checked as of the time when it had not: only the time may be wrong, nothing else.
fn at_any_time(now: UnixTime, check: impl Fn(UnixTime) -> Result<(), Error>) -> Result<(), Error> {
    let mut at = now;
    // Each certificate of a chain may have a time of its own.
    for _ in 0..8 {
        at = match check(at) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => not_after,
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
                not_before
            }
            other => return other,
        };
    }
    check(at)
}

/// What a server that is connected to has to show.
#[derive(Debug)]
pub struct ServerCheck {
    /// `None`: anything.
    rules: Option<Rules>,
    /// The host must be in it.
    name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCheck {
    pub fn new(
        known: Vec<CertificateDer<'static>>,
        verify: &Verify,
        provider: Arc<CryptoProvider>,
    ) -> Arc<Self> {
        let rules = verify.outgoing.then(|| Rules::new(known, verify));
        Arc::new(Self { rules, name: verify.subjects_out, provider })
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(rules) = &self.rules else { return Ok(ServerCertVerified::assertion()) };
        let parsed = ParsedCertificate::try_from(own)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        rules.check(own, between, now, |at| {
            verify_server_cert_signed_by_trust_anchor(&parsed, &rules.roots, between, at, algorithms)
        })?;
        if self.name {
            verify_server_name(&parsed, host)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, own, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, own, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What those who connect have to show.
#[derive(Debug)]
pub struct ClientCheck {
    rules: Rules,
    chains: Arc<dyn ClientCertVerifier>,
    /// One of these must be in it; empty: anything may be.
    subjects: Vec<String>,
}

impl ClientCheck {
    /// `Err`: nobody is known.
    pub fn new(
        known: Vec<CertificateDer<'static>>,
        verify: &Verify,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<Self>, rustls::server::VerifierBuilderError> {
        let rules = Rules::new(known, verify);
        let chains =
            rustls::server::WebPkiClientVerifier::builder_with_provider(rules.roots.clone(), provider)
                .build()?;
        let subjects = if verify.subjects_in { verify.in_subjects.clone() } else { Vec::new() };
        Ok(Arc::new(Self { rules, chains, subjects }))
    }

    /// RFC 5922 §7.1: a SIP URI or a DNS name of subjectAltName.
    ///
    /// Deviation: the common name is not looked at, which RFC 5922 lets stand for certificates without subjectAltName.
    fn names_a_subject(&self, own: &CertificateDer<'_>) -> Result<bool, Error> {
        if self.subjects.is_empty() {
            return Ok(true);
        }
        let parsed = webpki::EndEntityCert::try_from(own).map_err(|_| CertificateError::BadEncoding)?;
        let mut names = parsed.valid_dns_names().chain(parsed.valid_uri_names());
        Ok(names
            .any(|name| self.subjects.iter().any(|subject| bare(subject).eq_ignore_ascii_case(bare(name)))))
    }
}

fn bare(name: &str) -> &str {
    name.strip_prefix("sips:").or_else(|| name.strip_prefix("sip:")).unwrap_or(name)
}

impl ClientCertVerifier for ClientCheck {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.rules
            .check(own, between, now, |at| self.chains.verify_client_cert(own, between, at).map(|_| ()))?;
        match self.names_a_subject(own)? {
            true => Ok(ClientCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, own, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, own, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}
