//! The log, as the recorded lines have it.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Collects lines.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("nobody panicked"))
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = match *event.metadata().level() {
            Level::ERROR => "ERR",
            Level::WARN => "WARNING",
            Level::INFO if line.notice => "NOTICE",
            Level::INFO => "INFO",
            _ => "DEBUG",
        };
        let text = line.text.trim_end().to_owned();
        let text = if line.clean { text } else { format!("[{level}] {text}") };
        self.0.lock().expect("nobody panicked").push(text);
    }
}

#[derive(Default)]
struct Line {
    text: String,
    clean: bool,
    notice: bool,
}

impl Visit for Line {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.clean |= field.name() == "clean" && value;
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.notice |= field.name() == "fs_level" && value == "notice";
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.text = format!("{value:?}");
        }
    }
}

/// Whether such lines were recorded.
pub fn is_recorded(line: &str) -> bool {
    const KEPT: [&str; 15] = [
        "Chatplan: ",
        "[INFO] Processing text message",
        "[ERR] Invalid chat application",
        "[ERR] Max forwards",
        "[ERR] Nested",
        "[ERR] Open of",
        "[WARNING] Context ",
        "[NOTICE] Executing command",
        "[NOTICE] Failed to execute",
        "[DEBUG] SMS chatplan no actions",
        "[DEBUG] Message is not allowed",
        "[ERR] Invalid chat interface",
        "[ERR] Chat Interface Error",
        "[INFO] test:",
        "[DEBUG] test:",
    ];
    KEPT.iter().any(|kept| line.starts_with(kept))
}
