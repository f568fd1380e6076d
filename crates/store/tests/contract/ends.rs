use chappe_store::{Change, Kept, State, Store};

use crate::make::{attempt, ended, event, id, kept, numbers, record, state};

crate::contract! {
    what_is_over_is_told_once,
    a_message_that_a_device_has_does_not_expire,
    so_many_expire_at_once,
    what_ended_is_forgotten_in_time,
    so_many_are_forgotten_at_once,
}

async fn what_is_over_is_told_once(store: &dyn Store) {
    store.put(Kept { expires: 100, ..kept(1) }).await.unwrap();
    store.put(Kept { expires: 101, ..kept(2) }).await.unwrap();
    store.put(Kept { expires: 50, state: State::Accepted, ..kept(3) }).await.unwrap();
    store.put(Kept { expires: 50, ..kept(4) }).await.unwrap();
    store.change(&id(4), ended(20, State::Cancelled)).await.unwrap();
    let over = store.expire(100, 10).await.unwrap();
    assert_eq!(numbers(&over), [1, 3]);
    for record in &over {
        assert_eq!((record.summary.state, record.summary.ended), (State::Expired, 100));
    }
    assert_eq!(over[0].message, Some(event("message 1")), "for the report");
    assert_eq!(record(store, 1).await.message, None);
    assert!(store.expire(100, 10).await.unwrap().is_empty());
    assert_eq!(state(store, 2).await, State::Waiting);
    assert_eq!(state(store, 4).await, State::Cancelled);
}

async fn a_message_that_a_device_has_does_not_expire(store: &dyn Store) {
    store.put(kept(1)).await.unwrap();
    store.put(kept(2)).await.unwrap();
    store.change(&id(1), Change::Tried(vec![attempt(1, 202), attempt(2, 408)])).await.unwrap();
    store.change(&id(2), Change::Tried(vec![attempt(1, 199), attempt(2, 300)])).await.unwrap();
    let over = store.expire(5000, 10).await.unwrap();
    let states: Vec<_> = over.iter().map(|record| record.summary.state).collect();
    assert_eq!(states, [State::Delivered, State::Expired]);
    assert_eq!(over[0].summary.attempts, [attempt(1, 202), attempt(2, 408)]);
    assert_eq!((state(store, 1).await, state(store, 2).await), (State::Delivered, State::Expired));
}

async fn so_many_expire_at_once(store: &dyn Store) {
    for number in 1..=5 {
        store.put(kept(number)).await.unwrap();
    }
    assert_eq!(store.expire(1000, 3).await.unwrap().len(), 3);
    assert_eq!(store.counts().await.unwrap().of(State::Waiting), 2);
    assert_eq!(store.expire(1000, 3).await.unwrap().len(), 2);
    assert!(store.expire(1000, 0).await.unwrap().is_empty());
}

async fn what_ended_is_forgotten_in_time(store: &dyn Store) {
    store.put(Kept { origin: Some(1), ..kept(1) }).await.unwrap();
    store.put(kept(2)).await.unwrap();
    store.put(kept(3)).await.unwrap();
    store.change(&id(1), ended(100, State::Delivered)).await.unwrap();
    store.change(&id(2), ended(101, State::Delivered)).await.unwrap();
    assert_eq!(store.purge(101, 10).await, Ok(1));
    assert!(store.get(&id(1)).await.unwrap().is_none());
    assert_eq!(state(store, 2).await, State::Delivered);
    assert_eq!(state(store, 3).await, State::Waiting);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.of(State::Delivered), counts.of(State::Waiting)), (1, 1));
    let again = store.put(Kept { origin: Some(1), ..kept(1) }).await;
    assert_eq!(again, Ok(chappe_store::Put::Stored), "its origin is forgotten with it");
}

async fn so_many_are_forgotten_at_once(store: &dyn Store) {
    for number in 1..=5 {
        store.put(kept(number)).await.unwrap();
        store.change(&id(number), ended(1, State::Done)).await.unwrap();
    }
    assert_eq!(store.purge(2, 4).await, Ok(4));
    assert_eq!(store.purge(2, 4).await, Ok(1));
    assert_eq!(store.purge(2, 4).await, Ok(0));
}
