//! The app.

use std::sync::Arc;

use chappe_chat::{App, AppRow, Outcome, Ran, Router};
use chappe_event::Event;

use crate::{Curl, MODULE, Request, SYNTAX};

/// `curl` in a chatplan.
pub struct CurlApp(pub Arc<Curl>);

pub const APP: AppRow = AppRow {
    name: "curl",
    syntax: SYNTAX,
    doc: "Perform an HTTP request; what comes back is in `curl_response_data`, its status in `curl_response_code`. \
          The message's `curl_connect_timeout` and `curl_timeout` are heeded.",
    takes: false,
    module: MODULE,
};

const DATA: &str = "curl_response_data";
const CODE: &str = "curl_response_code";
const METHOD: &str = "curl_method";

impl App for CurlApp {
    fn row(&self) -> &AppRow {
        &APP
    }

    fn is_slow(&self) -> bool {
        true
    }

    /// A request that fails leaves the status 0 and no data; the chatplan goes on, as in FreeSWITCH.
    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, _router: &'a Arc<Router>) -> Ran<'a> {
        let mut request = match Request::parse(data.unwrap_or_default()) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!("curl: {error}; usage: curl {SYNTAX}");
                return Ran::Now(Outcome::Continue);
            }
        };
        request.heed(message);
        message.set(METHOD, request.method_word.as_deref().unwrap_or_default());
        let form = request.form;
        match self.0.request(request) {
            Ok(answer) => Ran::Later(Box::pin(async move {
                let answer = answer.await;
                message.set(CODE, answer.status().to_string());
                message.set(DATA, answer.text(form));
                Outcome::Continue
            })),
            Err(error) => {
                tracing::error!("curl: {error}");
                message.set(CODE, "0");
                message.remove(DATA);
                Ran::Now(Outcome::Continue)
            }
        }
    }
}
