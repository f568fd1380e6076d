//! `switch.conf`: what FreeSWITCH's core is told.

use std::time::Duration;

use chappe_config::{Diagnostics, Document, ParamRow, ParamStatus, read_params};
use chappe_event::LogLevel;

use crate::logging::read_level;

const fn used(
    name: &'static str,
    syntax: &'static str,
    default: &'static str,
    doc: &'static str,
) -> ParamRow {
    ParamRow { name, syntax, default, doc, status: ParamStatus::Used }
}

const fn ignored(name: &'static str, why: &'static str) -> ParamRow {
    ParamRow { name, syntax: "", default: "", doc: "", status: ParamStatus::Ignored(why) }
}

const CALLS: &str = "there are no calls, only messages";
const MEDIA: &str = "there is no media";
const DATABASE: &str = "there is no core database";
const TIMERS: &str = "there are no media timers";
const PROCESS: &str = "the operating system decides";

/// The params of `switch.conf`: those FreeSWITCH's switch_load_core_config knows.
pub const PARAMS: &[ParamRow] = &[
    used(
        "switchname",
        "NAME",
        "the host's name",
        "What this server is called in events and by the API command switchname.",
    ),
    used(
        "loglevel",
        "console|alert|crit|err|warning|notice|info|debug, or 0 to 7",
        "debug",
        "The least severe level that is logged at all, whoever reads.",
    ),
    used("event-heartbeat-interval", "1 to 86400 seconds", "20", "How often the event HEARTBEAT is fired."),
    ignored("1ms-timer", TIMERS),
    ignored("api-expansion", "API commands in chatplans are always expanded"),
    ignored("auto-clear-sql", DATABASE),
    ignored("auto-create-schemas", DATABASE),
    ignored("caller-profile-soft-lookup-values", CALLS),
    ignored("caller-profile-soft-variables-uses-prefix", CALLS),
    ignored("colorize-console", "console.conf says it"),
    ignored("core-db-dsn", DATABASE),
    ignored("core-db-inner-post-trans-execute", DATABASE),
    ignored("core-db-inner-pre-trans-execute", DATABASE),
    ignored("core-db-name", DATABASE),
    ignored("core-db-post-trans-execute", DATABASE),
    ignored("core-db-pre-trans-execute", DATABASE),
    ignored("core-dbtype", DATABASE),
    ignored("core-non-sqlite-db-required", DATABASE),
    ignored("cpu-idle-smoothing-depth", CALLS),
    ignored("db-handle-timeout", DATABASE),
    ignored("debug-level", "levels beyond debug are not used"),
    ignored("default-dtmf-duration", MEDIA),
    ignored("dialplan-timestamps", "there is no dialplan"),
    ignored("dump-cores", PROCESS),
    ignored("enable-clock-nanosleep", TIMERS),
    ignored("enable-cond-yield", TIMERS),
    ignored("enable-early-hangup", CALLS),
    ignored("enable-monotonic-timing", TIMERS),
    ignored("enable-softtimer-timerfd", TIMERS),
    ignored("enable-timer-matrix", TIMERS),
    ignored("enable-use-system-time", TIMERS),
    ignored("event-channel-enable-hierarchy-deliver", "there are no event channels"),
    ignored("event-channel-hierarchy-deliver-once", "there are no event channels"),
    ignored("event-channel-key-separator", "there are no event channels"),
    ignored("event-channel-log-undeliverable-json", "there are no event channels"),
    ignored("events-use-dispatch", "events are delivered without a queue in between"),
    ignored("exclude-error-log-from-xml-cdr", CALLS),
    ignored("ice-resolve-candidate", MEDIA),
    ignored("initial-event-threads", "events are delivered without a queue in between"),
    ignored("mailer-app", "no mail is sent"),
    ignored("mailer-app-args", "no mail is sent"),
    ignored("max-audio-channels", MEDIA),
    ignored("max-db-handles", DATABASE),
    ignored("max-dtmf-duration", MEDIA),
    ignored("max-sessions", CALLS),
    ignored("max-sql-buffer-len", DATABASE),
    ignored("min-dtmf-duration", MEDIA),
    ignored("min-idle-cpu", CALLS),
    ignored("multiple-registrations", "sofia.conf says it, profile by profile"),
    ignored("odbc-skip-autocommit-flip", DATABASE),
    ignored("rtp-end-port", MEDIA),
    ignored("rtp-port-usage-robustness", MEDIA),
    ignored("rtp-retain-crypto-keys", MEDIA),
    ignored("rtp-start-port", MEDIA),
    ignored("session-thread-pool", CALLS),
    ignored("sessions-per-second", CALLS),
    ignored("spawn-instead-of-system", "commands never block the server"),
    ignored("sql-buffer-len", DATABASE),
    ignored("threaded-system-exec", "commands never block the server"),
    ignored("timer-affinity", TIMERS),
    ignored("tipping-point", TIMERS),
    ignored("uuid-version", "identifiers are random ones, version 4"),
    ignored("verbose-channel-events", "there are no channels"),
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
