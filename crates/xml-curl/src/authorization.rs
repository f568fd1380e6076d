//! Showing a web server who asks: RFC 7617 (Basic) and RFC 7616 (Digest).

use chappe_sip_proto::digest::{Challenge, Protected, answer, strongest};
use parking_lot::Mutex;
use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Method, RequestBuilder, Response, Url};

use crate::settings::{Login, Scheme};

/// The credentials of one binding, and the nonce its server gave last.
pub(crate) struct Authorization {
    login: Login,
    scheme: Scheme,
    /// With how often the nonce was used. A nonce serves many requests, RFC 7616 §3.4.
    challenge: Mutex<Option<(Challenge, u32)>>,
}

impl Authorization {
    pub fn new(login: Login, scheme: Scheme) -> Self {
        Self { login, scheme, challenge: Mutex::default() }
    }

    /// The request with what can be shown unasked.
    pub fn shown(&self, request: RequestBuilder, method: &Method, url: &Url, body: &str) -> RequestBuilder {
        match self.scheme {
            Scheme::Basic => request.basic_auth(&self.login.user, Some(&self.login.password)),
            Scheme::Digest | Scheme::Any => match self.digest(method, url, body) {
                Some(digest) => request.header(reqwest::header::AUTHORIZATION, digest),
                None => request,
            },
        }
    }

    /// Whether the refusal is worth a second request: `Some` with what to show then.
    pub fn asked(
        &self,
        response: &Response,
        request: RequestBuilder,
        method: &Method,
        url: &Url,
        body: &str,
    ) -> Option<RequestBuilder> {
        if response.status().as_u16() != 401 || self.scheme == Scheme::Basic {
            return None;
        }
        let challenges = || response.headers().get_all(WWW_AUTHENTICATE).iter();
        let digests = challenges().filter_map(|value| Challenge::parse(value.as_bytes()).ok());
        if let Some(challenge) = strongest(digests) {
            *self.challenge.lock() = Some((challenge, 0));
            return Some(request.header(reqwest::header::AUTHORIZATION, self.digest(method, url, body)?));
        }
        let is_basic = |value: &[u8]| value.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"basic"));
        let basic = self.scheme == Scheme::Any && challenges().any(|value| is_basic(value.as_bytes()));
        basic.then(|| request.basic_auth(&self.login.user, Some(&self.login.password)))
    }

    fn digest(&self, method: &Method, url: &Url, body: &str) -> Option<String> {
        let mut known = self.challenge.lock();
        let (challenge, count) = known.as_mut()?;
        *count = count.checked_add(1)?;
        let uri = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let protected = Protected { method: method.as_str(), uri: &uri, body: body.as_bytes() };
        Some(answer(challenge, &self.login.user, &self.login.password, protected, &cnonce()?, *count))
    }
}

fn cnonce() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_ne_bytes(bytes)))
}
