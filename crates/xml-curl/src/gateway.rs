//! One web server, asked.

use std::sync::Arc;

use chappe_config::{Document, XmlQuery, answer_document};
use chappe_curl::read_body;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use tokio::sync::Semaphore;

use crate::authorization::Authorization;
use crate::{GatewaySettings, XmlCurlError, client, form};

const FORM_DATA: &str = "application/x-www-form-urlencoded";

pub(crate) struct Gateway {
    pub settings: GatewaySettings,
    /// What FreeSWITCH's field `hostname` says: the switchname.
    hostname: String,
    client: Client,
    authorization: Option<Authorization>,
    /// Requests that may be under way; one more waits for its turn, and its time runs meanwhile.
    turns: Semaphore,
}

impl Gateway {
    pub fn new(settings: GatewaySettings, hostname: &str) -> Result<Self, XmlCurlError> {
        let login = settings.login.clone();
        Ok(Self {
            client: client::client(&settings)?,
            authorization: login.map(|login| Authorization::new(login, settings.scheme)),
            turns: Semaphore::new(settings.max_requests),
            hostname: hostname.to_owned(),
            settings,
        })
    }

    /// The document, or `Ok(None)` when the server says that there is no such thing.
    pub async fn ask(&self, query: &XmlQuery) -> Result<Option<Arc<Document>>, XmlCurlError> {
        let timeout = self.settings.timeout;
        let asking = tokio::time::timeout(timeout, self.answer(query)).await;
        let text = asking.map_err(|_| XmlCurlError::Timeout(timeout.as_secs()))??;
        let name = place(&self.settings.url);
        // The longest answers take a while to read, and this thread has requests of others.
        let read = tokio::task::spawn_blocking(move || answer_document(&text, &name)).await;
        let document = read.unwrap_or(Ok(None)).map_err(XmlCurlError::Xml)?;
        Ok(document.map(Arc::new))
    }

    async fn answer(&self, query: &XmlQuery) -> Result<String, XmlCurlError> {
        let _turn = self.turns.acquire().await;
        let form = form::form(query, &self.hostname, &self.settings.picked);
        let url = self.url(query, &form)?;
        let (method, body) = if self.settings.get { (Method::GET, "") } else { (Method::POST, &*form) };
        let response = self.send(&method, &url, body).await?;
        match response.status().as_u16() {
            200 => Ok(read_body(response, self.settings.max_bytes).await?),
            status => Err(XmlCurlError::Status(status)),
        }
    }

    async fn send(&self, method: &Method, url: &Url, body: &str) -> Result<Response, XmlCurlError> {
        let request = self.request(method, url, body);
        let Some(authorization) = &self.authorization else { return Ok(request.send().await?) };
        let response = authorization.shown(request, method, url, body).send().await?;
        // Who was redirected to is told no password; another page of the same server may ask again.
        let asks = response.url().clone();
        if asks.origin() != url.origin() {
            return Ok(response);
        }
        let again = self.request(method, &asks, body);
        match authorization.asked(&response, again, method, &asks, body) {
            Some(again) => Ok(again.send().await?),
            None => Ok(response),
        }
    }

    fn request(&self, method: &Method, url: &Url, body: &str) -> RequestBuilder {
        let request = self.client.request(method.clone(), url.clone());
        match self.settings.get {
            true => request,
            false => request.header(CONTENT_TYPE, FORM_DATA).body(body.to_owned()),
        }
    }

    fn url(&self, query: &XmlQuery, form: &str) -> Result<Url, XmlCurlError> {
        let mut text = match self.settings.dynamic_url {
            true => form::filled(&self.settings.url, query, &self.hostname),
            false => self.settings.url.clone(),
        };
        if self.settings.get {
            text.push(if text.contains('?') { '&' } else { '?' });
            text.push_str(form);
        }
        Url::parse(&text).map_err(|_| XmlCurlError::Url)
    }
}

/// The URL without its user, password and query, which are nobody's business.
pub(crate) fn place(url: &str) -> String {
    let place = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = place.split_once("://") else { return place.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_secret() {
        for (url, expected) in [
            ("http://a:1/b?c=d", "http://a:1/b"),
            ("https://user:p@ss@a/b/${user}", "https://a/b/${user}"),
            ("http://a?token=x", "http://a"),
            ("http://a/b@c", "http://a/b@c"),
        ] {
            assert_eq!(place(url), expected);
        }
    }
}
