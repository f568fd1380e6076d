//! `json`: commands that are asked and answer in JSON.

use std::sync::Arc;

use chappe_api::{Answer, Call, Registry, Row};
use serde_json::{Map, Value, json};

use super::json_print::pretty;
use crate::server::Server;
use crate::version;

pub(super) const ROW: Row = Row { name: "json", syntax: "JSON", doc: "JSON API", module: "mod_commands" };

/// The commands there are, as `show interfaces` tells.
pub(super) const COMMANDS: [&str; 2] = ["fsapi", "status"];

/// FreeSWITCH mod_commands.c json_function: the answer is the question with `status` and `response` added.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return "-ERR No JSON supplied.\n".into();
    }
    let Ok(Value::Object(question)) = serde_json::from_str(call.args) else {
        return "-ERR Parse error.\n".into();
    };
    let command = question.get("command").and_then(Value::as_str).unwrap_or_default().to_owned();
    match question.get("data") {
        Some(_) if command == "status" => answered(question, Ok(status(server))).into(),
        Some(data) if command == "fsapi" => fsapi(data.clone(), question, call.registry),
        _ => answered(question, Err("Invalid request or non-existant command")).into(),
    }
}

/// The line that answers.
fn answered(mut question: Map<String, Value>, reply: Result<Value, &str>) -> String {
    let (status, response) = match reply {
        Ok(response) => ("success", response),
        Err(message) => {
            question.insert("message".to_owned(), message.into());
            ("error", Value::Null)
        }
    };
    question.insert("status".to_owned(), status.into());
    question.insert("response".to_owned(), response);
    let is_pretty =
        question.get("format").and_then(Value::as_str).is_some_and(|f| f.eq_ignore_ascii_case("pretty"));
    let answer = Value::Object(question);
    format!("{}\n", if is_pretty { pretty(&answer) } else { answer.to_string() })
}

/// Another command, its name and arguments in `cmd` and `arg`.
fn fsapi(data: Value, question: Map<String, Value>, registry: &Arc<Registry>) -> Answer {
    let text = |name| data.get(name).and_then(Value::as_str).unwrap_or_default();
    match registry.run(text("cmd"), text("arg"), None) {
        Some(Answer::Ready(text)) => answered(question, Ok(json!({ "message": text }))).into(),
        Some(Answer::Later(later)) => {
            Answer::Later(Box::pin(async move { answered(question, Ok(json!({ "message": later.await }))) }))
        }
        // FreeSWITCH says both that the command failed and why.
        None => {
            let mut question = question;
            question.insert("status".to_owned(), "error".into());
            question.insert("message".to_owned(), "The command returned an error".into());
            question.insert("response".to_owned(), json!({ "message": "INVALID CALL" }));
            format!("{}\n", Value::Object(question)).into()
        }
    }
}

/// FreeSWITCH mod_commands.c json_status_function. Sessions are calls: there are none.
fn status(server: &Server) -> Value {
    let up = server.started.elapsed();
    let seconds = up.as_secs();
    json!({
        "systemStatus": if server.is_ready() { "ready" } else { "not ready" },
        "uptime": {
            "years": seconds / 31_536_000,
            "days": seconds / 86_400 % 365,
            "hours": seconds / 3_600 % 24,
            "minutes": seconds / 60 % 60,
            "seconds": seconds % 60,
            "milliseconds": up.subsec_millis(),
            "microseconds": up.subsec_micros() % 1_000,
        },
        "version": version::FULL,
        "sessions": {
            "count": { "total": 0, "active": 0, "peak": 0, "peak5Min": 0, "limit": 0 },
            "rate": { "current": 0, "max": 0, "peak": 0, "peak5Min": 0 },
        },
        "idleCPU": { "used": 0, "allowed": f64::from(server.ground.idle.percent()) },
    })
}
