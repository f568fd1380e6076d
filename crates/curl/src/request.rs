//! What an argument line asks for.

use std::time::Duration;

use reqwest::Method;

use crate::words::{url_decoded, words};

/// More words than FreeSWITCH takes.
const MOST_WORDS: usize = 30;

/// More headers of the caller's own than FreeSWITCH takes.
const MOST_HEADERS: usize = 10;

/// One request, as asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub url: String,
    pub method: Method,
    /// The method in the caller's spelling, when there was one.
    pub method_word: Option<String>,
    /// What is sent as the body, its percent encoding taken off.
    pub data: Vec<u8>,
    pub content_type: Option<String>,
    /// `Name: value` each.
    pub headers: Vec<String>,
    pub form: Form,
    pub connect_timeout: Option<Duration>,
    pub timeout: Option<Duration>,
    /// Whether the server's certificate is left unchecked, if the line says so.
    pub insecure: Option<bool>,
    pub proxy: Option<String>,
}

/// How the response is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Form {
    pub json: bool,
    /// The headers come before the body; JSON has them in any case.
    pub headers: bool,
}

/// Why a line is no request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    #[error("no URL")]
    Empty,
    #[error("Max args exceeded: {MOST_WORDS}")]
    TooManyWords,
}

impl Request {
    /// Reads a line. A word that is not known says nothing, as in mod_curl.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let words: Vec<String> = words(line).take(MOST_WORDS + 1).collect();
        if words.len() > MOST_WORDS {
            return Err(LineError::TooManyWords);
        }
        let mut words = words.into_iter();
        let mut request = Self::get(words.next().filter(|url| !url.is_empty()).ok_or(LineError::Empty)?);
        while let Some(word) = words.next() {
            request.take(word, &mut words);
        }
        Ok(request)
    }

    fn get(url: String) -> Self {
        Self {
            url,
            method: Method::GET,
            method_word: None,
            data: Vec::new(),
            content_type: None,
            headers: Vec::new(),
            form: Form::default(),
            connect_timeout: None,
            timeout: None,
            insecure: None,
            proxy: None,
        }
    }

    fn take(&mut self, word: String, words: &mut impl Iterator<Item = String>) {
        match word.to_ascii_lowercase().as_str() {
            "headers" => self.form.headers = true,
            "json" => self.form.json = true,
            "insecure" => self.insecure = Some(true),
            "secure" => self.insecure = Some(false),
            "content-type" => self.content_type = words.next().or(self.content_type.take()),
            "proxy" => self.proxy = words.next().or(self.proxy.take()),
            "connect-timeout" => self.connect_timeout = seconds(words.next()).or(self.connect_timeout),
            "timeout" => self.timeout = seconds(words.next()).or(self.timeout),
            "append_headers" => {
                self.headers.extend(words.next().filter(|_| self.headers.len() < MOST_HEADERS))
            }
            method => self.take_method(method, &word, words),
        }
    }

    fn take_method(&mut self, method: &str, word: &str, words: &mut impl Iterator<Item = String>) {
        let (method, has_data) = match method {
            "get" => (Method::GET, false),
            "head" => (Method::HEAD, false),
            "post" => (Method::POST, true),
            "patch" => (Method::PATCH, true),
            "put" => (Method::PUT, true),
            "delete" => (Method::DELETE, true),
            _ => return,
        };
        self.method = method;
        self.method_word = Some(word.to_owned());
        self.data = if has_data { url_decoded(&words.next().unwrap_or_default()) } else { Vec::new() };
    }

    /// Whether the method is one that has a body.
    pub fn has_body(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// A whole number of seconds above 0.
pub(crate) fn seconds(text: Option<String>) -> Option<Duration> {
    let text = text?;
    let seconds = text.trim().parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    if seconds.is_none() {
        tracing::warn!("Invalid timeout: {text}");
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get() -> Request {
        Request::get("http://x/".to_owned())
    }

    #[track_caller]
    fn reads(rest: &str, expected: Request) {
        assert_eq!(Request::parse(&format!("http://x/ {rest}")), Ok(expected), "{rest}");
    }

    fn with_data(method: Method, word: &str, data: &str) -> Request {
        Request { method, method_word: Some(word.to_owned()), data: data.into(), ..get() }
    }

    #[test]
    fn methods_and_data() {
        reads("", get());
        reads("get", with_data(Method::GET, "get", ""));
        reads("HEAD", with_data(Method::HEAD, "HEAD", ""));
        reads("post", with_data(Method::POST, "post", ""));
        reads("post a=1&b=%26%20c", with_data(Method::POST, "post", "a=1&b=& c"));
        reads("Put 'a b'", with_data(Method::PUT, "Put", "a b"));
        reads("patch ''", with_data(Method::PATCH, "patch", ""));
        reads("delete x", with_data(Method::DELETE, "delete", "x"));
        // The last one counts, and a get has no data.
        reads("post x get y", with_data(Method::GET, "get", ""));
    }

    #[test]
    fn options() {
        reads("json", Request { form: Form { json: true, headers: false }, ..get() });
        reads("Headers nonsense", Request { form: Form { json: false, headers: true }, ..get() });
        reads("content-type text/plain", Request { content_type: Some("text/plain".into()), ..get() });
        reads("content-type", get());
        reads("timeout 7", Request { timeout: Some(Duration::from_secs(7)), ..get() });
        reads("connect-timeout 3", Request { connect_timeout: Some(Duration::from_secs(3)), ..get() });
        for wrong in ["timeout 0", "timeout x", "timeout -1", "timeout", "connect-timeout 1.5"] {
            reads(wrong, get());
        }
        reads("insecure", Request { insecure: Some(true), ..get() });
        reads("insecure secure", Request { insecure: Some(false), ..get() });
        reads("proxy http://p:1", Request { proxy: Some("http://p:1".into()), ..get() });
        let headers = vec!["A: b c".to_owned(), "D:e".to_owned()];
        reads("append_headers 'A: b c' append_headers D:e", Request { headers, ..get() });
    }

    #[test]
    fn limits() {
        assert_eq!(Request::parse(""), Err(LineError::Empty));
        assert_eq!(Request::parse("''"), Err(LineError::Empty));
        let line = |words| vec!["x"; words].join(" ");
        assert!(Request::parse(&line(MOST_WORDS)).is_ok());
        assert_eq!(Request::parse(&line(MOST_WORDS + 1)), Err(LineError::TooManyWords));
        let many = format!("u {}", "append_headers a:b ".repeat(12));
        let request = Request::parse(&many).expect("25 words");
        assert_eq!(request.headers.len(), MOST_HEADERS);
    }
}
