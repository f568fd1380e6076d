//! What came back, and the forms it is written in.

use std::fmt::Write;

use reqwest::Response;
use serde_json::{Map, Value, json};

use crate::Form;

/// How a request ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// libcurl's number for how it ended: 0 is well.
    pub exit_code: u8,
    /// None when there was no response.
    pub head: Option<Head>,
    pub body: String,
}

/// A response's start line and headers: those of the last one, where redirects were followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// `HTTP/1.1`
    pub version: String,
    pub status: u16,
    pub phrase: String,
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn of(response: &Response) -> Self {
        let status = response.status();
        let headers = response.headers().iter();
        Self {
            version: format!("{:?}", response.version()),
            status: status.as_u16(),
            phrase: status.canonical_reason().unwrap_or_default().to_owned(),
            headers: headers
                .map(|(name, value)| {
                    (title_case(name.as_str()), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
        }
    }
}

impl Answer {
    /// The status, 0 when there was no response.
    pub fn status(&self) -> u16 {
        self.head.as_ref().map_or(0, |head| head.status)
    }

    /// The text in the form that was asked for.
    pub fn text(self, form: Form) -> String {
        if form.json {
            return self.json();
        }
        if !form.headers {
            return self.body;
        }
        let mut text = String::with_capacity(self.body.len() + 512);
        if let Some(head) = &self.head {
            head.write(&mut text);
        }
        text.push('\n');
        text.push_str(&self.body);
        text
    }

    /// mod_curl's JSON: numbers are strings, an empty body is left out.
    fn json(self) -> String {
        let mut object = Map::new();
        object.insert("exit_code".to_owned(), self.exit_code.to_string().into());
        object.insert("status_code".to_owned(), self.status().to_string().into());
        if !self.body.is_empty() {
            object.insert("body".to_owned(), self.body.into());
        }
        let mut headers = Vec::new();
        if let Some(head) = self.head {
            object.insert("version".to_owned(), head.version.into());
            object.insert("phrase".to_owned(), head.phrase.into());
            headers
                .extend(head.headers.into_iter().map(|(key, value)| json!({ "key": key, "value": value })));
        }
        object.insert("headers".to_owned(), headers.into());
        Value::Object(object).to_string()
    }
}

impl Head {
    /// The lines as they came, the empty one at the end too.
    fn write(&self, text: &mut String) {
        // Writing to a String does not fail.
        let _ = write!(text, "{} {} {}\r\n", self.version, self.status, self.phrase);
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
    }
}

/// Servers write `Content-Type`, the client's library remembers `content-type`.
fn title_case(name: &str) -> String {
    let mut start = true;
    let letter = |letter: char| {
        let letter = if start { letter.to_ascii_uppercase() } else { letter };
        start = letter == '-';
        letter
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
        let (version, phrase) = ("HTTP/1.1".to_owned(), "Not Found".to_owned());
        Answer {
            exit_code: 0,
            head: Some(Head { version, status: 404, phrase, headers }),
            body: body.to_owned(),
        }
    }

    fn failure() -> Answer {
        Answer { exit_code: 7, head: None, body: String::new() }
    }

    #[test]
    fn forms() {
        let plain = Form::default();
        let headers = Form { headers: true, json: false };
        let json = Form { headers: true, json: true };
        for (answer, form, expected) in [
            (answer("a\"ž"), plain, "a\"ž"),
            (answer("b"), headers, "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\n\nb"),
            (
                answer("a\"ž"),
                json,
                r#"{"exit_code":"0","status_code":"404","body":"a\"ž","version":"HTTP/1.1","phrase":"Not Found","headers":[{"key":"Content-Type","value":"text/plain"}]}"#,
            ),
            (failure(), plain, ""),
            (failure(), headers, "\n"),
            (failure(), json, r#"{"exit_code":"7","status_code":"0","headers":[]}"#),
        ] {
            assert_eq!(answer.text(form), expected);
        }
    }

    #[test]
    fn names() {
        assert_eq!(title_case("content-type"), "Content-Type");
        assert_eq!(title_case("x-a--b-"), "X-A--B-");
    }
}
