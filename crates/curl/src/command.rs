//! The API command.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};

use crate::{Curl, LineError, MODULE, Request, SYNTAX};

/// `curl` on the event socket, in a chatplan's `${curl(...)}` and for scripts.
pub struct CurlCommand(pub Arc<Curl>);

pub const COMMAND: Row =
    Row { name: "curl", syntax: SYNTAX, doc: "Perform an HTTP request.", module: MODULE };

impl Command for CurlCommand {
    fn row(&self) -> &Row {
        &COMMAND
    }

    fn run(&self, call: Call<'_>) -> Answer {
        let request = match Request::parse(call.args) {
            Ok(request) => request,
            Err(LineError::Empty) => return Answer::Ready(format!("-ERR\ncurl {SYNTAX}\n")),
            Err(error) => {
                tracing::error!("curl: {error}");
                return "".into();
            }
        };
        let form = request.form;
        match self.0.request(request) {
            Ok(answer) => Answer::Later(Box::pin(async move { answer.await.text(form) })),
            Err(error) => {
                tracing::error!("curl: {error}");
                Answer::Ready(format!("-ERR {error}\n"))
            }
        }
    }
}
