//! A thread that writes, so that nobody who logs waits for a terminal or a disk.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use chappe_event::LogLine;

/// Lines that may wait to be written. When it is full, lines are dropped and counted; the count is written as a line of
/// its own as soon as there is room.
const CAPACITY: usize = 8192;

/// How long [`Writer::flush`] waits for a medium that does not take anything.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the thread lets lines gather after it has written some. Whoever logs while it does wakes nobody, which costs more than
/// the line; a line after a pause is written at once.
const GATHERING: Duration = Duration::from_millis(2);

enum Job {
    Line(Arc<LogLine>),
    Reopen,
    Flush(SyncSender<()>),
}

/// What the thread writes to.
pub trait Medium: Send + 'static {
    fn write(&mut self, line: &LogLine) -> io::Result<()>;
    /// So many lines were lost just before.
    fn write_loss(&mut self, lost: u64) -> io::Result<()>;
    fn flush(&mut self) -> io::Result<()>;
    /// SIGHUP: begin a new file, or open the old name again.
    fn reopen(&mut self) {}
}

/// The sending side. The thread ends when the last one is dropped.
pub struct Writer {
    jobs: SyncSender<Job>,
    lost: Arc<AtomicU64>,
}

impl Writer {
    pub fn start(name: &str, medium: impl Medium) -> io::Result<Self> {
        let (jobs, queue) = sync_channel(CAPACITY);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&queue, &counted, medium))?;
        Ok(Self { jobs, lost })
    }

    /// Never blocks.
    pub fn write(&self, line: &Arc<LogLine>) {
        if let Err(TrySendError::Full(_)) = self.jobs.try_send(Job::Line(line.clone())) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn reopen(&self) {
        // A full queue loses lines anyway; a rotation can be asked for again.
        let _ = self.jobs.try_send(Job::Reopen);
    }

    /// Waits, for a moment at most, until what was logged so far is written.
    pub fn flush(&self) {
        let until = Instant::now() + PATIENCE;
        let (done, written) = sync_channel(1);
        let mut job = Job::Flush(done);
        while let Err(TrySendError::Full(refused)) = self.jobs.try_send(job) {
            if Instant::now() >= until {
                return;
            }
            job = refused;
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = written.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

fn work(queue: &Receiver<Job>, lost: &AtomicU64, mut medium: impl Medium) {
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some(job) = next {
            handle(job, lost, &mut medium);
            next = queue.try_recv().ok();
        }
        // There is nobody to tell of a medium that can't be written to.
        let _ = medium.flush();
        std::thread::sleep(GATHERING);
    }
}

fn handle(job: Job, lost: &AtomicU64, medium: &mut impl Medium) {
    let lost = lost.swap(0, Ordering::Relaxed);
    if lost > 0 {
        let _ = medium.write_loss(lost);
    }
    let _ = match job {
        Job::Line(line) => medium.write(&line),
        Job::Reopen => {
            medium.reopen();
            Ok(())
        }
        Job::Flush(done) => {
            let flushed = medium.flush();
            let _ = done.try_send(());
            flushed
        }
    };
}

/// The line that stands for `lost` others.
pub fn loss(lost: u64) -> String {
    format!("[WARNING] {lost} log lines were dropped: they came faster than they could be written")
}

/// Writes `text` as a line of its own.
pub fn write_line(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;

    /// Takes nothing until it is told to.
    struct Stuck {
        free: Receiver<()>,
        written: Arc<Mutex<Vec<String>>>,
        stuck: bool,
    }

    impl Stuck {
        fn take(&mut self, text: String) {
            if std::mem::take(&mut self.stuck) {
                self.free.recv().expect("told to go on");
            }
            self.written.lock().expect("not poisoned").push(text);
        }
    }

    impl Medium for Stuck {
        fn write(&mut self, line: &LogLine) -> io::Result<()> {
            self.take(line.text.clone());
            Ok(())
        }

        fn write_loss(&mut self, lost: u64) -> io::Result<()> {
            self.take(format!("{lost} lost"));
            Ok(())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_medium_loses_lines_and_says_so() {
        let (go, free) = channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let medium = Stuck { free, written: written.clone(), stuck: true };
        let writer = Writer::start("test", medium).expect("a thread");
        let line = Arc::new(LogLine { text: "line".into(), ..LogLine::default() });
        for _ in 0..CAPACITY + 100 {
            writer.write(&line);
        }
        let lost = writer.lost.load(Ordering::Relaxed);
        // The thread may have taken one line off the queue.
        assert!((99..=100).contains(&lost), "{lost}");
        go.send(()).expect("the thread waits");
        writer.flush();
        let written = written.lock().expect("not poisoned");
        assert_eq!(written.len(), CAPACITY + 100 - lost as usize + 1);
        assert!(written.contains(&format!("{lost} lost")));
    }
}
