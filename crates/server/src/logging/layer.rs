//! The tracing layer that feeds the log bus.

use std::borrow::Cow;
use std::sync::Arc;

use chappe_event::{Clock, LogBus, LogLevel, LogLine};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::LogCap;
use super::visitor::Fields;
use crate::idle::IdleCpu;

/// Turns tracing events into lines of the log bus. What no sink reads is neither formatted nor looked at: the call site
/// is switched off, and [`follow_levels`] switches it on again when a sink wants more.
pub struct BusLayer {
    bus: Arc<LogBus>,
    cap: LogCap,
    stamp: Stamp,
}

impl BusLayer {
    pub fn new(bus: Arc<LogBus>, cap: LogCap, stamp: Stamp) -> Self {
        Self { bus, cap, stamp }
    }

    /// The least severe level that anybody reads and that may be logged.
    fn level(&self) -> LevelFilter {
        filter(self.bus.max_level().map(|level| level.min(self.cap.get())))
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.is_span() && *metadata.level() <= self.level() && concerns(metadata)
    }
}

/// What every line says about its moment.
#[derive(Clone)]
pub struct Stamp {
    pub clock: Arc<dyn Clock>,
    pub idle: Arc<IdleCpu>,
}

impl Stamp {
    /// An empty line of this moment.
    pub fn line(&self) -> LogLine {
        let at_micros = self.clock.unix_micros();
        let now = jiff::Timestamp::from_microsecond(at_micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let offset = self.clock.zone().to_offset(now);
        LogLine { at_micros, offset, idle_cpu: self.idle.percent(), ..LogLine::default() }
    }
}

/// Makes tracing ask again which call sites are read, whenever the log bus's least severe wanted level changes.
pub fn follow_levels(bus: &LogBus) {
    bus.on_level_change(Box::new(tracing::callsite::rebuild_interest_cache));
}

impl<S: Subscriber> Layer<S> for BusLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let file = match fields.file.take() {
            Some(file) => Cow::Owned(file),
            None => Cow::Borrowed(metadata.file().map_or("", last_component)),
        };
        let func = fields.func.take().map_or(Cow::Borrowed(metadata.target()), Cow::Owned);
        let level = fields.level.unwrap_or(level(*metadata.level()));
        if level > self.cap.get() {
            return;
        }
        self.bus.send(LogLine {
            level,
            file,
            func,
            line: fields.line.or(metadata.line()).unwrap_or(0),
            clean: fields.clean,
            user_data: fields.user_data.take(),
            text: fields.text(),
            ..self.stamp.line()
        });
    }
}

/// Libraries log for their own authors: below warning they are not let through.
fn concerns(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::WARN || metadata.target().starts_with("chappe")
}

fn last_component(path: &'static str) -> &'static str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Err,
        Level::WARN => LogLevel::Warning,
        Level::INFO => LogLevel::Info,
        Level::DEBUG | Level::TRACE => LogLevel::Debug,
    }
}

/// FreeSWITCH's levels lie closer together than tracing's: `fs_level` may make an info line a notice and an error a
/// critical one, so whoever reads notices is shown info events too, and the sink takes its pick.
fn filter(wanted: Option<LogLevel>) -> LevelFilter {
    match wanted {
        None => LevelFilter::OFF,
        Some(LogLevel::Console | LogLevel::Alert | LogLevel::Crit | LogLevel::Err) => LevelFilter::ERROR,
        Some(LogLevel::Warning) => LevelFilter::WARN,
        Some(LogLevel::Notice | LogLevel::Info) => LevelFilter::INFO,
        Some(LogLevel::Debug) => LevelFilter::DEBUG,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use chappe_event::{LogSink, ManualClock};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Remembers what it is told.
    struct Memory(LogLevel, Mutex<Vec<LogLine>>);

    impl LogSink for Memory {
        fn level(&self) -> Option<LogLevel> {
            Some(self.0)
        }

        fn log(&self, line: &Arc<LogLine>) {
            self.1.lock().expect("not poisoned").push(LogLine::clone(line));
        }
    }

    /// What a sink of `level` reads while `work` logs.
    fn read(level: LogLevel, cap: LogLevel, work: impl FnOnce()) -> Vec<LogLine> {
        let bus = Arc::new(LogBus::new());
        let memory = Arc::new(Memory(level, Mutex::default()));
        bus.add(memory.clone());
        let log_cap = LogCap::default();
        log_cap.set(cap);
        let stamp = Stamp { clock: Arc::new(ManualClock::at(0)), idle: Arc::default() };
        let layer = BusLayer::new(bus, log_cap, stamp);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        memory.1.lock().expect("not poisoned").clone()
    }

    #[test]
    fn an_event_becomes_a_line() {
        let lines = read(LogLevel::Debug, LogLevel::Debug, || {
            tracing::info!(peer = "192.0.2.1", count = 2, "hello {}", 1);
            tracing::debug!(clean = true, "Chatplan: 1009");
            tracing::info!(file = "mod_sms.c", line = 371, fs_level = "notice", "loaded");
        });
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["hello 1 peer=192.0.2.1 count=2", "Chatplan: 1009", "loaded"]);
        assert_eq!((lines[0].level, &*lines[0].file), (LogLevel::Info, "layer.rs"));
        assert!(lines[1].clean && !lines[0].clean);
        assert_eq!((lines[2].level, &*lines[2].file, lines[2].line), (LogLevel::Notice, "mod_sms.c", 371));
    }

    #[test]
    fn what_nobody_reads_is_not_formatted() {
        struct Loud;
        impl std::fmt::Display for Loud {
            fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                panic!("formatted")
            }
        }
        for (level, cap) in [(LogLevel::Info, LogLevel::Debug), (LogLevel::Debug, LogLevel::Warning)] {
            let lines = read(level, cap, || {
                tracing::debug!("{Loud}");
                tracing::warn!("seen");
            });
            assert_eq!(lines.len(), 1);
        }
    }

    #[test]
    fn the_cap_knows_the_levels_between() {
        let lines = read(LogLevel::Debug, LogLevel::Notice, || {
            tracing::info!("info");
            tracing::info!(fs_level = "notice", "notice");
        });
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["notice"]);
    }
}
