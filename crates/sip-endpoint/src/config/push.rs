//! What a profile's params say of waking devices: `push-webhook` and what goes with it.

use std::sync::Arc;
use std::time::Duration;

use chappe_config::{Diagnostics, Params};

use crate::push::{PushService, Webhook};

/// The push part of a profile.
#[derive(Clone)]
pub struct PushConfig {
    url: String,
    secret: String,
    /// Names of providers in lower case, each once.
    pub providers: Vec<String>,
    pub interval: Duration,
    pub timeout: Duration,
    /// After the first try.
    pub retries: u32,
    /// Wake-ups under way.
    pub max_queue: usize,
    /// Zero: registrations run out.
    pub refresh_before: Duration,
    service: Arc<dyn PushService>,
}

impl PushConfig {
    /// `None`: nobody is woken. `Err`: something is wrong that would make the profile another one than is meant.
    pub fn read(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Result<Option<Self>, ()> {
        let text = |name: &str| params.get(name).map(str::trim).filter(|text| !text.is_empty());
        let Some(url) = text("push-webhook") else { return Ok(None) };
        let at = || params.at("push-webhook").cloned();
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            diagnostics.error(at(), format!("push-webhook {url} is no URL; write https://HOST/PATH"));
            return Err(());
        }
        let Some(secret) = text("push-webhook-secret") else {
            diagnostics
                .error(at(), "push-webhook without push-webhook-secret, by which its requests are signed");
            return Err(());
        };
        let mut providers: Vec<String> = Vec::new();
        for provider in text("push-providers").unwrap_or("apns,fcm").split([',', ' ']) {
            let provider = provider.to_ascii_lowercase();
            let is_token =
                provider.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet));
            if !provider.is_empty() && is_token && !providers.contains(&provider) {
                providers.push(provider);
            }
        }
        let mut number = |name, default, range| params.u32_in(name, default, range, diagnostics);
        Ok(Some(Self {
            service: Arc::new(Webhook::new(url, secret)),
            url: url.to_owned(),
            secret: secret.to_owned(),
            providers,
            interval: Duration::from_secs(number("push-interval", 10, 1..=3600).into()),
            timeout: Duration::from_secs(number("push-timeout", 5, 1..=60).into()),
            retries: number("push-retries", 3, 0..=10),
            max_queue: number("push-max-queue", 1000, 1..=100_000) as usize,
            refresh_before: Duration::from_secs(number("push-refresh-before", 0, 0..=3600).into()),
        }))
    }

    /// Whether devices of this provider can be woken.
    pub fn has(&self, provider: &str) -> bool {
        self.providers.iter().any(|known| known.eq_ignore_ascii_case(provider))
    }

    /// What wakes devices of this provider.
    pub fn service_of(&self, provider: &str) -> Option<Arc<dyn PushService>> {
        self.has(provider).then(|| self.service.clone())
    }

    fn written(&self) -> impl PartialEq + '_ {
        let times = (self.interval, self.timeout, self.refresh_before);
        (&self.url, &self.secret, &self.providers, times, self.retries, self.max_queue)
    }
}

impl PartialEq for PushConfig {
    fn eq(&self, other: &Self) -> bool {
        self.written() == other.written()
    }
}

/// Without the secret.
impl std::fmt::Debug for PushConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushConfig").field("providers", &self.providers).finish_non_exhaustive()
    }
}
