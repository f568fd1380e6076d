//! The table on disk. FreeSWITCH mod_db.c: the same file and the same tables, so that its data can be taken over.

mod open;
mod query;

use std::future::Future;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::TableError;
use crate::bounds::MAX_WAITING;
use crate::error::fits;

/// What the file is called; FreeSWITCH's name.
pub const FILE: &str = "call_limit.db";

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// An SQLite file, and the one thread that works on it. At most [`MAX_WAITING`] questions wait; one more is told
/// [`TableError::Busy`]. When it is dropped the thread ends after those that wait.
pub struct Database {
    jobs: SyncSender<Job>,
    /// Who writes, as FreeSWITCH's column `hostname` has it.
    host: String,
}

impl Database {
    /// Opens [`FILE`] in `folder`, both of which are made if need be. Blocks.
    pub fn open(folder: &Path, host: &str) -> Result<Self, TableError> {
        let mut connection = open::open(folder)?;
        let (jobs, waiting) = sync_channel::<Job>(MAX_WAITING);
        let work = move || {
            for job in waiting {
                job(&mut connection);
            }
        };
        thread::Builder::new().name("db".to_owned()).spawn(work).map_err(TableError::Thread)?;
        Ok(Self { jobs, host: host.to_owned() })
    }

    /// Keeps a value in the place of any other.
    pub fn insert(
        &self,
        realm: &str,
        key: &str,
        value: &str,
    ) -> impl Future<Output = Result<(), TableError>> + use<> {
        let fits = fits(realm, key, value);
        let row = [self.host.as_str(), realm, key, value].map(str::to_owned);
        self.ask(move |connection| {
            fits?;
            query::insert(connection, &row)
        })
    }

    pub fn delete(&self, realm: &str, key: &str) -> impl Future<Output = Result<(), TableError>> + use<> {
        let row = [realm, key].map(str::to_owned);
        self.ask(move |connection| query::delete(connection, &row))
    }

    pub fn select(
        &self,
        realm: &str,
        key: &str,
    ) -> impl Future<Output = Result<Option<String>, TableError>> + use<> {
        let row = [realm, key].map(str::to_owned);
        self.ask(move |connection| query::select(connection, &row))
    }

    /// How many keys a realm has, or how many realms there are.
    pub fn count(&self, realm: Option<&str>) -> impl Future<Output = Result<i64, TableError>> + use<> {
        let realm = realm.map(str::to_owned);
        self.ask(move |connection| query::count(connection, realm.as_deref()))
    }

    /// A realm's keys, or the realms.
    pub fn list(&self, realm: Option<&str>) -> impl Future<Output = Result<Vec<String>, TableError>> + use<> {
        let realm = realm.map(str::to_owned);
        self.ask(move |connection| query::list(connection, realm.as_deref()))
    }

    /// Adds an address to a group, once.
    pub fn group_insert(
        &self,
        group: &str,
        url: &str,
    ) -> impl Future<Output = Result<(), TableError>> + use<> {
        let fits = fits(group, "", url);
        let row = [self.host.as_str(), group, url].map(str::to_owned);
        self.ask(move |connection| {
            fits?;
            query::group_insert(connection, &row)
        })
    }

    /// Takes an address out of a group, or with `None` all of them.
    pub fn group_delete(
        &self,
        group: &str,
        url: Option<&str>,
    ) -> impl Future<Output = Result<(), TableError>> + use<> {
        let (group, url) = (group.to_owned(), url.map(str::to_owned));
        self.ask(move |connection| query::group_delete(connection, &group, url.as_deref()))
    }

    /// A group's addresses.
    pub fn group(&self, group: &str) -> impl Future<Output = Result<Vec<String>, TableError>> + use<> {
        let group = group.to_owned();
        self.ask(move |connection| query::group(connection, &group))
    }

    /// Has the thread do `work`. It is done even when nobody waits for the answer any more.
    fn ask<T, W>(&self, work: W) -> impl Future<Output = Result<T, TableError>> + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&mut Connection) -> Result<T, TableError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            // Nobody waits any more when the message is gone.
            let _ = answer.send(work(connection));
        });
        let sent = self.jobs.try_send(job);
        async move {
            match sent {
                Ok(()) => answered.await.unwrap_or(Err(TableError::Closed)),
                Err(TrySendError::Full(_)) => Err(TableError::Busy),
                Err(TrySendError::Disconnected(_)) => Err(TableError::Closed),
            }
        }
    }
}
