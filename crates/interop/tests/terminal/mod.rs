//! A program on a pseudo-terminal, watched by what it prints.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

const PATIENCE: Duration = Duration::from_secs(15);

/// A running program; killed when dropped.
pub struct Terminal {
    child: Child,
    ours: File,
    /// The program's end, kept open: what it printed last can be read, and its modes be looked at, when it has ended.
    theirs: OwnedFd,
    coming: Receiver<Vec<u8>>,
    printed: Vec<u8>,
    /// How much of what was printed was expected already.
    seen: usize,
}

impl Terminal {
    /// Starts `command` on a terminal of 100 columns.
    pub fn start(mut command: Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&ours).expect("our own");
        unlockpt(&ours).expect("our own");
        let name = ptsname(&ours, Vec::new()).expect("a name");
        let theirs = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other end");
        let size = Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&theirs, size).expect("a terminal");
        let end = || Stdio::from(theirs.try_clone().expect("a second handle"));
        command.stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().expect("it runs");
        let ours = File::from(ours);
        let coming = read(ours.try_clone().expect("a second handle"));
        Self { child, ours, theirs, coming, printed: Vec::new(), seen: 0 }
    }

    /// Presses these keys.
    pub fn types(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).expect("a terminal that listens");
    }

    /// Waits until the program has printed `text` behind what was expected before.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let rest = &self.printed[self.seen..];
            if let Some(at) = rest.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.seen += at + text.len();
                return;
            }
            match self.coming.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(octets) => self.printed.extend(octets),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!(
                    "never printed {text:?} behind\n{:?}\nbut\n{:?}",
                    String::from_utf8_lossy(&self.printed[..self.seen]),
                    String::from_utf8_lossy(&self.printed[self.seen..]),
                ),
            }
        }
    }

    /// Waits for the program to end by itself.
    pub fn ended(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status;
            }
            // The output wakes us; a program that ends in silence is noticed a little later.
            if let Ok(octets) = self.coming.recv_timeout(Duration::from_millis(10)) {
                self.printed.extend(octets);
            }
        }
        panic!("did not end within {limit:?}; it printed\n{}", String::from_utf8_lossy(&self.printed));
    }

    /// Whether the terminal shows what is typed by itself, as a shell expects it.
    pub fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.theirs).expect("a terminal").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already: then both calls fail, and that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut ours: File) -> Receiver<Vec<u8>> {
    let (sender, coming) = channel();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = ours.read(&mut piece) {
            if sender.send(piece[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    coming
}
