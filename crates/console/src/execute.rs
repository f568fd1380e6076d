//! One API command, and its answer.

use std::time::Duration;

use chappe_event_socket::client::{Client, ClientError};
use tokio::time::timeout;

use crate::show;

/// Runs an API command as typed at a console and gives its text, failure (`-ERR ...`) included. Without a time it waits as
/// long as it takes.
pub async fn execute(
    client: &mut Client,
    command: &str,
    time: Option<Duration>,
) -> Result<String, ClientError> {
    let asked = async {
        client.start(&format!("api {command}"), &[("console_execute", "true")]).await?;
        loop {
            let frame = client.next().await?;
            match frame.content_type() {
                "command/reply" | "api/response" => return Ok(show::answer(&frame)),
                "text/disconnect-notice" => return Err(ClientError::Closed),
                _ => {}
            }
        }
    };
    match time {
        Some(time) => timeout(time, asked).await.unwrap_or(Err(ClientError::TimedOut(time))),
        None => asked.await,
    }
}
