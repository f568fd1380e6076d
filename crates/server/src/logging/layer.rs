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
    bus.on_level_change(Box::new(|| tracing::callsite::rebuild_interest_cache()));
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
