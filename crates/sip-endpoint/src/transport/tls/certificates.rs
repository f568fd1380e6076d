//! The folder of certificates, laid out as FreeSWITCH has it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

use super::names::Names;
use super::stamps::Stamps;
use super::{TlsError, pem};
use crate::config::Passphrase;

/// Files with a meaning of their own, which are no domain's.
const OWN: &[&str] = &["agent", "wss", "cafile", "dtls-srtp", "calist", "cacert", "cakey"];

/// Where certificates are.
#[derive(Clone, Debug)]
pub struct Folder {
    pub path: PathBuf,
    pub passphrase: Option<Passphrase>,
}

impl Folder {
    /// The first of the main certificate's `files` that there is, and a certificate for each `NAME.pem`. A file of a further
    /// domain that can't be used costs that domain alone.
    pub fn names(
        &self,
        files: &[&str],
        stamps: &Stamps,
        provider: &CryptoProvider,
    ) -> Result<Names, TlsError> {
        let paths: Vec<_> = files.iter().map(|file| self.path.join(file)).collect();
        // Where none is there, the first one is asked for.
        let main = paths.iter().find(|path| path.exists()).unwrap_or(&paths[0]);
        let main = Arc::new(self.certified(main, provider)?);
        let mut by_name = HashMap::new();
        for (name, file) in stamps.files().filter_map(|file| Some((domain(file)?, file))) {
            match self.certified(file, provider) {
                Ok(key) => drop(by_name.insert(name, Arc::new(key))),
                // A chain or a key without the other, which others keep in this folder too.
                Err(TlsError::NoKey { .. } | TlsError::NoCertificate { .. }) => {}
                Err(error) => tracing::error!("the certificate of {name} is left out: {error}"),
            }
        }
        Ok(Names { main, by_name })
    }

    fn certified(
        &self,
        file: &Path,
        provider: &CryptoProvider,
    ) -> Result<rustls::sign::CertifiedKey, TlsError> {
        pem::certified(file, self.passphrase.as_ref(), provider)
    }

    pub fn authorities_file(&self) -> PathBuf {
        self.path.join("cafile.pem")
    }

    /// Those in cafile.pem; none without one.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        match pem::certificates(&self.authorities_file()) {
            Err(TlsError::NoFile { .. }) => Ok(Vec::new()),
            other => other,
        }
    }
}

/// `chat.test.pem` is chat.test's, `_.chat.test.pem` that of all names one level below.
fn domain(file: &Path) -> Option<String> {
    let stem = file.file_stem()?.to_str()?.to_ascii_lowercase();
    let name = match stem.strip_prefix("_.") {
        Some(parent) => format!("*.{parent}"),
        None => stem,
    };
    (!OWN.contains(&&*name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::domain;
    use std::path::Path;

    #[test]
    fn a_file_is_a_domain_s() {
        let cases = [
            ("Chat.test.pem", Some("chat.test")),
            ("_.chat.test.pem", Some("*.chat.test")),
            ("agent.pem", None),
            ("wss.pem", None),
            ("cafile.pem", None),
            ("dtls-srtp.pem", None),
        ];
        for (file, expected) in cases {
            assert_eq!(domain(&Path::new("/certs").join(file)).as_deref(), expected);
        }
    }
}
