//! What operators do with messages that are kept.

use chappe_store::{Filter, MessageId, Micros, State, StoreError, Summary};
use tokio::task::JoinSet;

use super::Desk;
use super::times::told;

/// Messages cancelled at a time, so that they are written together.
const SOME: usize = 100;

/// Messages forgotten in one transaction.
const PURGED: usize = 1000;

pub(super) async fn retry(desk: &Desk, id: &MessageId) -> Result<String, StoreError> {
    let Some(record) = desk.store.get(id).await? else { return Ok(unknown(id)) };
    let summary = record.summary;
    if let Some(why) = not_to_be_tried(&summary, desk) {
        return Ok(format!("-ERR message {id} {why}\n"));
    }
    desk.server.router.queue().retry(&summary.recipient);
    Ok(format!("+OK message {id} is tried now, in its turn among what waits for {}\n", summary.recipient))
}

/// Why a message is not one to try; `None`: it is.
fn not_to_be_tried(summary: &Summary, desk: &Desk) -> Option<String> {
    let now = desk.now();
    match summary.state {
        State::Waiting if summary.not_before > now => {
            Some(format!("is held back until {}", told(summary.not_before, now, &desk.zone())))
        }
        State::Waiting => None,
        State::Accepted => Some("is still in the chatplan".to_owned()),
        over => Some(format!("is {} already", over.as_str())),
    }
}

pub(super) fn retry_all(desk: &Desk, recipient: &str) -> String {
    let queue = desk.server.router.queue();
    queue.retry(recipient);
    format!("+OK Tried: {}\n", queue.waiting(recipient))
}

pub(super) async fn cancel(desk: &Desk, id: &MessageId) -> Result<String, StoreError> {
    if desk.server.router.queue().cancel(id).await? {
        tracing::info!(fs_level = "notice", "message {id} is cancelled by command");
        return Ok("+OK Cancelled: 1\n".to_owned());
    }
    let Some(record) = desk.store.get(id).await? else { return Ok(unknown(id)) };
    Ok(format!("-ERR message {id} is {} already\n", record.summary.state.as_str()))
}

/// Messages that a device has and that wait for others are left alone: they are delivered.
pub(super) async fn cancel_all(desk: &Desk, recipient: &str) -> Result<String, StoreError> {
    let filter = Filter { recipient: Some(recipient.into()), sender: None, state: Some(State::Waiting) };
    let (mut after, mut cancelled) = (0, 0);
    loop {
        let page = match desk.store.list(filter.clone(), after, SOME).await {
            Ok(page) => page,
            Err(error) => return Ok(stopped(&error, cancelled)),
        };
        let Some(last) = page.last() else { break };
        after = last.place;
        let ids = page.into_iter().filter(|summary| !summary.is_delivered()).map(|summary| summary.id);
        match cancel_some(desk, ids.collect()).await {
            (count, None) => cancelled += count,
            (count, Some(error)) => return Ok(stopped(&error, cancelled + count)),
        }
    }
    tracing::info!(fs_level = "notice", "{cancelled} messages for {recipient} are cancelled by command");
    Ok(format!("+OK Cancelled: {cancelled}\n"))
}

/// How many were cancelled, and what stopped one of the others.
async fn cancel_some(desk: &Desk, ids: Vec<MessageId>) -> (u64, Option<StoreError>) {
    let mut under_way = JoinSet::new();
    for id in ids {
        let queue = desk.server.router.queue().clone();
        under_way.spawn_on(async move { queue.cancel(&id).await }, &desk.server.runtime);
    }
    let (mut cancelled, mut trouble) = (0, None);
    while let Some(ended) = under_way.join_next().await {
        match ended {
            Ok(Ok(done)) => cancelled += u64::from(done),
            Ok(Err(error)) => trouble = Some(error),
            Err(error) => trouble = Some(StoreError::Failed(error.to_string())),
        }
    }
    (cancelled, trouble)
}

fn stopped(error: &StoreError, cancelled: u64) -> String {
    format!("-ERR {error}. Cancelled: {cancelled}\n")
}

/// Forgets messages that ended longer ago than this.
pub(super) async fn purge(desk: &Desk, seconds: u32) -> Result<String, StoreError> {
    let before = match seconds {
        0 => Micros::MAX,
        seconds => desk.now().saturating_sub(Micros::from(seconds) * 1_000_000),
    };
    let mut forgotten = 0;
    loop {
        let gone = match desk.store.purge(before, PURGED).await {
            Ok(gone) => gone,
            Err(error) => return Ok(format!("-ERR {error}. Forgotten: {forgotten}\n")),
        };
        forgotten += gone;
        if gone < PURGED as u64 {
            break;
        }
    }
    tracing::info!(fs_level = "notice", "{forgotten} finished messages are forgotten by command");
    Ok(format!("+OK Forgotten: {forgotten}\n"))
}

pub(super) fn unknown(id: &MessageId) -> String {
    format!("-ERR there is no message {id}\n")
}
