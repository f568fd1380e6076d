//! Log lines, as the console and the event socket see them.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use jiff::tz::Offset;

use crate::number::{is_number, leading_number};

/// How much a log line matters; the smaller the number, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LogLevel {
    /// Always shown.
    Console = 0,
    /// Somebody has to act at once.
    Alert = 1,
    /// Something is broken.
    Crit = 2,
    /// Something failed.
    Err = 3,
    /// Something is odd.
    Warning = 4,
    /// Something rare happened.
    Notice = 5,
    /// Something happened.
    Info = 6,
    /// How it happened.
    Debug = 7,
}

impl LogLevel {
    /// All levels, the weightiest first.
    pub const LIST: [LogLevel; 8] = [
        Self::Console,
        Self::Alert,
        Self::Crit,
        Self::Err,
        Self::Warning,
        Self::Notice,
        Self::Info,
        Self::Debug,
    ];

    /// FreeSWITCH's name: CONSOLE, ALERT, CRIT, ERR, WARNING, NOTICE, INFO, DEBUG.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Console => "CONSOLE",
            Self::Alert => "ALERT",
            Self::Crit => "CRIT",
            Self::Err => "ERR",
            Self::Warning => "WARNING",
            Self::Notice => "NOTICE",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }

    /// FreeSWITCH's number, 0 to 7.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The level with that number; above 7 it is DEBUG, below 0 CONSOLE.
    pub fn from_number(number: i32) -> Self {
        usize::try_from(number).map_or(Self::Console, |at| *Self::LIST.get(at).unwrap_or(&Self::Debug))
    }

    /// The level that `text` names in any case, or by its number. `DISABLE` is no level.
    ///
    /// FreeSWITCH switch_log.c switch_log_str2level.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && is_number(text) {
            return Some(Self::from_number(leading_number(text)));
        }
        Self::LIST.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The source file, without folders.
    pub file: Cow<'static, str>,
    /// The function, empty if it isn't known.
    pub func: Cow<'static, str>,
    /// The line in the source file, from 1.
    pub line: u32,
    /// When it was written, in microseconds since 1970-01-01 00:00:00 UTC.
    pub at_micros: i64,
    /// How far the local time is from UTC at that moment.
    pub offset: Offset,
    /// How idle the machine is, in percent.
    pub idle_cpu: f32,
    /// What it says, without the end of the line.
    pub text: String,
    /// Whether it is written without time, level and place (FreeSWITCH's SWITCH_CHANNEL_LOG_CLEAN).
    pub clean: bool,
    /// What it belongs to, the id of a session for instance.
    pub user_data: Option<String>,
}

impl Default for LogLine {
    /// An empty DEBUG line of 1970, in UTC, on an idle machine.
    fn default() -> Self {
        Self {
            level: LogLevel::Debug,
            file: Cow::Borrowed(""),
            func: Cow::Borrowed(""),
            line: 0,
            at_micros: 0,
            offset: Offset::UTC,
            idle_cpu: 100.0,
            text: String::new(),
            clean: false,
            user_data: None,
        }
    }
}

impl LogLine {
    /// The line as FreeSWITCH writes it, without the end of the line; see its [`Display`](fmt::Display).
    pub fn formatted(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for LogLine {
    /// `2026-11-22 22:00:00.000000 99.93% [INFO] mod_sms.c:371 text`; a clean line is its text alone.
    ///
    /// FreeSWITCH switch_log.c switch_log_meta_vprintf.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.clean {
            return f.write_str(&self.text);
        }
        let time = Timestamp::from_microsecond(self.at_micros).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = self.offset.to_datetime(time);
        write!(
            f,
            "{} {:.2}% [{}] {}:{} {}",
            local.strftime("%Y-%m-%d %H:%M:%S.%6f"),
            self.idle_cpu,
            self.level,
            self.file,
            self.line,
            self.text
        )
    }
}

/// Somebody who reads the log.
pub trait LogSink: Send + Sync {
    /// The least weighty level that is read, `None` for nothing at all. The bus remembers the answer: when it
    /// changes, [`LogBus::refresh`] has to be called.
    fn level(&self) -> Option<LogLevel>;

    /// Takes a line of that level or a weightier one. Must not block, nor log itself.
    fn log(&self, line: &Arc<LogLine>);
}

/// Names a reader of the log, so that it can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSinkId(u64);

type Sinks = Vec<(LogSinkId, Arc<dyn LogSink>)>;

/// Takes log lines to those who read them; a level that nobody reads costs one atomic load.
#[derive(Default)]
pub struct LogBus {
    sinks: ArcSwap<Sinks>,
    /// The number of the least weighty level that is read, plus one; 0 when nothing is.
    levels: AtomicU8,
    next_id: AtomicU64,
    /// Held while the readers are asked, so that the answers given last are those that stay.
    asking: Mutex<()>,
    on_level_change: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl LogBus {
    /// A log that nobody reads.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a reader.
    pub fn add(&self, sink: Arc<dyn LogSink>) -> LogSinkId {
        let id = LogSinkId(self.next_id.fetch_add(1, Ordering::Relaxed));
        self.sinks.rcu(|current| {
            let mut list = Sinks::clone(current);
            list.push((id, sink.clone()));
            list
        });
        self.refresh();
        id
    }

    /// Removes a reader.
    pub fn remove(&self, id: LogSinkId) {
        self.sinks.rcu(|current| {
            let mut list = Sinks::clone(current);
            list.retain(|(known, _)| *known != id);
            list
        });
        self.refresh();
    }

    /// Asks all readers again for their levels.
    pub fn refresh(&self) {
        if let (true, Some(tell)) = (self.ask(), self.on_level_change.get()) {
            tell();
        }
    }

    /// Has `tell` called after each change of [`max_level`](Self::max_level), on the thread that made it. The
    /// first one set stays, and it may read this log's state but add and remove no reader.
    pub fn on_level_change(&self, tell: Box<dyn Fn() + Send + Sync>) {
        // A second one is dropped, as the doc says.
        let _ = self.on_level_change.set(tell);
    }

    /// Asks all readers; whether the level has changed.
    fn ask(&self) -> bool {
        let _one_at_a_time = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let most = self.sinks.load().iter().filter_map(|(_, sink)| sink.level()).max();
        let number = most.map_or(0, |level| level.number() + 1);
        self.levels.swap(number, Ordering::AcqRel) != number
    }

    /// The least weighty level that anybody reads; `None` when nobody reads anything.
    pub fn max_level(&self) -> Option<LogLevel> {
        let number = self.levels.load(Ordering::Acquire).checked_sub(1)?;
        Some(LogLevel::from_number(i32::from(number)))
    }

    /// Whether anybody reads lines of this level.
    pub fn wanted(&self, level: LogLevel) -> bool {
        self.max_level() >= Some(level)
    }

    /// Takes the line to all who read its level.
    pub fn send(&self, line: LogLine) {
        if !self.wanted(line.level) {
            return;
        }
        let line = Arc::new(line);
        for (_, sink) in self.sinks.load().iter() {
            if sink.level() >= Some(line.level) {
                sink.log(&line);
            }
        }
    }
}
