//! A child process that is driven by lines and watched by what it prints.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A running program; killed when dropped.
pub struct Driven {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    printed: Arc<Printed>,
}

#[derive(Default)]
struct Printed {
    bytes: Mutex<Vec<u8>>,
    more: Condvar,
}

impl Driven {
    /// Starts `command` with its standard streams in our hands. Standard error is collected with the output.
    pub fn start(mut command: Command) -> Driven {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("failed to start {name}: {error}"));
        let printed = Arc::new(Printed::default());
        collect(child.stdout.take().expect("stdout is piped"), &printed);
        collect(child.stderr.take().expect("stderr is piped"), &printed);
        let stdin = child.stdin.take();
        Driven { name, child, stdin, printed }
    }

    /// Writes one line to the program.
    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        let written = stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush());
        if let Err(error) = written {
            panic!("{} does not listen: {error}; it printed:\n{}", self.name, self.printed());
        }
    }

    /// Waits until the program has printed `text`; fails the test with all it printed otherwise.
    pub fn expect(&self, text: &str) {
        assert!(
            self.wait_for(text, Duration::from_secs(15)),
            "{} never printed {text:?}:\n{}",
            self.name,
            self.printed()
        );
    }

    /// Whether the program has printed `text` before `limit` is over.
    pub fn wait_for(&self, text: &str, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let mut bytes = self.printed.bytes.lock().expect("no reader panics");
        loop {
            if contains(&bytes, text.as_bytes()) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            bytes = self.printed.more.wait_timeout(bytes, left).expect("no reader panics").0;
        }
    }

    /// All the program has printed so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.printed.bytes.lock().expect("no reader panics")).into_owned()
    }

    /// Waits for the program to end by itself, `limit` at most.
    pub fn ended(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} did not end within {limit:?}; it printed:\n{}", self.name, self.printed());
    }

    /// Asks the program to end, and gives it a moment in which it can end the processes that it has started.
    pub fn terminate(&mut self) {
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id())]).status();
        let end = Instant::now() + Duration::from_secs(5);
        while asked.as_ref().is_ok_and(ExitStatus::success)
            && matches!(self.child.try_wait(), Ok(None))
            && Instant::now() < end
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The program's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        // It may have ended already: then both calls fail, and that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut stream: impl Read + Send + 'static, printed: &Arc<Printed>) {
    let printed = Arc::clone(printed);
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut piece) {
            printed.bytes.lock().expect("no reader panics").extend_from_slice(&piece[..count]);
            printed.more.notify_all();
        }
    });
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
