//! What answers for the sections that a binding of `xml_curl.conf` names.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use chappe_config::{CachedUser, Document, Fetching, Section, XmlBinding, XmlQuery};
use tokio::runtime::Handle;

use crate::cache::{Cache, Keep, Key};
use crate::gateway::{Gateway, place};
use crate::{GatewaySettings, MODULE, XmlCurlError};

/// A web server that answers for sections, and what it answered lately.
pub struct GatewayBinding {
    asked: Arc<Asked>,
    runtime: Handle,
}

struct Asked {
    gateway: Gateway,
    cache: Cache,
    /// Counts flushes: what was asked before one is not kept after it.
    flushes: AtomicU64,
}

impl GatewayBinding {
    /// Reads the files that the settings name, so it blocks. Requests are made on `runtime`, which needs I/O and time;
    /// `hostname` is what the server is told about who asks.
    pub fn new(
        settings: GatewaySettings,
        hostname: &str,
        runtime: Handle,
    ) -> Result<Arc<Self>, XmlCurlError> {
        let gateway = Gateway::new(settings, hostname)?;
        let asked = Asked { gateway, cache: Cache::default(), flushes: AtomicU64::new(0) };
        Ok(Arc::new(Self { asked: Arc::new(asked), runtime }))
    }

    pub fn settings(&self) -> &GatewaySettings {
        &self.asked.gateway.settings
    }
}

impl XmlBinding for GatewayBinding {
    fn module(&self) -> &'static str {
        MODULE
    }

    fn serves(&self, section: Section) -> bool {
        self.settings().sections.contains(section)
    }

    fn fetch(&self, query: Arc<XmlQuery>) -> Fetching {
        let key = Key::of(&query);
        let known = key.as_ref().and_then(|key| self.asked.cache.find(key, Instant::now()));
        if let Some(answer) = known {
            return Box::pin(ready(answer));
        }
        let task = self.runtime.spawn(self.asked.clone().ask(query, key));
        // When the runtime has ended there is no answer.
        Box::pin(async move { task.await.ok().flatten() })
    }

    fn flush(&self, user: Option<CachedUser<'_>>) -> usize {
        self.asked.flushes.fetch_add(1, Ordering::AcqRel);
        self.asked.cache.flush(user)
    }
}

impl Asked {
    async fn ask(self: Arc<Self>, query: Arc<XmlQuery>, key: Option<Key>) -> Option<Arc<Document>> {
        let flushes = self.flushes.load(Ordering::Acquire);
        let answer = self.gateway.ask(&query).await;
        let answer = answer.unwrap_or_else(|error| {
            let settings = &self.gateway.settings;
            let (name, place, section) = (&settings.name, place(&settings.url), query.section.as_str());
            tracing::error!("xml_curl [{name}] {place} has no {section}: {error}");
            None
        });
        if let Some(key) = key.filter(|_| self.flushes.load(Ordering::Acquire) == flushes)
            && let Some(keep) = self.keep(query.section, answer.as_deref())
        {
            self.cache.keep(key, answer.clone(), keep, Instant::now());
        }
        answer
    }

    /// A user who is looked for is looked for again in a moment, with credentials, so the directory's answers are always
    /// kept for a while; a chatplan's when it says so.
    fn keep(&self, section: Section, answer: Option<&Document>) -> Option<Keep> {
        let settings = &self.gateway.settings;
        let said = answer.and_then(|document| Keep::said(section, document));
        match (section, answer) {
            (Section::Directory, Some(_)) => said.or(Some(Keep::For(settings.cache_time))),
            (Section::Directory, None) => Some(Keep::For(settings.not_found_time)),
            _ => said,
        }
    }
}
