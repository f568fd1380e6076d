//! Messages as rows, a page at a time.

use chappe_store::{Filter, Micros, State, Store, StoreError, Summary};
use jiff::tz::TimeZone;

use super::plain;
use super::times::written;
use crate::commands::table::Table;

/// Messages of a page.
pub(super) const DEFAULT: usize = 50;

/// The most messages that are listed at a time.
pub const MOST: usize = 1000;

const COLUMNS: &[&str] = &["id", "from", "to", "state", "accepted", "expires", "attempts", "last_code"];

/// Which messages are listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    pub recipient: Option<String>,
    pub state: Option<State>,
    /// From 1 to [`MOST`].
    pub limit: usize,
    /// The place of the last message of the page before.
    pub after: i64,
}

/// One page.
pub struct Page {
    pub table: Table,
    /// The command that shows the next one.
    next: Option<String>,
}

impl Page {
    /// As lines, with how to go on.
    pub fn text(&self, delimiter: &str) -> String {
        let mut text = self.table.delimited(delimiter);
        if let Some(next) = &self.next {
            text.push_str(&format!("There are more: {next}\n"));
        }
        text
    }
}

/// Reads a page: the messages in the order they came.
pub async fn page(store: &dyn Store, listing: Listing, zone: &TimeZone) -> Result<Page, StoreError> {
    let filter = Filter {
        recipient: listing.recipient.as_deref().map(Into::into),
        sender: None,
        state: listing.state,
    };
    // One more tells whether there are more.
    let mut summaries = store.list(filter, listing.after, listing.limit.saturating_add(1)).await?;
    let is_all = summaries.len() <= listing.limit;
    summaries.truncate(listing.limit);
    let last = summaries.last().filter(|_| !is_all).map(|summary| summary.place);
    Ok(Page { table: table(&summaries, zone), next: last.map(|place| listing.after(place)) })
}

fn table(summaries: &[Summary], zone: &TimeZone) -> Table {
    Table { columns: COLUMNS, rows: summaries.iter().map(|summary| row(summary, zone)).collect() }
}

fn row(summary: &Summary, zone: &TimeZone) -> Vec<String> {
    let time = |at: Micros| written(at, zone);
    vec![
        plain(summary.id.as_str()),
        plain(&summary.sender),
        plain(&summary.recipient),
        summary.state.as_str().to_owned(),
        time(summary.accepted),
        time(summary.expires),
        summary.tries.to_string(),
        summary.attempts.last().map(|attempt| attempt.code.to_string()).unwrap_or_default(),
    ]
}

impl Listing {
    /// The command for what comes after a place.
    fn after(&self, place: i64) -> String {
        let recipient = self.recipient.iter().map(String::as_str);
        let words = recipient.chain(self.state.map(State::as_str));
        let words: String = words.map(|word| format!("{word} ")).collect();
        format!("message list {words}limit {} after {place}", self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::tests::summary;
    use super::*;
    use chappe_event::{Event, EventName};
    use chappe_store::{Attempt, Kept, MemoryStore};
    use expect_test::expect;

    #[test]
    fn a_message_is_a_row() {
        let attempt = |code| Attempt { at: 0, device: "".into(), code, reason: "".into() };
        let mut tried = Summary { tries: 70, attempts: vec![attempt(486), attempt(0)], ..summary() };
        tried.sender = "a\nb@chat.test".into();
        expect![[r"
            id,from,to,state,accepted,expires,attempts,last_code
            00112233445566778899aabbccddeeff,1000@chat.test,1001@chat.test,waiting,2026-11-18 11:06:40,2026-11-25 11:06:40,0,
            00112233445566778899aabbccddeeff,a\nb@chat.test,1001@chat.test,waiting,2026-11-18 11:06:40,2026-11-25 11:06:40,70,0

            2 total.
        "]]
        .assert_eq(&table(&[summary(), tried], &TimeZone::UTC).delimited(","));
    }

    async fn filled(count: usize) -> MemoryStore {
        let store = MemoryStore::default();
        for number in 0..count {
            let like = summary();
            let kept = Kept {
                id: number.to_string().as_str().into(),
                origin: None,
                recipient: like.recipient,
                sender: like.sender,
                state: State::Waiting,
                accepted: like.accepted,
                not_before: 0,
                expires: like.expires,
                attempts: Vec::new(),
                message: Event::new(EventName::Message),
            };
            store.put(kept).await.expect("memory takes it");
        }
        store
    }

    #[tokio::test]
    async fn a_page_says_how_to_go_on() {
        let store = filled(3).await;
        let recipient = Some("1001@chat.test".to_owned());
        let listing = Listing { recipient, state: Some(State::Waiting), limit: 2, after: 0 };
        let first = page(&store, listing.clone(), &TimeZone::UTC).await.expect("a page");
        assert_eq!(first.table.rows.len(), 2);
        let hint = "\n2 total.\nThere are more: message list 1001@chat.test waiting limit 2 after 2\n";
        assert!(first.text(",").ends_with(hint), "{}", first.text(","));
        let last =
            page(&store, Listing { after: 2, ..listing.clone() }, &TimeZone::UTC).await.expect("a page");
        assert_eq!(last.table.rows[0][0], "2");
        assert!(last.text(",").ends_with("\n1 total.\n"), "{}", last.text(","));
        let whole = page(&store, Listing { limit: 3, ..listing }, &TimeZone::UTC).await.expect("a page");
        assert!(whole.next.is_none() && whole.table.rows.len() == 3);
    }
}
