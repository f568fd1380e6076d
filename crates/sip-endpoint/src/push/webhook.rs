use std::fmt::Write as _;
use std::sync::OnceLock;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use ring::hmac;

use super::{PushError, PushService, WakeUp};

const USER_AGENT: &str = concat!("chappe-push/", env!("CARGO_PKG_VERSION"));
/// The header with the moment and the signature.
pub const SIGNATURE: &str = "X-Chappe-Signature";

/// Wakes devices by an HTTP request that is signed.
pub struct Webhook {
    url: String,
    key: hmac::Key,
}

impl Webhook {
    pub fn new(url: &str, secret: &str) -> Self {
        Self { url: url.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()) }
    }

    /// `t=SECONDS,v1=HEX`: HMAC-SHA256 of the seconds, a dot and the body.
    fn signature(&self, at: i64, body: &str) -> String {
        let tag = hmac::sign(&self.key, format!("{at}.{body}").as_bytes());
        let mut out = format!("t={at},v1=");
        for octet in tag.as_ref() {
            // Writing into a String can't fail.
            let _ = write!(out, "{octet:02x}");
        }
        out
    }
}

fn body(wake_up: &WakeUp) -> String {
    let WakeUp { why, profile, user, domain, provider, prid, param, id, at } = wake_up;
    let body = serde_json::json!({
        "id": id,
        "event": why.as_str(),
        "time": at,
        "profile": profile,
        "user": user,
        "domain": domain,
        "pn-provider": provider,
        "pn-prid": prid,
        "pn-param": param,
    });
    body.to_string()
}

/// One pool of connections for all profiles. Making it reads the system's certificates.
fn client() -> Result<Client, PushError> {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    // Whoever was first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || Client::builder().user_agent(USER_AGENT).redirect(Policy::none());
    // A machine without certificates can still speak http.
    let made = builder().build().or_else(|_| builder().tls_certs_only([]).build());
    let made = made.map_err(|error| PushError::Failed(error.to_string()))?;
    Ok(CLIENT.get_or_init(|| made).clone())
}

impl PushService for Webhook {
    fn push(&self, wake_up: &WakeUp) -> BoxFuture<'static, Result<(), PushError>> {
        let body = body(wake_up);
        let signature = self.signature(wake_up.at, &body);
        let url = self.url.clone();
        async move {
            let request = client()?.post(url).header("Content-Type", "application/json");
            let answer = request.header(SIGNATURE, signature).body(body).send().await;
            // Its URL may have a password in it.
            let answer = answer.map_err(|error| PushError::Failed(error.without_url().to_string()))?;
            verdict(answer.status())
        }
        .boxed()
    }
}

/// What was refused once is refused again, but for those that ask for patience.
fn verdict(status: StatusCode) -> Result<(), PushError> {
    match status.as_u16() {
        200..300 => Ok(()),
        408 | 425 | 429 | 500.. => Err(PushError::Failed(format!("the webhook answers {status}"))),
        _ => Err(PushError::Refused(format!("the webhook answers {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::Why;

    #[test]
    fn a_signature_as_others_make_it() {
        // printf '1.{}' | openssl dgst -sha256 -hmac secret
        let made = Webhook::new("http://h/", "secret").signature(1, "{}");
        let want = "t=1,v1=1122767b193110cfec322b6f199b599edbf608ed087f2d27afb0b97d99523908";
        assert_eq!(made, want);
    }

    #[test]
    fn the_body_says_all_there_is_to_know() {
        let wake_up = WakeUp {
            why: Why::Message,
            profile: "internal".into(),
            user: "1001".into(),
            domain: "chat.test".into(),
            provider: "fcm".into(),
            prid: "T\"1".into(),
            param: String::new(),
            id: "1".into(),
            at: 7,
        };
        let want = "{\"id\":\"1\",\"event\":\"message\",\"time\":7,\"profile\":\"internal\",\"user\":\"1001\",\
                    \"domain\":\"chat.test\",\"pn-provider\":\"fcm\",\"pn-prid\":\"T\\\"1\",\"pn-param\":\"\"}";
        assert_eq!(body(&wake_up), want);
    }

    #[test]
    fn what_is_worth_another_try() {
        let kind = |status: u16| match verdict(StatusCode::from_u16(status).unwrap()) {
            Ok(()) => "taken",
            Err(PushError::Refused(_)) => "refused",
            Err(PushError::Failed(_)) => "failed",
        };
        let kinds = [200, 204, 301, 401, 410, 429, 500, 503].map(kind);
        let want = ["taken", "taken", "refused", "refused", "refused", "failed", "failed", "failed"];
        assert_eq!(kinds, want);
    }
}
