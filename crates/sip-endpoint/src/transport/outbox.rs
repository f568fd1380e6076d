//! What waits to be written to one connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::limits::WRITE;
use super::ws;

/// Messages that may wait. When there are more the connection is closed: a peer that reads that slowly would hold up
/// memory without bound.
const MESSAGES: usize = 1024;
/// Octets that may wait, for the same reason.
const OCTETS: usize = 1 << 20;

/// What is written.
pub enum Out {
    Message(Bytes),
    /// Octets as they are: keep-alives, control frames.
    Raw(Bytes),
}

/// The way in.
pub struct Outbox {
    queue: mpsc::Sender<Out>,
    octets: Arc<AtomicUsize>,
}

/// The way out, for the connection's task.
pub struct Waiting {
    queue: mpsc::Receiver<Out>,
    octets: Arc<AtomicUsize>,
}

/// What could not be given to a connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsent;

pub fn new() -> (Outbox, Waiting) {
    let (sender, queue) = mpsc::channel(MESSAGES);
    let octets = Arc::new(AtomicUsize::new(0));
    (Outbox { queue: sender, octets: octets.clone() }, Waiting { queue, octets })
}

impl Outbox {
    /// `Err`: the peer reads too slowly, or the connection is gone.
    pub fn put(&self, out: Out) -> Result<(), Unsent> {
        let length = out.octets().len();
        let before = self.octets.fetch_add(length, Ordering::Relaxed);
        // A message that is larger than the limit can leave, but alone.
        if before > 0 && before + length > OCTETS || self.queue.try_send(out).is_err() {
            self.octets.fetch_sub(length, Ordering::Relaxed);
            return Err(Unsent);
        }
        Ok(())
    }
}

impl Out {
    fn octets(&self) -> &Bytes {
        let (Self::Message(bytes) | Self::Raw(bytes)) = self;
        bytes
    }
}

impl Waiting {
    /// Writes until the outbox is gone and everything was written, then ends the stream.
    pub async fn write(mut self, mut output: impl AsyncWrite + Unpin, framed: bool) -> io::Result<()> {
        while let Some(out) = self.queue.recv().await {
            let length = out.octets().len();
            timeout(WRITE, write(&mut output, &out, framed)).await??;
            self.octets.fetch_sub(length, Ordering::Relaxed);
            if self.queue.is_empty() {
                timeout(WRITE, output.flush()).await??;
            }
        }
        timeout(WRITE, output.shutdown()).await?
    }
}

async fn write(output: &mut (impl AsyncWrite + Unpin), out: &Out, framed: bool) -> io::Result<()> {
    match out {
        Out::Message(bytes) if framed => output.write_all(&ws::frame(bytes)).await,
        _ => output.write_all(out.octets()).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_peer_has_so_much_waiting_for_it() {
        let (outbox, mut waiting) = new();
        let put = |length: usize| outbox.put(Out::Message(vec![0; length].into())).is_ok();
        assert!(put(2 * OCTETS), "a large message may leave alone");
        assert!(!put(1));
        waiting.octets.fetch_sub(2 * OCTETS, Ordering::Relaxed);
        assert!(put(OCTETS) && !put(1));
        waiting.queue.close();
        while waiting.queue.try_recv().is_ok() {}
        assert!(!put(0), "the connection is gone");
    }

    #[test]
    fn a_slow_peer_has_so_many_waiting_for_it() {
        let (outbox, _waiting) = new();
        let put = || outbox.put(Out::Raw(Bytes::from_static(b"\r\n"))).is_ok();
        assert!((0..MESSAGES).all(|_| put()) && !put());
    }
}
