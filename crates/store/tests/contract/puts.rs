use chappe_store::{Kept, MessageId, Put, State, Store};

use crate::make::{attempt, ended, event, id, kept, number, record, to};

crate::contract! {
    a_message_comes_back_as_it_was_put,
    any_text_is_a_name,
    a_repetition_is_known_by_its_origin,
    a_name_is_given_once,
    an_origin_goes_before_a_name,
    messages_keep_their_order,
}

async fn a_message_comes_back_as_it_was_put(store: &dyn Store) {
    let put = Kept {
        origin: Some(u128::MAX),
        not_before: 77,
        attempts: vec![attempt(1, 0), attempt(2, 503)],
        ..kept(1)
    };
    assert_eq!(store.put(put.clone()).await, Ok(Put::Stored));
    let record = record(store, 1).await;
    assert_eq!(record.message, Some(put.message));
    let summary = record.summary;
    assert_eq!(summary.id, put.id);
    assert_eq!((&summary.recipient, &summary.sender), (&put.recipient, &put.sender));
    assert_eq!((summary.state, summary.accepted), (State::Waiting, 10));
    assert_eq!((summary.not_before, summary.expires, summary.ended), (77, 1000, 0));
    assert_eq!((summary.attempts, summary.tries), (put.attempts, 2));
    assert!(store.get(&id(2)).await.unwrap().is_none());
}

async fn any_text_is_a_name(store: &dyn Store) {
    for text in ["", "x", "ABCDEF0123456789ABCDEF0123456789", "abcdef0123456789abcdef0123456789", "Grüße"] {
        let id = MessageId::from(text);
        assert_eq!(store.put(Kept { id: id.clone(), ..kept(1) }).await, Ok(Put::Stored), "{text}");
        assert_eq!(store.get(&id).await.unwrap().unwrap().summary.id, id);
    }
}

async fn a_repetition_is_known_by_its_origin(store: &dyn Store) {
    let of = |origin, number| Kept { origin, ..kept(number) };
    assert_eq!(store.put(of(Some(7), 1)).await, Ok(Put::Stored));
    assert_eq!(store.put(of(Some(7), 2)).await, Ok(Put::Known(id(1), State::Waiting)));
    assert_eq!(store.put(of(Some(8), 3)).await, Ok(Put::Stored));
    assert_eq!(store.put(of(None, 4)).await, Ok(Put::Stored));
    assert_eq!(store.put(of(None, 5)).await, Ok(Put::Stored));
    store.change(&id(1), ended(20, State::Delivered)).await.unwrap();
    assert_eq!(store.put(of(Some(7), 2)).await, Ok(Put::Known(id(1), State::Delivered)));
    assert!(store.get(&id(2)).await.unwrap().is_none());
    assert_eq!(store.counts().await.unwrap().unfinished(), 3);
}

async fn a_name_is_given_once(store: &dyn Store) {
    assert_eq!(store.put(kept(1)).await, Ok(Put::Stored));
    let other = Kept { message: event("another"), origin: Some(1), ..kept(1) };
    assert_eq!(store.put(other).await, Ok(Put::Known(id(1), State::Waiting)));
    assert_eq!(record(store, 1).await.message, Some(event("message 1")));
}

async fn an_origin_goes_before_a_name(store: &dyn Store) {
    store.put(Kept { origin: Some(1), ..kept(1) }).await.unwrap();
    store.put(kept(2)).await.unwrap();
    let both = Kept { origin: Some(1), ..kept(2) };
    assert_eq!(store.put(both).await, Ok(Put::Known(id(1), State::Waiting)));
}

async fn messages_keep_their_order(store: &dyn Store) {
    let names = [9, 3, 7, 1, 8];
    // Asked for at once, and waited for afterwards.
    let puts: Vec<_> = names.iter().map(|number| store.put(to("bob@example.org", *number))).collect();
    for put in puts {
        assert_eq!(put.await, Ok(Put::Stored));
    }
    let list = store.list(chappe_store::Filter::default(), 0, 10).await.unwrap();
    assert_eq!(list.iter().map(|summary| number(&summary.id)).collect::<Vec<_>>(), names);
    assert!(list.is_sorted_by_key(|summary| summary.place));
}
