//! A request on its way.

use chappe_event::Event;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Response, Url};

use crate::client::{Clients, Way};
use crate::request::seconds;
use crate::response::{Answer, Head};
use crate::{CurlError, CurlSettings, Request};

/// What libcurl says of data nobody says the type of.
const FORM_DATA: &str = "application/x-www-form-urlencoded";

impl Request {
    /// The time-outs that the message's `curl_connect_timeout` and `curl_timeout` ask for.
    pub fn heed(&mut self, message: &Event) {
        let variable = |name| seconds(message.get(name).map(str::to_owned));
        self.connect_timeout = variable("curl_connect_timeout").or(self.connect_timeout);
        self.timeout = variable("curl_timeout").or(self.timeout);
    }
}

/// Sends the request and takes the response in. Whatever fails is in the log, and in the answer's exit code.
pub(crate) async fn perform(request: &Request, settings: &CurlSettings, clients: &Clients) -> Answer {
    let url = match url(&request.url) {
        Ok(url) => url,
        Err(error) => return failed(request, "", None, &error),
    };
    let place = format!("{}{}", url.origin().ascii_serialization(), url.path());
    let response = match send(request, url, settings, clients).await {
        Ok(response) => response,
        Err(error) => return failed(request, &place, None, &error),
    };
    let head = Head::of(&response);
    if is_redirect(&response) {
        return failed(request, &place, Some(head), &CurlError::Redirect);
    }
    match read_body(response, settings.max_bytes).await {
        Ok(body) => Answer { exit_code: 0, head: Some(head), body },
        Err(error) => failed(request, &place, Some(head), &error),
    }
}

/// Whether it points elsewhere, RFC 9110 §15.4. Redirects to http and https have been followed.
fn is_redirect(response: &Response) -> bool {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
        && response.headers().contains_key(LOCATION)
}

/// `place` is the URL without its user, password and query, which are nobody's business.
fn failed(request: &Request, place: &str, head: Option<Head>, error: &CurlError) -> Answer {
    tracing::error!("curl: {} {place}: {error}", request.method);
    Answer { exit_code: error.exit_code(), head, body: String::new() }
}

/// As libcurl does, a URL without a scheme is taken for http.
fn url(text: &str) -> Result<Url, CurlError> {
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let url = url.map_err(|_| CurlError::Url)?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(CurlError::Scheme) }
}

async fn send(
    request: &Request,
    url: Url,
    settings: &CurlSettings,
    clients: &Clients,
) -> Result<Response, CurlError> {
    let client = client(request, settings, clients)?;
    let timeout = request.timeout.unwrap_or(settings.timeout);
    let mut sending = client.request(request.method.clone(), url).headers(headers(request)?).timeout(timeout);
    if request.has_body() {
        sending = sending.body(request.data.clone());
    }
    Ok(sending.send().await?)
}

fn client(request: &Request, settings: &CurlSettings, clients: &Clients) -> Result<Client, CurlError> {
    clients.client(Way {
        insecure: request.insecure.unwrap_or(!settings.validate_certs),
        connect_timeout: request.connect_timeout.unwrap_or(settings.connect_timeout),
        proxy: request.proxy.clone(),
    })
}

/// The request's headers. With the caller's own ones a later one replaces an earlier one of that name.
fn headers(request: &Request) -> Result<HeaderMap, CurlError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    if request.has_body() {
        let default = (request.method != reqwest::Method::PUT).then_some(FORM_DATA);
        if let Some(content_type) = request.content_type.as_deref().or(default) {
            let value = HeaderValue::from_str(content_type);
            headers.insert(CONTENT_TYPE, value.map_err(|_| CurlError::Header(content_type.to_owned()))?);
        }
    }
    for header in &request.headers {
        let (name, value) = parsed(header).ok_or_else(|| CurlError::Header(header.clone()))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn parsed(header: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = header.split_once(':')?;
    Some((name.trim().parse().ok()?, value.trim().parse().ok()?))
}

/// The body as text; an error when it is longer than `max_bytes`, and that much of it has come.
pub async fn read_body(mut response: Response, max_bytes: usize) -> Result<String, CurlError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_bytes {
            return Err(CurlError::TooLarge(max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, expected) in [
            ("http://a/b?c=d&e=f", Ok("http://a/b?c=d&e=f")),
            ("HTTPS://a", Ok("https://a/")),
            ("a:8080/x", Ok("http://a:8080/x")),
            ("http://a/ž", Ok("http://a/%C5%BE")),
            ("file:///etc/passwd", Err(1)),
            ("gopher://a/", Err(1)),
            ("http://", Err(3)),
            ("http://a:x/", Err(3)),
        ] {
            let url = url(text).map(String::from).map_err(|error| error.exit_code());
            assert_eq!(url.as_deref(), expected.as_ref().map(|url| *url), "{text}");
        }
    }

    #[test]
    fn a_message_says_time_outs() {
        let mut message = Event::custom("x");
        let mut request = Request::parse("a timeout 1 connect-timeout 2").expect("a request");
        request.heed(&message);
        assert_eq!(request, Request::parse("a timeout 1 connect-timeout 2").expect("a request"));
        message.set("curl_timeout", "3");
        message.set("curl_connect_timeout", "4");
        request.heed(&message);
        assert_eq!(request, Request::parse("a timeout 3 connect-timeout 4").expect("a request"));
    }
}
