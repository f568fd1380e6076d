//! Where texts go that nobody asked for in this moment: log lines, events, news of the connection.
//!
//! A terminal or a pipe may be slow, and the line editor takes texts only while somebody types. So a thread of its own
//! prints, and the session never waits for it.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Octets that may wait to be printed: some ten thousand log lines. When they do, new texts are left out, and how many is
/// said in their place; a server that floods a slow terminal goes on being read, so that it has no reason to hang up.
const MAX_WAITING: usize = 8 * 1024 * 1024;

/// The end at which texts are put in.
pub struct Screen {
    queue: Sender<String>,
    waiting: Arc<AtomicUsize>,
    missed: usize,
}

/// The end at which they come out.
pub struct Texts {
    queue: Receiver<String>,
    waiting: Arc<AtomicUsize>,
}

/// A screen, and what a thread is to print.
pub fn screen() -> (Screen, Texts) {
    let (sender, receiver) = channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let texts = Texts { queue: receiver, waiting: Arc::clone(&waiting) };
    (Screen { queue: sender, waiting, missed: 0 }, texts)
}

impl Screen {
    /// Prints a text that ends with a line feed, as soon as it can be printed.
    pub fn show(&mut self, text: String) {
        let text = match self.missed {
            0 => text,
            missed => format!("({missed} texts came too fast and are not shown)\n{text}"),
        };
        let waiting = self.waiting.load(Ordering::Relaxed);
        // A text that is longer than all there is room for has its turn when nothing else waits.
        if waiting > 0 && waiting + text.len() > MAX_WAITING {
            self.missed += 1;
            return;
        }
        self.missed = 0;
        self.waiting.fetch_add(text.len(), Ordering::Relaxed);
        // Where nobody prints any more, nobody looks.
        let _ = self.queue.send(text);
    }
}

impl Texts {
    /// Prints until the screen is gone or printing fails. Blocks.
    pub fn print(self, mut sink: impl FnMut(String) -> io::Result<()>) {
        while let Ok(text) = self.queue.recv() {
            let octets = text.len();
            if sink(text).is_err() {
                return;
            }
            self.waiting.fetch_sub(octets, Ordering::Relaxed);
        }
    }
}

/// Writes a whole text to standard output, so that no two threads mix their lines.
pub fn to_stdout(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_printer_is_told_what_it_missed() {
        let (mut screen, texts) = screen();
        let long = "x".repeat(MAX_WAITING / 2);
        for _ in 0..4 {
            screen.show(long.clone());
        }
        let (printing, printed) = channel();
        let printer = std::thread::spawn(move || {
            texts.print(|text| printing.send(text).map_err(io::Error::other));
        });
        assert_eq!([printed.recv(), printed.recv()], [Ok(long.clone()), Ok(long)]);
        while screen.waiting.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
        screen.show("last\n".into());
        drop(screen);
        printer.join().expect("it ran");
        let rest: Vec<String> = printed.iter().collect();
        assert_eq!(rest, ["(2 texts came too fast and are not shown)\nlast\n"]);
    }

    #[test]
    fn one_long_text_has_its_turn() {
        let (mut screen, texts) = screen();
        let long = "x".repeat(MAX_WAITING + 1);
        screen.show(long.clone());
        screen.show("y".into());
        assert_eq!((texts.queue.recv(), screen.missed), (Ok(long), 1));
    }

    #[test]
    fn printing_ends_with_its_first_error() {
        let (mut screen, texts) = screen();
        screen.show("one".into());
        screen.show("two".into());
        let mut printed = 0;
        texts.print(|_| {
            printed += 1;
            Err(io::ErrorKind::BrokenPipe.into())
        });
        assert_eq!(printed, 1);
    }
}
