//! `switch.conf`: what FreeSWITCH's core is told.

use std::time::Duration;

use chappe_config::{Diagnostics, Document, ParamRow, read_params};
use chappe_event::LogLevel;

use crate::logging::read_level;

const CALLS: &str = "there are no calls, only messages";
const MEDIA: &str = "there is no media";
const DATABASE: &str = "there is no core database";
const TIMERS: &str = "there are no media timers";
const PROCESS: &str = "the operating system decides";

/// The params of `switch.conf`: those FreeSWITCH's switch_load_core_config knows.
pub const PARAMS: &[ParamRow] = &[
    ParamRow::used(
        "switchname",
        "NAME",
        "the host's name",
        "What this server is called in events and by the API command switchname.",
    ),
    ParamRow::used(
        "loglevel",
        "console|alert|crit|err|warning|notice|info|debug, or 0 to 7",
        "debug",
        "The least severe level that is logged at all, whoever reads.",
    ),
    ParamRow::used(
        "event-heartbeat-interval",
        "1 to 86400 seconds",
        "20",
        "How often the event HEARTBEAT is fired.",
    ),
    ParamRow::ignored("1ms-timer", TIMERS),
    ParamRow::ignored("api-expansion", "API commands in chatplans are always expanded"),
    ParamRow::ignored("auto-clear-sql", DATABASE),
    ParamRow::ignored("auto-create-schemas", DATABASE),
    ParamRow::ignored("caller-profile-soft-lookup-values", CALLS),
    ParamRow::ignored("caller-profile-soft-variables-uses-prefix", CALLS),
    ParamRow::ignored("colorize-console", "console.conf says it"),
    ParamRow::ignored("core-db-dsn", DATABASE),
    ParamRow::ignored("core-db-inner-post-trans-execute", DATABASE),
    ParamRow::ignored("core-db-inner-pre-trans-execute", DATABASE),
    ParamRow::ignored("core-db-name", DATABASE),
    ParamRow::ignored("core-db-post-trans-execute", DATABASE),
    ParamRow::ignored("core-db-pre-trans-execute", DATABASE),
    ParamRow::ignored("core-dbtype", DATABASE),
    ParamRow::ignored("core-non-sqlite-db-required", DATABASE),
    ParamRow::ignored("cpu-idle-smoothing-depth", CALLS),
    ParamRow::ignored("db-handle-timeout", DATABASE),
    ParamRow::ignored("debug-level", "levels beyond debug are not used"),
    ParamRow::ignored("default-dtmf-duration", MEDIA),
    ParamRow::ignored("dialplan-timestamps", "there is no dialplan"),
    ParamRow::ignored("dump-cores", PROCESS),
    ParamRow::ignored("enable-clock-nanosleep", TIMERS),
    ParamRow::ignored("enable-cond-yield", TIMERS),
    ParamRow::ignored("enable-early-hangup", CALLS),
    ParamRow::ignored("enable-monotonic-timing", TIMERS),
    ParamRow::ignored("enable-softtimer-timerfd", TIMERS),
    ParamRow::ignored("enable-timer-matrix", TIMERS),
    ParamRow::ignored("enable-use-system-time", TIMERS),
    ParamRow::ignored("event-channel-enable-hierarchy-deliver", "there are no event channels"),
    ParamRow::ignored("event-channel-hierarchy-deliver-once", "there are no event channels"),
    ParamRow::ignored("event-channel-key-separator", "there are no event channels"),
    ParamRow::ignored("event-channel-log-undeliverable-json", "there are no event channels"),
    ParamRow::ignored("events-use-dispatch", "events are delivered without a queue in between"),
    ParamRow::ignored("exclude-error-log-from-xml-cdr", CALLS),
    ParamRow::ignored("ice-resolve-candidate", MEDIA),
    ParamRow::ignored("initial-event-threads", "events are delivered without a queue in between"),
    ParamRow::ignored("mailer-app", "no mail is sent"),
    ParamRow::ignored("mailer-app-args", "no mail is sent"),
    ParamRow::ignored("max-audio-channels", MEDIA),
    ParamRow::ignored("max-db-handles", DATABASE),
    ParamRow::ignored("max-dtmf-duration", MEDIA),
    ParamRow::ignored("max-sessions", CALLS),
    ParamRow::ignored("max-sql-buffer-len", DATABASE),
    ParamRow::ignored("min-dtmf-duration", MEDIA),
    ParamRow::ignored("min-idle-cpu", CALLS),
    ParamRow::ignored("multiple-registrations", "sofia.conf says it, profile by profile"),
    ParamRow::ignored("odbc-skip-autocommit-flip", DATABASE),
    ParamRow::ignored("rtp-end-port", MEDIA),
    ParamRow::ignored("rtp-port-usage-robustness", MEDIA),
    ParamRow::ignored("rtp-retain-crypto-keys", MEDIA),
    ParamRow::ignored("rtp-start-port", MEDIA),
    ParamRow::ignored("session-thread-pool", CALLS),
    ParamRow::ignored("sessions-per-second", CALLS),
    ParamRow::ignored("spawn-instead-of-system", "commands never block the server"),
    ParamRow::ignored("sql-buffer-len", DATABASE),
    ParamRow::ignored("threaded-system-exec", "commands never block the server"),
    ParamRow::ignored("timer-affinity", TIMERS),
    ParamRow::ignored("tipping-point", TIMERS),
    ParamRow::ignored("uuid-version", "identifiers are random ones, version 4"),
    ParamRow::ignored("verbose-channel-events", "there are no channels"),
];

/// `switch.conf`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwitchConfig {
    pub switchname: Option<String>,
    pub level: LogLevel,
    pub heartbeat: Duration,
}

impl Default for SwitchConfig {
    fn default() -> Self {
        Self { switchname: None, level: LogLevel::Debug, heartbeat: Duration::from_secs(20) }
    }
}

impl SwitchConfig {
    pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Self {
        let mut config = Self::default();
        let settings = document.configuration("switch.conf").and_then(|element| element.child("settings"));
        let Some(settings) = settings else { return config };
        let params = read_params(settings, PARAMS, diagnostics);
        config.switchname = params.get("switchname").filter(|name| !name.is_empty()).map(str::to_owned);
        let seconds = params.u32_in("event-heartbeat-interval", 20, 1..=86_400, diagnostics);
        config.heartbeat = Duration::from_secs(seconds.into());
        config.level = read_level(&params, config.level, diagnostics);
        config
    }
}
