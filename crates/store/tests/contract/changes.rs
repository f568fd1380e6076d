use chappe_store::{Change, Kept, Record, State, Store};

use crate::make::{attempt, ended, event, id, kept, numbers, record, state};

crate::contract! {
    tries_are_written_down,
    the_earliest_of_many_tries_go,
    a_planned_message_waits_as_the_plan_has_it,
    an_ended_message_keeps_its_story_alone,
    a_final_state_stays,
    a_message_that_is_not_there_is_not_changed,
    changes_take_effect_in_their_order,
}

async fn tries_are_written_down(store: &dyn Store) {
    store.put(Kept { attempts: vec![attempt(1, 408)], ..kept(1) }).await.unwrap();
    assert_eq!(store.change(&id(1), Change::Tried(vec![attempt(2, 0), attempt(3, 486)])).await, Ok(true));
    assert_eq!(store.change(&id(1), Change::Tried(Vec::new())).await, Ok(true));
    let Record { summary, message } = record(store, 1).await;
    assert_eq!(summary.attempts, [attempt(1, 408), attempt(2, 0), attempt(3, 486)]);
    assert_eq!((summary.tries, summary.state), (3, State::Waiting));
    assert_eq!(message, Some(event("message 1")));
}

async fn the_earliest_of_many_tries_go(store: &dyn Store) {
    let most = Record::MAX_ATTEMPTS as i64;
    store.put(Kept { attempts: (1..=most + 5).map(|at| attempt(at, 0)).collect(), ..kept(1) }).await.unwrap();
    let first = record(store, 1).await.summary;
    assert_eq!(first.attempts, (6..=most + 5).map(|at| attempt(at, 0)).collect::<Vec<_>>());
    for at in most + 6..=most + 10 {
        store.change(&id(1), Change::Tried(vec![attempt(at, 0)])).await.unwrap();
    }
    let then = record(store, 1).await.summary;
    assert_eq!(then.attempts, (11..=most + 10).map(|at| attempt(at, 0)).collect::<Vec<_>>());
    assert_eq!(i64::from(then.tries), most + 10);
    let flood = (1001..=1000 + 2 * most).map(|at| attempt(at, 0)).collect();
    store.change(&id(1), Change::Tried(flood)).await.unwrap();
    let last = record(store, 1).await.summary;
    assert_eq!(last.attempts, (1001 + most..=1000 + 2 * most).map(|at| attempt(at, 0)).collect::<Vec<_>>());
    assert_eq!(i64::from(last.tries), 3 * most + 10);
}

async fn a_planned_message_waits_as_the_plan_has_it(store: &dyn Store) {
    store.put(Kept { state: State::Accepted, origin: Some(5), ..kept(1) }).await.unwrap();
    assert_eq!(numbers(&store.accepted(0, 10).await.unwrap()), [1]);
    assert!(store.lines().await.unwrap().is_empty());
    let planned = Change::Planned {
        recipient: "carol@example.org".into(),
        not_before: 50,
        message: event("planned"),
        attempts: vec![attempt(1, 0)],
    };
    assert_eq!(store.change(&id(1), planned).await, Ok(true));
    assert!(store.accepted(0, 10).await.unwrap().is_empty());
    assert!(store.waiting("carol@example.org", 49, 0, 10).await.unwrap().is_empty());
    let waiting = store.waiting("carol@example.org", 50, 0, 10).await.unwrap();
    assert_eq!(waiting[0].message, Some(event("planned")));
    assert_eq!(waiting[0].summary.attempts, [attempt(1, 0)]);
    assert_eq!((waiting[0].summary.accepted, waiting[0].summary.expires), (10, 1000));
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.of(State::Accepted), counts.of(State::Waiting)), (0, 1));
}

async fn an_ended_message_keeps_its_story_alone(store: &dyn Store) {
    store.put(kept(1)).await.unwrap();
    let delivered = Change::Ended { at: 30, state: State::Delivered, attempts: vec![attempt(30, 200)] };
    assert_eq!(store.change(&id(1), delivered).await, Ok(true));
    let Record { summary, message } = record(store, 1).await;
    assert_eq!(message, None);
    assert_eq!((summary.state, summary.ended), (State::Delivered, 30));
    assert!(summary.is_delivered());
    assert_eq!(&*summary.recipient, "bob@example.org");
    assert!(store.waiting("bob@example.org", 100, 0, 10).await.unwrap().is_empty());
}

async fn a_final_state_stays(store: &dyn Store) {
    let finals = State::ALL.into_iter().filter(|state| state.is_final());
    for (number, last) in (1..).zip(finals) {
        store.put(kept(number)).await.unwrap();
        assert_eq!(store.change(&id(number), ended(20, last)).await, Ok(true));
        let before = record(store, number).await.summary;
        let planned = Change::Planned {
            recipient: "carol@example.org".into(),
            not_before: 0,
            message: event("planned"),
            attempts: Vec::new(),
        };
        for change in [Change::Tried(vec![attempt(1, 0)]), planned, ended(40, State::Cancelled)] {
            assert_eq!(store.change(&id(number), change).await, Ok(false));
        }
        assert_eq!(record(store, number).await.summary, before);
    }
}

async fn a_message_that_is_not_there_is_not_changed(store: &dyn Store) {
    assert_eq!(store.change(&id(1), Change::Tried(vec![attempt(1, 0)])).await, Ok(false));
    assert_eq!(store.change(&id(1), ended(1, State::Done)).await, Ok(false));
    assert_eq!(store.counts().await, Ok(chappe_store::Counts::default()));
}

async fn changes_take_effect_in_their_order(store: &dyn Store) {
    let put = store.put(kept(1));
    let tried = store.change(&id(1), Change::Tried(vec![attempt(1, 0)]));
    let ended_ = store.change(&id(1), ended(2, State::Refused));
    let late = store.change(&id(1), ended(3, State::Delivered));
    let read = store.get(&id(1));
    let read = read.await.unwrap().expect("a read sees what was asked before it");
    assert_eq!((read.summary.state, read.summary.tries), (State::Refused, 1));
    assert_eq!((tried.await, ended_.await, late.await), (Ok(true), Ok(true), Ok(false)));
    put.await.unwrap();
    assert_eq!(state(store, 1).await, State::Refused);
}
