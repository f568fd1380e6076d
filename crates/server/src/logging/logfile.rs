//! mod_logfile: the log in files.

use std::io;
use std::path::Path;
use std::sync::Arc;

use chappe_config::{Diagnostics, Document, Element, ParamRow, ParamStatus, read_params};
use chappe_event::{LogLevel, LogLine, LogSink};

use super::LevelMask;
use super::rotation::{RotatingFile, Rotation};
use super::writer::Writer;

/// The params of `logfile.conf`'s settings.
pub const PARAMS: &[ParamRow] = &[ParamRow {
    name: "rotate-on-hup",
    syntax: "true|false",
    default: "false",
    doc: "On SIGHUP, begin a new file (true) or open the file's name again (false).",
    status: ParamStatus::Used,
}];

/// The params of a profile in `logfile.conf`.
pub const PROFILE_PARAMS: &[ParamRow] = &[
    ParamRow {
        name: "logfile",
        syntax: "PATH",
        default: "$${log_dir}/chappe.log",
        doc: "The file.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "rollover",
        syntax: "BYTES",
        default: "0",
        doc: "A file of this length is ended and a new one begun; 0 for never.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "maximum-rotate",
        syntax: "0 to 1000",
        default: "10",
        doc: "How many ended files are kept.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "uuid",
        syntax: "true|false",
        default: "true",
        doc: "A channel's identifier before each line.",
        status: ParamStatus::Ignored("messages have no channel"),
    },
];

/// One file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogfileProfile {
    pub name: String,
    pub rotation: Rotation,
    pub mask: LevelMask,
}

/// `logfile.conf`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogfileConfig {
    pub profiles: Vec<LogfileProfile>,
}

impl LogfileConfig {
    /// `log_dir` is where a profile without a `logfile` writes.
    pub fn read(document: &Document, log_dir: &Path, diagnostics: &mut Diagnostics) -> Self {
        let Some(element) = document.configuration("logfile.conf") else { return Self::default() };
        let on_hup = element.child("settings").is_some_and(|settings| {
            let params = read_params(settings, PARAMS, diagnostics);
            params.bool("rotate-on-hup", false, diagnostics)
        });
        let profiles =
            element.child("profiles").into_iter().flat_map(|profiles| profiles.children_named("profile"));
        Self {
            profiles: profiles.map(|profile| read_profile(profile, on_hup, log_dir, diagnostics)).collect(),
        }
    }
}

fn read_profile(
    profile: &Element,
    on_hup: bool,
    log_dir: &Path,
    diagnostics: &mut Diagnostics,
) -> LogfileProfile {
    let mut rotation = Rotation { path: log_dir.join("chappe.log"), rollover: 0, keep: 10, on_hup };
    if let Some(settings) = profile.child("settings") {
        let params = read_params(settings, PROFILE_PARAMS, diagnostics);
        if let Some(path) = params.get("logfile") {
            rotation.path = log_dir.join(path);
        }
        rotation.rollover = params.u64_in("rollover", 0, 0..=u64::MAX, diagnostics);
        rotation.keep = params.u32_in("maximum-rotate", 10, 0..=1000, diagnostics);
    }
    let name = profile.attr_or("name", "default").to_owned();
    LogfileProfile { name, rotation, mask: LevelMask::read(profile, diagnostics) }
}

/// Writes lines to one file.
pub struct LogfileSink {
    mask: LevelMask,
    least: Option<LogLevel>,
    writer: Writer,
}

impl LogfileSink {
    /// Opens the file, making its folder if need be.
    pub fn start(profile: LogfileProfile) -> io::Result<Self> {
        let name = format!("logfile {}", profile.name);
        let writer = Writer::start(&name, RotatingFile::open(profile.rotation)?)?;
        Ok(Self { mask: profile.mask, least: profile.mask.least(), writer })
    }

    pub fn rotate(&self) {
        self.writer.reopen();
    }

    pub fn flush(&self) {
        self.writer.flush();
    }
}

impl LogSink for LogfileSink {
    fn level(&self) -> Option<LogLevel> {
        self.least
    }

    fn log(&self, line: &Arc<LogLine>) {
        if self.mask.has(line.level) {
            self.writer.write(line);
        }
    }
}
