//! How many messages are kept, where, and whether the store is in trouble.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use chappe_store::{Counts, State, StoreError};

use super::why_no_store;
use crate::server::Server;

/// How long `status` waits for the counts: monitoring has its own patience.
const PATIENCE: Duration = Duration::from_secs(2);

/// The rows of `message status`.
pub(super) fn table(place: &str, counts: &Counts, trouble: Option<&StoreError>) -> String {
    let trouble = trouble.map_or_else(|| "none".to_owned(), ToString::to_string);
    let mut text = format!("store      {place}\ntrouble    {trouble}\n");
    let total: u64 = State::ALL.iter().map(|state| counts.of(*state)).sum();
    let rows = State::ALL.iter().map(|state| (state.as_str(), counts.of(*state)));
    for (name, count) in rows.chain([("total", total)]) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name:<10} {count}");
    }
    text
}

/// The lines that `status` has of messages.
pub async fn counted(server: Arc<Server>) -> String {
    let Some(store) = server.router.queue().store() else {
        return format!("{}\n", why_no_store(&server));
    };
    let asked = store.counts();
    // Whoever asks may be on a shard, which has no timers of the runtime's.
    let counting = server.runtime.spawn(async { tokio::time::timeout(PATIENCE, asked).await });
    let counts = match counting.await {
        Ok(Ok(counts)) => counts.map_err(|error| error.to_string()),
        Ok(Err(_)) | Err(_) => Err("the store does not answer".to_owned()),
    };
    lines(counts, store.trouble())
}

fn lines(counts: Result<Counts, String>, trouble: Option<StoreError>) -> String {
    let mut text = match counts {
        Err(why) => format!("messages can't be counted: {why}\n"),
        Ok(counts) => {
            let named = [State::Waiting, State::Accepted, State::Delivered, State::Refused, State::Expired]
                .into_iter()
                .chain([State::Cancelled, State::Done])
                .map(|state| format!("{} {}", counts.of(state), state.as_str()));
            format!("message(s) kept: {}\n", named.collect::<Vec<_>>().join(", "))
        }
    };
    if let Some(trouble) = trouble {
        let _ = writeln!(text, "message store trouble: {trouble}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn counts() -> Counts {
        let mut counts = Counts::default();
        counts.set(State::Waiting, 12);
        counts.set(State::Delivered, 340);
        counts
    }

    #[test]
    fn a_row_each_state() {
        expect![[r"
            store      SQLite, /var/lib/messages.db
            trouble    the disk is full
            accepted   0
            waiting    12
            delivered  340
            refused    0
            expired    0
            cancelled  0
            done       0
            total      352
        "]]
        .assert_eq(&table("SQLite, /var/lib/messages.db", &counts(), Some(&StoreError::Full)));
        assert!(table("memory", &counts(), None).contains("\ntrouble    none\n"));
    }

    #[test]
    fn lines_for_monitoring() {
        assert_eq!(
            lines(Ok(counts()), Some(StoreError::ReadOnly)),
            "message(s) kept: 12 waiting, 0 accepted, 340 delivered, 0 refused, 0 expired, 0 cancelled, 0 done\n\
             message store trouble: the store can't be written\n"
        );
        assert_eq!(
            lines(Err("the store does not answer".to_owned()), None),
            "messages can't be counted: the store does not answer\n"
        );
    }
}
