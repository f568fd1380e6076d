//! Certificates and keys in PEM files.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::TlsError;
use crate::config::Passphrase;

/// More is no certificate file.
const LONGEST: u64 = 1 << 20;

/// The whole file.
pub fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => TlsError::NoFile { file: file.to_owned() },
        _ => TlsError::Unreadable { file: file.to_owned(), source },
    };
    if fs::metadata(file).map_err(unreadable)?.len() > LONGEST {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    fs::read(file).map_err(unreadable)
}

/// The certificates in a file, in their order.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let missing = || TlsError::NoCertificate { file: file.to_owned() };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(file)?).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(missing)
}

/// A file as FreeSWITCH's gentls_cert makes it: the certificate, those between it and its authority, and its key.
pub fn certified(
    file: &Path,
    passphrase: Option<&Passphrase>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(file)?;
    let key = key(file, &read(file)?, passphrase)?;
    CertifiedKey::from_der(chain, key, provider)
        .map_err(|source| TlsError::Unusable { file: file.to_owned(), source })
}

fn key(
    file: &Path,
    text: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    if let Ok(key) = PrivateKeyDer::from_pem_slice(text)
        && !is_legacy(text)
    {
        return Ok(key);
    }
    let locked = section(text, "ENCRYPTED PRIVATE KEY");
    let file = file.to_owned();
    match (locked, passphrase) {
        (None, _) if is_legacy(text) => Err(TlsError::WrongPassphrase { file }),
        (None, _) => Err(TlsError::NoKey { file }),
        (Some(_), None) => Err(TlsError::Locked { file }),
        (Some(locked), Some(passphrase)) => {
            let opened = EncryptedPrivateKeyInfoRef::try_from(&*locked)
                .ok()
                .and_then(|info| info.decrypt(passphrase.0.as_bytes()).ok());
            let opened = opened.ok_or(TlsError::WrongPassphrase { file })?;
            Ok(PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec()).into())
        }
    }
}

/// OpenSSL's own encryption of the time before PKCS #8.
fn is_legacy(text: &[u8]) -> bool {
    text.windows(22).any(|window| window == b"Proc-Type: 4,ENCRYPTED")
}

/// What stands between `-----BEGIN NAME-----` and its end.
fn section(text: &[u8], name: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {name}-----"))?;
    let (body, _) = rest.split_once("-----END")?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}
