//! Logs: a tracing event becomes a line on the log bus, which the console, log files and event socket clients read.

mod cap;
mod console;
mod layer;
mod levels;
mod logfile;
mod rotation;
mod visitor;
mod writer;

pub use cap::LogCap;
pub use console::{ConsoleConfig, ConsoleSink, PARAMS as CONSOLE_PARAMS};
pub use layer::{BusLayer, Stamp, follow_levels};
pub use levels::{LevelMask, read_level};
pub use logfile::{LogfileConfig, LogfileSink, PARAMS as LOGFILE_PARAMS, PROFILE_PARAMS};
