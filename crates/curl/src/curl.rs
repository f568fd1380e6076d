//! Requests within limits.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::client::Clients;
use crate::perform::perform;
use crate::response::Answer;
use crate::{CurlError, CurlSettings, Request};

/// Who performs requests.
pub struct Curl {
    settings: CurlSettings,
    runtime: Handle,
    clients: Clients,
    free: Arc<Semaphore>,
}

impl Curl {
    /// Requests are performed on `runtime`, which needs I/O and time.
    pub fn new(settings: CurlSettings, runtime: Handle) -> Arc<Self> {
        install_provider();
        let free = Arc::new(Semaphore::new(settings.max_requests));
        Arc::new(Self { settings, runtime, clients: Clients::default(), free })
    }

    pub fn settings(&self) -> &CurlSettings {
        &self.settings
    }

    /// Starts the request; its answer may be waited for on any thread. With too many requests under way this one is
    /// an error.
    pub fn request(
        self: &Arc<Self>,
        request: Request,
    ) -> Result<impl Future<Output = Answer> + Send + use<>, CurlError> {
        let permit = self.free.clone().try_acquire_owned();
        let permit = permit.map_err(|_| CurlError::Busy(self.settings.max_requests))?;
        let task = self.runtime.spawn(self.clone().run(request, permit));
        Ok(async move { task.await.unwrap_or_else(|_| given_up()) })
    }

    async fn run(self: Arc<Self>, request: Request, _permit: OwnedSemaphorePermit) -> Answer {
        tracing::debug!("method: {}, url: {}", request.method, request.url);
        perform(&request, &self.settings, &self.clients).await
    }
}

/// The runtime has ended.
fn given_up() -> Answer {
    Answer { exit_code: CurlError::GivenUp.exit_code(), head: None, body: String::new() }
}

/// TLS has to be told whose arithmetic it uses. When somebody has said so before, that stays.
pub fn install_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
