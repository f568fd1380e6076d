//! What the disk, the operator and other programs can do to the file.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_event::{Event, EventName};
use chappe_store::{Change, Kept, MessageId, Put, SqliteOptions, SqliteStore, State, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

const BOB: &str = "bob@example.org";

fn id(number: usize) -> MessageId {
    MessageId::from(format!("{number:032x}").as_str())
}

fn kept(number: usize) -> Kept {
    let mut message = Event::new(EventName::Message);
    message.add("from", "1000@example.org");
    message.set_body(Some(vec![b'x'; 2000].into()));
    Kept {
        id: id(number),
        origin: Some(number as u128),
        recipient: BOB.into(),
        sender: "1000@example.org".into(),
        state: State::Waiting,
        accepted: 10,
        not_before: 0,
        expires: 1000,
        attempts: Vec::new(),
        message,
    }
}

/// A folder, and the file in it that a store is to be.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db").join("messages.db");
    (folder, path)
}

/// A store that looks every moment whether its trouble is over.
fn impatient(path: &Path) -> Arc<SqliteStore> {
    SqliteStore::open_with(path, quick())
}

fn quick() -> SqliteOptions {
    SqliteOptions { look_again: Duration::from_millis(1), ..SqliteOptions::default() }
}

async fn filled(path: &Path, messages: usize) {
    let store = SqliteStore::open(path);
    for number in 1..=messages {
        assert_eq!(store.put(kept(number)).await, Ok(Put::Stored));
    }
}

/// Puts one message until it is taken.
async fn recovers(store: &SqliteStore, number: usize) {
    let started = Instant::now();
    while store.put(kept(number)).await != Ok(Put::Stored) {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", store.trouble());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_restart_for_its_owner_alone() {
    let (_folder, path) = place();
    filled(&path, 3).await;
    let store = SqliteStore::open(&path);
    assert_eq!(store.waiting(BOB, 0, 0, 10).await.unwrap().len(), 3);
    assert_eq!(store.put(kept(2)).await, Ok(Put::Known(id(2), State::Waiting)));
    assert_eq!(store.put(kept(4)).await, Ok(Put::Stored));
    let places: Vec<_> =
        store.waiting(BOB, 0, 0, 10).await.unwrap().iter().map(|record| record.summary.place).collect();
    assert!(places.is_sorted_by(|one, other| one < other), "{places:?}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["messages.db", "messages.db-wal", "messages.db-shm", "messages.db.lock"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_over_once_there_is_space() {
    let (_folder, path) = place();
    let store = SqliteStore::open_with(&path, SqliteOptions { max_pages: Some(200), ..quick() });
    let mut last = 0;
    let error = loop {
        match store.put(kept(last + 1)).await {
            Ok(_) => last += 1,
            Err(error) => break error,
        }
        assert!(last < 1000);
    };
    assert_eq!((error, store.trouble()), (StoreError::Full, Some(StoreError::Full)));
    assert_eq!(store.flush().await, Err(StoreError::Full));
    assert_eq!(store.waiting(BOB, 0, 0, 1000).await.unwrap().len(), last, "reads go on");
    for number in 1..=last / 2 {
        let ended = Change::Ended { at: 20, state: State::Delivered, attempts: Vec::new() };
        assert_eq!(store.change(&id(number), ended).await, Ok(true), "what makes space is written");
    }
    recovers(&store, 5000).await;
    assert_eq!(store.trouble(), None);
    assert_eq!(store.waiting(BOB, 0, 0, 1000).await.unwrap().len(), last - last / 2 + 1);
}

#[tokio::test]
async fn a_folder_that_can_not_be_written_is_told() {
    let store = SqliteStore::open(Path::new("/sys/chappe/messages.db"));
    assert_eq!(store.trouble(), Some(StoreError::ReadOnly));
    assert_eq!(store.put(kept(1)).await, Err(StoreError::ReadOnly));
    assert_eq!(store.lines().await, Err(StoreError::ReadOnly));
    assert_eq!(store.flush().await, Err(StoreError::ReadOnly));
}

/// The store refuses the file, leaves it as it is, and begins a new one once it was moved away.
async fn refused(path: &Path, words: &[&str]) {
    let before = fs::read(path).unwrap();
    let store = impatient(path);
    let trouble = store.trouble();
    let Some(StoreError::Corrupt(why)) = &trouble else { panic!("{trouble:?}") };
    assert!(words.iter().all(|word| why.contains(word)), "{why}");
    assert!(matches!(store.put(kept(100)).await, Err(StoreError::Corrupt(_))));
    assert!(matches!(store.waiting(BOB, 0, 0, 10).await, Err(StoreError::Corrupt(_))));
    assert_eq!(fs::read(path).unwrap(), before);
    fs::rename(path, path.with_extension("away")).unwrap();
    recovers(&store, 100).await;
    assert_eq!(store.trouble(), None);
    assert_eq!(store.counts().await.unwrap().unfinished(), 1);
}

#[tokio::test]
async fn a_damaged_file_is_left_where_it_is() {
    let (_folder, path) = place();
    filled(&path, 3).await;
    let mut octets = fs::read(&path).unwrap();
    octets[100..4096].fill(0x5a);
    fs::write(&path, octets).unwrap();
    refused(&path, &["messages.db", "move", "away"]).await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_where_it_is() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "a letter\n".repeat(1000)).unwrap();
    refused(&path, &["messages.db", "is no database", "move"]).await;
}

#[tokio::test]
async fn the_database_of_another_program_is_left_alone() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE message (a)").unwrap();
    refused(&path, &["another program"]).await;
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    filled(&path, 1).await;
}

#[tokio::test]
async fn the_file_of_a_later_chappe_is_not_touched() {
    let (_folder, path) = place();
    filled(&path, 1).await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    let store = SqliteStore::open(&path);
    let newer = StoreError::Newer { path: path.clone(), found: 99, known: 2 };
    assert_eq!(store.trouble(), Some(newer.clone()));
    assert_eq!(store.put(kept(2)).await, Err(newer));
    drop(store);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn two_servers_do_not_share_a_file() {
    let (_folder, path) = place();
    let first = SqliteStore::open(&path);
    let second = impatient(&path);
    let Some(StoreError::Failed(why)) = second.trouble() else { panic!("{:?}", second.trouble()) };
    assert!(why.contains("in use by another"), "{why}");
    assert!(second.put(kept(1)).await.is_err());
    assert_eq!(first.put(kept(1)).await, Ok(Put::Stored));
    drop(first);
    recovers(&second, 2).await;
    assert_eq!(second.waiting(BOB, 0, 0, 10).await.unwrap().len(), 2);
}

/// Damages what SQL says of the second of three messages, which is refused then, and the others go on.
async fn one_damaged(sql: &str) {
    let (_folder, path) = place();
    filled(&path, 3).await;
    assert!(Connection::open(&path).unwrap().execute(sql, []).unwrap() > 0);
    let store = SqliteStore::open(&path);
    let waiting = store.waiting(BOB, 500, 0, 10).await.unwrap();
    let names: Vec<_> = waiting.iter().map(|record| record.summary.id.clone()).collect();
    assert_eq!(names, [id(1), id(3)], "{sql}");
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.of(State::Waiting), counts.of(State::Refused)), (2, 1), "{sql}");
    assert_eq!(store.lines().await.unwrap()[0].count, 2, "{sql}");
    assert_eq!(store.expire(2000, 10).await.unwrap().len(), 2, "{sql}");
    assert_eq!(store.purge(5000, 10).await, Ok(3), "{sql}");
    assert_eq!(store.trouble(), None);
}

#[tokio::test]
async fn a_damaged_message_is_refused_and_the_others_go_on() {
    let flipped = "substr(octets, 1, 99) || x'00' || substr(octets, 101)";
    one_damaged(&format!("UPDATE payload SET octets = CAST({flipped} AS BLOB) WHERE place = 2")).await;
    one_damaged("UPDATE payload SET octets = x'' WHERE place = 2").await;
    one_damaged("DELETE FROM payload WHERE place = 2").await;
    one_damaged("UPDATE message SET sender = 'mallory@example.org' WHERE place = 2").await;
    one_damaged("UPDATE message SET expires = 999 WHERE place = 2").await;
    one_damaged("UPDATE message SET id = x'00' WHERE place = 2").await;
    one_damaged("UPDATE message SET tries = -1 WHERE place = 2").await;
}

#[tokio::test]
async fn a_damaged_message_that_is_over_is_refused_too() {
    let (_folder, path) = place();
    filled(&path, 2).await;
    Connection::open(&path).unwrap().execute("DELETE FROM payload WHERE place = 1", []).unwrap();
    let store = SqliteStore::open(&path);
    assert_eq!(store.expire(2000, 10).await.unwrap().len(), 1);
    let refused = store.get(&id(1)).await.unwrap().unwrap().summary;
    assert_eq!((refused.state, refused.ended), (State::Refused, 2000));
}

#[tokio::test]
async fn a_change_that_fails_fails_alone() {
    let (_folder, path) = place();
    filled(&path, 1).await;
    let trap = "CREATE TRIGGER trap BEFORE INSERT ON message WHEN new.sender = 'poison'
                BEGIN SELECT RAISE(ABORT, 'poisoned'); END";
    Connection::open(&path).unwrap().execute_batch(trap).unwrap();
    let store = SqliteStore::open(&path);
    let puts: Vec<_> = (2..30)
        .map(|number| {
            let sender = if number % 7 == 0 { "poison" } else { "1000" };
            (sender, store.put(Kept { sender: sender.into(), ..kept(number) }))
        })
        .collect();
    for (sender, put) in puts {
        match (sender, put.await) {
            ("poison", Err(StoreError::Failed(why))) => assert!(why.contains("poisoned"), "{why}"),
            (_, result) => assert_eq!(result, Ok(Put::Stored)),
        }
    }
    assert_eq!(store.trouble(), None, "it was that change's own fault");
    assert_eq!(store.counts().await.unwrap().unfinished(), 25);
}

#[tokio::test]
async fn a_file_that_was_moved_away_is_noticed() {
    let (_folder, path) = place();
    let store = impatient(&path);
    assert_eq!(store.put(kept(1)).await, Ok(Put::Stored));
    for name in ["messages.db", "messages.db-wal", "messages.db-shm"] {
        fs::rename(path.with_file_name(name), path.with_file_name(format!("old-{name}"))).unwrap();
    }
    recovers(&store, 2).await;
    drop(store);
    let store = SqliteStore::open(&path);
    assert!(store.get(&id(2)).await.unwrap().is_some(), "it is where it will be looked for");
}

#[tokio::test]
async fn beyond_what_may_wait_a_change_is_refused_at_once() {
    let (_folder, path) = place();
    let store = SqliteStore::open_with(&path, SqliteOptions { max_queue: 0, ..SqliteOptions::default() });
    assert_eq!(store.put(kept(1)).await, Err(StoreError::Busy));
    assert_eq!(store.trouble(), None);
}

#[tokio::test]
async fn what_was_asked_is_written_though_nobody_waits() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path);
    (1..=100).for_each(|number| drop(store.put(kept(number))));
    drop(store);
    assert_eq!(SqliteStore::open(&path).counts().await.unwrap().unfinished(), 100);
}
