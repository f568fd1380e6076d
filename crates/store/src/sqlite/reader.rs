//! The thread that reads, so that nobody who lists messages holds up one who stores them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fault::{self, Fault};
use super::find::{Damaged, Found};
use super::job::Job;
use super::shared::Shared;
use super::writing::Writing;
use super::{messages, opening};
use crate::StoreError;

/// Something to be read, once so many jobs are written.
pub struct Read {
    pub after: u64,
    pub find: Box<dyn FnOnce(&Shared, Result<&Connection, StoreError>) -> Result<(), Fault> + Send>,
}

impl Read {
    pub fn new<T: Send + 'static>(
        after: u64,
        find: impl FnOnce(&Connection) -> Found<T> + Send + 'static,
        reply: oneshot::Sender<Result<T, StoreError>>,
    ) -> Self {
        let find = move |shared: &Shared, connection: Result<&Connection, StoreError>| {
            let found = match connection.map(find) {
                Ok(Ok(found)) => found,
                Ok(Err(fault)) => {
                    let _ = reply.send(Err(fault::error(&fault)));
                    return Err(fault);
                }
                Err(error) => {
                    let _ = reply.send(Err(error));
                    return Ok(());
                }
            };
            answer(shared, found, reply);
            Ok(())
        };
        Self { after, find: Box::new(find) }
    }
}

/// Hands out what was found, once what is damaged was refused.
fn answer<T: Send + 'static>(
    shared: &Shared,
    (found, damaged): (T, Vec<Damaged>),
    reply: oneshot::Sender<Result<T, StoreError>>,
) {
    let answer = move || drop(reply.send(Ok(found)));
    if damaged.is_empty() {
        return answer();
    }
    let refusing = Refusing { damaged, at: shared.latest(), then: Some(Box::new(answer)) };
    // Where that can't be written now, the next who comes across them tries again.
    let _ = shared.queue.push(Box::new(refusing), 0);
}

struct Refusing {
    damaged: Vec<Damaged>,
    at: i64,
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl Job for Refusing {
    fn run(&mut self, writing: &Writing) -> Result<(), Fault> {
        messages::refuse(writing, &self.damaged, self.at)
    }

    fn end(self: Box<Self>, _: Result<(), StoreError>) {}
}

impl Drop for Refusing {
    fn drop(&mut self) {
        if let Some(then) = self.then.take() {
            then();
        }
    }
}

/// Reads until nobody asks any more.
pub fn run(shared: &Arc<Shared>, reads: &Receiver<Read>) {
    let mut reader = Reader { opening: 0, connection: None };
    while let Ok(read) = reads.recv() {
        shared.progress.wait(read.after);
        if (read.find)(shared, reader.connection(shared)).is_err() {
            reader.connection = None;
        }
    }
}

struct Reader {
    /// Which opening of the file the connection belongs to.
    opening: u64,
    connection: Option<Connection>,
}

impl Reader {
    fn connection(&mut self, shared: &Shared) -> Result<&Connection, StoreError> {
        let opening = shared.opening.load(Ordering::Acquire);
        if opening == 0 {
            self.connection = None;
            return Err(shared.health.trouble().unwrap_or(StoreError::Closed));
        }
        if self.opening != opening {
            self.connection = None;
        }
        self.opening = opening;
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => {
                let connection = opening::open_to_read(&shared.path);
                Ok(none.insert(connection.map_err(|fault| fault::error(&fault))?))
            }
        }
    }
}
