//! Which certificate is shown to whom.

use std::sync::Arc;

use hashbrown::HashMap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The main certificate, and those of further domains by the name that a client asks for (SNI, RFC 6066 §3).
#[derive(Debug)]
pub struct Names {
    pub main: Arc<CertifiedKey>,
    /// In lower case; `*.chat.test` for all names one level below.
    pub by_name: HashMap<String, Arc<CertifiedKey>>,
}

impl Names {
    fn find(&self, name: Option<&str>) -> &Arc<CertifiedKey> {
        let found = name.and_then(|name| {
            let name = name.to_ascii_lowercase();
            let parent = || name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
            self.by_name.get(&name).or_else(|| self.by_name.get(&parent()?))
        });
        found.unwrap_or(&self.main)
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.find(hello.server_name()).clone())
    }
}
