//! The store in an SQLite file.

mod attempts;
mod bindings;
mod code;
mod event;
mod fault;
mod find;
mod health;
mod job;
mod messages;
mod opening;
mod options;
mod queue;
mod reader;
mod row;
mod schema;
mod shared;
mod writer;
mod writing;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use self::fault::Fault;
use self::find::Found;
use self::job::{Asked, future, ready};
use self::messages::{NewMessage, RowChange};
pub use self::options::SqliteOptions;
use self::reader::Read;
use self::row::Key;
use self::shared::Shared;
use self::writer::Writer;
use self::writing::Writing;
use crate::{
    Change, Counts, Done, Filter, Kept, KeptBinding, Line, MessageId, Micros, Pieces, Put, Record, Store,
    StoreError, Summary,
};

/// Reads that may wait; beyond: [`StoreError::Busy`].
const MAX_READS: usize = 4096;

/// Keeps everything in an SQLite file, which survives a power cut.
///
/// One thread writes. It takes all that waits (at most 1,024 changes or 8 MiB), writes it in one transaction, syncs once,
/// and then resolves the futures: the more is asked at once, the less a change costs. What waits is bounded
/// ([`SqliteOptions::max_queue`], 64 MiB of messages); beyond, a change is [`StoreError::Busy`]. A change that fails fails
/// alone: the others of its transaction are written without it. Bindings wait for half a second for messages to be
/// written along with, 4,096 in a transaction, and 1,000,000 of them at most: those beyond are lost, and their devices
/// register again.
///
/// Another thread reads, on a connection of its own: a read sees every change that was asked for before it, and neither
/// waits for later ones nor holds them up. At most 4,096 reads wait; beyond: [`StoreError::Busy`].
///
/// [`open`](Self::open) and the last drop block, until the file was tried to open and until all that was asked for is
/// written. Nothing else does.
///
/// When the file can't be opened or written, [`Store::trouble`] says why, changes fail with it, and the store looks once a
/// second whether it is over. A file that is damaged, of a later chappe, or of another program is left as it is.
pub struct SqliteStore {
    shared: Arc<Shared>,
    /// `None`: reads share the writer's connection; and while the store is dropped.
    reads: Option<SyncSender<Read>>,
    reader: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the file, which is made when it is not there. Whether that went well, [`Store::trouble`] says.
    pub fn open(path: &Path) -> Arc<Self> {
        Self::open_with(path, SqliteOptions::default())
    }

    /// [`open`](Self::open), otherwise than usual.
    pub fn open_with(path: &Path, options: SqliteOptions) -> Arc<Self> {
        let shares = options.vfs.is_some();
        let shared = Arc::new(Shared::new(path.to_owned(), options));
        let (opened, tried) = sync_channel(1);
        let writing = shared.clone();
        let writer = spawn(&shared, "store-writer", move || Writer::run(writing, &opened));
        // An error says that the thread has ended, and the store is closed.
        let _ = tried.recv();
        let (mut reads, mut reader) = (None, None);
        if !shares {
            let (send, receive) = sync_channel(MAX_READS);
            let reading = shared.clone();
            reads = Some(send);
            reader = spawn(&shared, "store-reader", move || reader::run(&reading, &receive));
        }
        Arc::new(Self { shared, reads, reader, writer })
    }

    /// Transactions so far: each has cost one sync.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    fn change<T: Send + 'static>(
        &self,
        octets: usize,
        change: impl Fn(&Writing) -> Result<T, Fault> + Send + 'static,
    ) -> Done<T> {
        let (job, done) = Asked::new(change);
        match self.shared.queue.push(job, octets) {
            Ok(()) => done,
            Err(error) => ready(Err(error)),
        }
    }

    fn behind_bindings<T: Send + 'static>(
        &self,
        change: impl Fn(&Writing) -> Result<T, Fault> + Send + 'static,
    ) -> Done<T> {
        let (job, done) = Asked::new(change);
        match self.shared.queue.push_behind_bindings(job) {
            Ok(()) => done,
            Err(error) => ready(Err(error)),
        }
    }

    fn read<T: Send + 'static>(&self, find: impl Fn(&Connection) -> Found<T> + Send + 'static) -> Done<T> {
        let Some(reads) = &self.reads else {
            let shared = self.shared.clone();
            return self.change(0, move |writing| {
                writing.settle()?;
                let (found, damaged) = find(&writing.connection)?;
                messages::refuse(writing, &damaged, shared.latest())?;
                Ok(found)
            });
        };
        let (reply, done) = oneshot::channel();
        match reads.try_send(Read::new(self.shared.queue.asked(), find, reply)) {
            Ok(()) => future(done),
            Err(TrySendError::Full(_)) => ready(Err(StoreError::Busy)),
            Err(TrySendError::Disconnected(_)) => ready(Err(StoreError::Closed)),
        }
    }
}

/// A thread of the store; without one, the store is in trouble for good.
fn spawn(shared: &Shared, name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let spawned = thread::Builder::new().name(name.into()).spawn(work);
    let spawned = spawned.map_err(|error| {
        shared.queue.abandon();
        shared.health.begin(fault::of_system(&error, "start a thread"));
    });
    spawned.ok()
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The reader first: what it waits for is still written then, and the writer closes the file as the last.
        self.reads = None;
        let reader = self.reader.take().map(JoinHandle::join);
        self.shared.queue.close();
        let writer = self.writer.take().map(JoinHandle::join);
        if [reader, writer].into_iter().flatten().any(|ended| ended.is_err()) {
            tracing::error!("a thread of the store has died");
        }
    }
}

impl Store for SqliteStore {
    fn put(&self, kept: Kept) -> Done<Put> {
        self.shared.heard(kept.accepted);
        let new = NewMessage::new(kept);
        self.change(new.octets(), move |writing| messages::put(writing, &new))
    }

    fn change(&self, id: &MessageId, change: Change) -> Done<bool> {
        if let Change::Ended { at, .. } = change {
            self.shared.heard(at);
        }
        let key = Key::of(id);
        let change = RowChange::new(&key, change);
        self.change(change.octets(), move |writing| messages::change(writing, &key, &change))
    }

    fn waiting(&self, recipient: &str, now: Micros, after: i64, limit: usize) -> Done<Vec<Record>> {
        self.shared.heard(now);
        let recipient: Box<str> = recipient.into();
        self.read(move |connection| find::waiting(connection, &recipient, now, after, limit))
    }

    fn accepted(&self, after: i64, limit: usize) -> Done<Vec<Record>> {
        self.read(move |connection| find::accepted(connection, after, limit))
    }

    fn lines(&self) -> Done<Vec<Line>> {
        self.read(find::lines)
    }

    fn become_due(&self, after: Micros, until: Micros) -> Done<Vec<Arc<str>>> {
        self.read(move |connection| find::become_due(connection, after, until))
    }

    fn expire(&self, now: Micros, limit: usize) -> Done<Vec<Record>> {
        self.shared.heard(now);
        self.change(0, move |writing| messages::expire(writing, now, limit))
    }

    fn get(&self, id: &MessageId) -> Done<Option<Record>> {
        let key = Key::of(id);
        self.read(move |connection| find::get(connection, &key))
    }

    fn list(&self, filter: Filter, after: i64, limit: usize) -> Done<Vec<Summary>> {
        self.read(move |connection| find::list(connection, &filter, after, limit))
    }

    fn counts(&self) -> Done<Counts> {
        self.read(find::counts)
    }

    fn purge(&self, before: Micros, limit: usize) -> Done<u64> {
        self.change(0, move |writing| messages::purge(writing, before, limit))
    }

    fn bind(&self, binding: KeptBinding) {
        self.shared.queue.bind(binding.key(), Some(binding));
    }

    fn unbind(&self, profile: &str, aor: &str, contact: &str, flow: &str) {
        self.shared.queue.bind((profile.into(), aor.into(), contact.into(), flow.into()), None);
    }

    fn each_binding(&self, profile: &str, now: Micros, pieces: Pieces) -> Done<()> {
        self.shared.heard(now);
        let (profile, pieces): (Arc<str>, _) = (profile.into(), Mutex::new(pieces));
        self.behind_bindings(move |writing| {
            bindings::live(&writing.connection, &profile, now, &mut pieces.lock())
        })
    }

    fn recent(&self, since: Micros, limit: usize) -> Done<Vec<MessageId>> {
        self.read(move |connection| find::recent(connection, since, limit))
    }

    fn trouble(&self) -> Option<StoreError> {
        self.shared.health.trouble()
    }

    fn flush(&self) -> Done<()> {
        if let Some(trouble) = self.trouble() {
            return ready(Err(trouble));
        }
        self.behind_bindings(|_| Ok(()))
    }
}
