use futures_util::future::BoxFuture;

/// Why a device is woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// A message waits for it.
    Message,
    /// Its registration is about to run out, RFC 8599 §5.5.
    Refresh,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Refresh => "refresh",
        }
    }
}

/// A device that is to be woken, so that it registers again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WakeUp {
    pub why: Why,
    pub profile: String,
    pub user: String,
    pub domain: String,
    pub provider: String,
    pub prid: String,
    pub param: String,
    /// Tells it from every other, and a repetition by what it repeats.
    pub id: String,
    /// Seconds since 1970.
    pub at: i64,
}

/// Why a device was not woken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PushError {
    /// Another try changes nothing.
    #[error("{0}")]
    Refused(String),
    /// Another try may help.
    #[error("{0}")]
    Failed(String),
}

/// What wakes devices: a webhook, a provider's own interface.
pub trait PushService: Send + Sync {
    /// Tries once. Whoever calls bounds how often, how many at a time and for how long.
    fn push(&self, wake_up: &WakeUp) -> BoxFuture<'static, Result<(), PushError>>;
}
