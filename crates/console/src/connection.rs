//! Reaching the server, once or again and again.

use std::time::Duration;

use chappe_event_socket::client::{Client, ClientError};
use tokio::time::sleep;

/// Where the server is and who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// `HOST:PORT`
    pub address: String,
    pub user: Option<String>,
    pub password: String,
    /// How long the server may take to let us in.
    pub time: Duration,
}

/// How often, and with what pause between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    pub tries: u32,
    pub pause: Duration,
}

impl Retry {
    /// Two minutes. FreeSWITCH fs_cli.c main.
    pub const LONG: Self = Self { tries: 120, pause: Duration::from_secs(1) };
}

impl Target {
    pub async fn connect(&self) -> Result<Client, ClientError> {
        Client::connect_as(self.time, &self.address, self.user.as_deref(), &self.password).await
    }

    /// Tries until it is in, out of tries, or refused for its password, which no further try makes a better one (and which
    /// would have this machine locked out). What went wrong is told before each pause.
    pub async fn connect_again(
        &self,
        retry: Retry,
        mut told: impl FnMut(&ClientError),
    ) -> Result<Client, ClientError> {
        for _ in 1..retry.tries {
            match self.connect().await {
                Err(error) if !is_final(&error) => told(&error),
                other => return other,
            }
            sleep(retry.pause).await;
        }
        self.connect().await
    }
}

/// Whether another try would end the same way.
pub fn is_final(error: &ClientError) -> bool {
    matches!(error, ClientError::WrongPassword | ClientError::LineBreak)
}
