use std::sync::Arc;

use chappe_store::{Filter, Kept, Line, State, Store};

use crate::make::{ended, id, kept, number, numbers, to};

crate::contract! {
    a_line_is_read_in_pieces,
    what_is_not_due_does_not_wait_yet,
    accepted_messages_are_read_in_pieces,
    every_line_is_known,
    who_becomes_due,
    a_list_by_what_is_wanted,
    counts_follow_every_change,
    the_latest_come_first,
}

async fn a_line_is_read_in_pieces(store: &dyn Store) {
    for number in 1..=5 {
        store
            .put(to(if number == 3 { "carol@example.org" } else { "bob@example.org" }, number))
            .await
            .unwrap();
    }
    let first = store.waiting("bob@example.org", 0, 0, 2).await.unwrap();
    assert_eq!(numbers(&first), [1, 2]);
    let after = first[1].summary.place;
    assert_eq!(numbers(&store.waiting("bob@example.org", 0, after, 10).await.unwrap()), [4, 5]);
    assert!(store.waiting("bob@example.org", 0, 0, 0).await.unwrap().is_empty());
    assert!(store.waiting("BOB@example.org", 0, 0, 10).await.unwrap().is_empty());
}

async fn what_is_not_due_does_not_wait_yet(store: &dyn Store) {
    store.put(Kept { not_before: 100, ..kept(1) }).await.unwrap();
    store.put(kept(2)).await.unwrap();
    assert_eq!(numbers(&store.waiting("bob@example.org", 99, 0, 10).await.unwrap()), [2]);
    assert_eq!(numbers(&store.waiting("bob@example.org", 100, 0, 10).await.unwrap()), [1, 2]);
}

async fn accepted_messages_are_read_in_pieces(store: &dyn Store) {
    for number in 1..=4 {
        let state = if number == 2 { State::Waiting } else { State::Accepted };
        store.put(Kept { state, ..kept(number) }).await.unwrap();
    }
    let first = store.accepted(0, 1).await.unwrap();
    assert_eq!(numbers(&first), [1]);
    assert_eq!(numbers(&store.accepted(first[0].summary.place, 10).await.unwrap()), [3, 4]);
}

async fn every_line_is_known(store: &dyn Store) {
    store.put(Kept { not_before: 70, ..kept(1) }).await.unwrap();
    store.put(Kept { not_before: 50, ..kept(2) }).await.unwrap();
    store.put(to("carol@example.org", 3)).await.unwrap();
    store.put(Kept { state: State::Accepted, ..to("dora@example.org", 4) }).await.unwrap();
    store.put(to("erna@example.org", 5)).await.unwrap();
    store.change(&id(5), ended(1, State::Done)).await.unwrap();
    let mut lines = store.lines().await.unwrap();
    lines.sort_unstable_by(|one, other| one.recipient.cmp(&other.recipient));
    let line = |recipient: &str, count, not_before| Line { recipient: recipient.into(), count, not_before };
    assert_eq!(lines, [line("bob@example.org", 2, 50), line("carol@example.org", 1, 0)]);
}

async fn who_becomes_due(store: &dyn Store) {
    let at = |recipient: &str, not_before, number| Kept { not_before, ..to(recipient, number) };
    store.put(at("b", 50, 1)).await.unwrap();
    store.put(at("b", 51, 2)).await.unwrap();
    store.put(at("a", 60, 3)).await.unwrap();
    store.put(at("c", 61, 4)).await.unwrap();
    store.put(at("d", 0, 5)).await.unwrap();
    store.put(Kept { state: State::Accepted, ..at("e", 55, 6) }).await.unwrap();
    let due = async |after, until| store.become_due(after, until).await.unwrap();
    assert_eq!(due(49, 60).await, [Arc::from("a"), Arc::from("b")]);
    assert_eq!(due(51, 60).await, [Arc::from("a")]);
    assert_eq!(due(60, 61).await, [Arc::from("c")]);
    assert_eq!(due(-1, 10).await, [Arc::from("d")]);
    assert!(due(0, 49).await.is_empty());
}

async fn a_list_by_what_is_wanted(store: &dyn Store) {
    store.put(kept(1)).await.unwrap();
    store.put(Kept { sender: "other@example.org".into(), ..kept(2) }).await.unwrap();
    store.put(to("carol@example.org", 3)).await.unwrap();
    store.put(Kept { state: State::Accepted, ..kept(4) }).await.unwrap();
    store.put(kept(5)).await.unwrap();
    store.change(&id(1), ended(9, State::Delivered)).await.unwrap();
    let list = async |recipient: Option<&str>, sender: Option<&str>, state, limit| {
        let filter = Filter { recipient: recipient.map(Box::from), sender: sender.map(Box::from), state };
        let found = store.list(filter, 0, limit).await.unwrap();
        found.iter().map(|summary| number(&summary.id)).collect::<Vec<_>>()
    };
    let bob = Some("bob@example.org");
    assert_eq!(list(None, None, None, 10).await, [1, 2, 3, 4, 5]);
    assert_eq!(list(bob, None, None, 10).await, [1, 2, 4, 5]);
    assert_eq!(list(bob, None, None, 3).await, [1, 2, 4]);
    assert_eq!(list(None, Some("other@example.org"), None, 10).await, [2]);
    assert_eq!(list(bob, Some("1000@example.org"), Some(State::Waiting), 10).await, [5]);
    assert_eq!(list(None, None, Some(State::Delivered), 10).await, [1]);
    assert_eq!(list(bob, None, Some(State::Delivered), 10).await, [1]);
    assert_eq!(list(bob, None, Some(State::Accepted), 10).await, [4]);
    assert!(list(Some("nobody"), None, None, 10).await.is_empty());
    let third = store.list(Filter::default(), 0, 3).await.unwrap()[2].place;
    let rest = store.list(Filter::default(), third, 10).await.unwrap();
    assert_eq!(rest.iter().map(|summary| number(&summary.id)).collect::<Vec<_>>(), [4, 5]);
}

async fn counts_follow_every_change(store: &dyn Store) {
    for number in 1..=6 {
        let state = if number > 4 { State::Accepted } else { State::Waiting };
        store.put(Kept { state, origin: Some(number), ..kept(number) }).await.unwrap();
    }
    store.put(Kept { origin: Some(1), ..kept(99) }).await.unwrap();
    store.change(&id(1), ended(1, State::Delivered)).await.unwrap();
    store.change(&id(1), ended(1, State::Refused)).await.unwrap();
    store.change(&id(2), ended(1, State::Cancelled)).await.unwrap();
    store.change(&id(5), ended(1, State::Done)).await.unwrap();
    let counts = store.counts().await.unwrap();
    assert_eq!(State::ALL.map(|state| counts.of(state)), [1, 2, 1, 0, 0, 1, 1]);
    assert_eq!(counts.unfinished(), 3);
    store.expire(1000, 10).await.unwrap();
    store.purge(1000, 10).await.unwrap();
    let counts = store.counts().await.unwrap();
    assert_eq!(State::ALL.map(|state| counts.of(state)), [0, 0, 0, 0, 3, 0, 0]);
}

async fn the_latest_come_first(store: &dyn Store) {
    for number in 1..=5 {
        store.put(Kept { accepted: i64::try_from(number).unwrap(), ..kept(number) }).await.unwrap();
    }
    store.change(&id(4), ended(9, State::Delivered)).await.unwrap();
    assert_eq!(store.recent(3, 10).await.unwrap(), [id(5), id(4), id(3)]);
    assert_eq!(store.recent(0, 2).await.unwrap(), [id(5), id(4)]);
}
