//! Many at once.

use std::sync::Arc;

use chappe_store::{Kept, MemoryStore, Put, SqliteStore, State, Store};

use crate::make::{ended, id, kept, to};

const TASKS: u128 = 16;
const EACH: u128 = 40;

/// Puts, each followed by a read that must see it, and a change of every other.
async fn crowd(store: Arc<dyn Store>) {
    let tasks = (0..TASKS).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let recipient = format!("{task}@example.org");
            for one in 0..EACH {
                let number = task * EACH + one + 1;
                let kept = Kept { origin: Some(number), ..to(&recipient, number) };
                assert_eq!(store.put(kept).await, Ok(Put::Stored));
                let waiting = store.waiting(&recipient, 0, 0, 1000).await.unwrap();
                assert_eq!(waiting.last().unwrap().summary.id, id(number));
                if one % 2 == 0 {
                    assert_eq!(store.change(&id(number), ended(20, State::Delivered)).await, Ok(true));
                    assert_eq!(
                        store.get(&id(number)).await.unwrap().unwrap().summary.state,
                        State::Delivered
                    );
                }
            }
            assert_eq!(store.waiting(&recipient, 0, 0, 1000).await.unwrap().len() as u128, EACH / 2);
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let counts = store.counts().await.unwrap();
    assert_eq!(u128::from(counts.of(State::Waiting)), TASKS * EACH / 2);
    assert_eq!(u128::from(counts.of(State::Delivered)), TASKS * EACH / 2);
}

/// Of many that put the same message one is first, and all others hear of that one.
async fn rivals(store: Arc<dyn Store>) {
    let tasks: Vec<_> = (1..=TASKS)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.put(Kept { origin: Some(1), ..kept(number) }).await.unwrap() })
        })
        .collect();
    let mut known = Vec::new();
    for task in tasks {
        known.extend(match task.await.unwrap() {
            Put::Stored => None,
            Put::Known(id, _) => Some(id),
        });
    }
    assert_eq!(known.len() as u128, TASKS - 1);
    assert!(known.iter().all(|id| *id == known[0]));
    assert!(store.get(&known[0]).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory() {
    crowd(Arc::new(MemoryStore::default())).await;
    rivals(Arc::new(MemoryStore::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    crowd(SqliteStore::open(&folder.path().join("crowd.db"))).await;
    rivals(SqliteStore::open(&folder.path().join("rivals.db"))).await;
}
