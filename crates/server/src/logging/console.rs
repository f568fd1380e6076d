//! The console: the log on standard error.

use std::io::{self, IsTerminal, Stderr, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use chappe_config::{Diagnostics, Document, ParamRow, ParamStatus, read_params};
use chappe_event::{LogLevel, LogLine, LogSink};

use super::writer::{self, Medium, Writer};
use super::{LevelMask, read_level};

/// The params of `console.conf`.
pub const PARAMS: &[ParamRow] = &[
    ParamRow {
        name: "loglevel",
        syntax: "console|alert|crit|err|warning|notice|info|debug, or 0 to 7",
        default: "info",
        doc: "The least severe level that the console shows.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "colorize",
        syntax: "true|false",
        default: "false",
        doc: "Colours by level, when standard error is a terminal.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "uuid",
        syntax: "true|false",
        default: "false",
        doc: "A channel's identifier before each line.",
        status: ParamStatus::Ignored("messages have no channel"),
    },
    ParamRow {
        name: "json",
        syntax: "true|false",
        default: "false",
        doc: "Lines as JSON objects.",
        status: ParamStatus::Ignored("the console shows plain lines"),
    },
];

/// `console.conf`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsoleConfig {
    pub level: LogLevel,
    pub colorize: bool,
    pub mask: LevelMask,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self { level: LogLevel::Info, colorize: false, mask: LevelMask::ALL }
    }
}

impl ConsoleConfig {
    pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Self {
        let mut config = Self::default();
        let Some(element) = document.configuration("console.conf") else { return config };
        config.mask = LevelMask::read(element, diagnostics);
        let Some(settings) = element.child("settings") else { return config };
        let params = read_params(settings, PARAMS, diagnostics);
        config.colorize = params.bool("colorize", config.colorize, diagnostics);
        config.level = read_level(&params, config.level, diagnostics);
        config
    }
}

/// Writes lines to standard error.
pub struct ConsoleSink {
    level: AtomicU8,
    mask: arc_swap::ArcSwap<LevelMask>,
    colorize: Arc<AtomicBool>,
    writer: Writer,
}

impl ConsoleSink {
    pub fn start(config: ConsoleConfig) -> io::Result<Self> {
        let colorize = Arc::new(AtomicBool::new(false));
        let terminal = Terminal { out: io::BufWriter::new(io::stderr()), colorize: colorize.clone() };
        let sink = Self {
            level: AtomicU8::new(0),
            mask: arc_swap::ArcSwap::from_pointee(LevelMask::ALL),
            colorize,
            writer: Writer::start("console", terminal)?,
        };
        sink.configure(config);
        Ok(sink)
    }

    pub fn configure(&self, config: ConsoleConfig) {
        self.set_level(config.level);
        self.set_colorize(config.colorize && io::stderr().is_terminal());
        self.mask.store(Arc::new(config.mask));
    }

    /// The log bus has to be refreshed afterwards.
    pub fn set_level(&self, level: LogLevel) {
        self.level.store(level.number(), Ordering::Relaxed);
    }

    pub fn shown(&self) -> LogLevel {
        LogLevel::from_number(self.level.load(Ordering::Relaxed).into())
    }

    pub fn set_colorize(&self, colorize: bool) {
        self.colorize.store(colorize, Ordering::Relaxed);
    }

    pub fn colorize(&self) -> bool {
        self.colorize.load(Ordering::Relaxed)
    }

    pub fn flush(&self) {
        self.writer.flush();
    }
}

impl LogSink for ConsoleSink {
    fn level(&self) -> Option<LogLevel> {
        Some(self.shown())
    }

    fn log(&self, line: &Arc<LogLine>) {
        if self.mask.load().has(line.level) {
            self.writer.write(line);
        }
    }
}

struct Terminal {
    out: io::BufWriter<Stderr>,
    colorize: Arc<AtomicBool>,
}

impl Medium for Terminal {
    fn write(&mut self, line: &LogLine) -> io::Result<()> {
        if !self.colorize.load(Ordering::Relaxed) {
            return writer::write_line(&mut self.out, &line.formatted());
        }
        self.out.write_all(colour(line.level).as_bytes())?;
        writer::write_line(&mut self.out, line.formatted().trim_end_matches('\n'))?;
        self.out.write_all(b"\x1b[0m")
    }

    fn write_loss(&mut self, lost: u64) -> io::Result<()> {
        writer::write_line(&mut self.out, &writer::loss(lost))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// FreeSWITCH mod_console's colours.
fn colour(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Alert | LogLevel::Crit | LogLevel::Err => "\x1b[31m",
        LogLevel::Warning => "\x1b[35m",
        LogLevel::Notice => "\x1b[36m",
        LogLevel::Info => "\x1b[32m",
        LogLevel::Debug => "\x1b[33m",
        _ => "\x1b[0m",
    }
}
