//! Clients: a pool of connections for each way of connecting.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy};

use crate::CurlError;

/// Ways of connecting that are remembered; with one more all of them are forgotten.
const MOST_CLIENTS: usize = 16;

const MOST_REDIRECTS: usize = 10;

const USER_AGENT: &str = concat!("chappe-curl/", env!("CARGO_PKG_VERSION"));

/// What a client can't change from request to request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Way {
    pub insecure: bool,
    pub connect_timeout: Duration,
    pub proxy: Option<String>,
}

/// The clients there are.
#[derive(Default)]
pub(crate) struct Clients {
    clients: Mutex<HashMap<Way, Client>>,
}

impl Clients {
    /// A client for `way`. Making one reads the system's certificates.
    pub(crate) fn client(&self, way: Way) -> Result<Client, CurlError> {
        if let Some(client) = self.clients.lock().get(&way) {
            return Ok(client.clone());
        }
        let client = build(&way)?;
        let mut clients = self.clients.lock();
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        Ok(clients.entry(way).or_insert(client).clone())
    }
}

fn build(way: &Way) -> Result<Client, CurlError> {
    match builder(way)?.build() {
        Ok(client) => Ok(client),
        // A machine without certificates can still speak http; https servers are all unknown then.
        Err(error) => match builder(way)?.tls_certs_only([]).build() {
            Ok(client) => {
                tracing::warn!("no https: {}", CurlError::from(error));
                Ok(client)
            }
            Err(_) => Err(error.into()),
        },
    }
}

fn builder(way: &Way) -> Result<ClientBuilder, CurlError> {
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::limited(MOST_REDIRECTS))
        .connect_timeout(way.connect_timeout)
        .tls_danger_accept_invalid_certs(way.insecure);
    Ok(match &way.proxy {
        Some(proxy) => builder.proxy(Proxy::all(proxy)?),
        None => builder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_bounded() {
        crate::curl::install_provider();
        let clients = Clients::default();
        for seconds in 1..=(3 * MOST_CLIENTS as u64) {
            let connect_timeout = Duration::from_secs(seconds);
            clients.client(Way { insecure: true, connect_timeout, proxy: None }).expect("a client");
            assert!(clients.clients.lock().len() <= MOST_CLIENTS);
        }
    }
}
