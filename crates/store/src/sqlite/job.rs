//! A change that somebody waits for.

use tokio::sync::oneshot;

use super::fault::Fault;
use super::writing::Writing;
use crate::{Done, StoreError};

/// Something to be written with others in one transaction.
pub trait Job: Send {
    /// Does it; again from the start when the transaction has to be begun again.
    fn run(&mut self, writing: &Writing) -> Result<(), Fault>;

    /// What became of it. `Ok`: it is on the disk.
    fn end(self: Box<Self>, result: Result<(), StoreError>);
}

/// A job whose result goes to a future.
pub struct Asked<T, F> {
    run: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Asked<T, F>
where
    T: Send + 'static,
    F: Fn(&Writing) -> Result<T, Fault> + Send + 'static,
{
    pub fn new(run: F) -> (Box<Self>, Done<T>) {
        let (reply, done) = oneshot::channel();
        (Box::new(Self { run, result: None, reply }), future(done))
    }
}

impl<T, F> Job for Asked<T, F>
where
    T: Send + 'static,
    F: Fn(&Writing) -> Result<T, Fault> + Send + 'static,
{
    fn run(&mut self, writing: &Writing) -> Result<(), Fault> {
        self.result = Some((self.run)(writing)?);
        Ok(())
    }

    fn end(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { result: done, reply, .. } = *self;
        // Whoever asked may have gone: what was done is done.
        let _ = reply.send(result.and_then(|()| done.ok_or(StoreError::Closed)));
    }
}

pub fn future<T: Send + 'static>(done: oneshot::Receiver<Result<T, StoreError>>) -> Done<T> {
    Box::pin(async { done.await.unwrap_or(Err(StoreError::Closed)) })
}

pub fn ready<T: Send + 'static>(result: Result<T, StoreError>) -> Done<T> {
    Box::pin(std::future::ready(result))
}
