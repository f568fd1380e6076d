//! The commands of FreeSWITCH's mod_commands and mod_dptools that need no more than the event, the global variables, a
//! clock and a source of identifiers.
//!
//! One a file: its row, and what runs it.

use std::sync::Arc;

use chappe_event::{Clock, Globals, Identity};

use crate::{Answer, Call, Command, Registry, Row, calendar};

mod alias;
mod coalesce;
mod cond;
mod create_uuid;
mod echo;
mod escape;
mod eval;
mod expand;
mod expansion;
mod global_getvar;
mod global_setvar;
mod help;
mod hostname;
mod is_lan_addr;
mod md5;
mod quote_shell_arg;
mod regex;
mod replace;
mod sql_escape;
mod strepoch;
mod strftime;
mod strftime_tz;
mod strmicroepoch;
mod switchname;
mod tolower;
mod toupper;
mod url_decode;
mod url_encode;
mod xml_wrap;

/// What the commands are given.
#[derive(Clone)]
pub struct Deps {
    pub globals: Arc<Globals>,
    pub clock: Arc<dyn Clock>,
    pub identity: Arc<Identity>,
    /// 16 random octets, for a new identifier.
    pub random: Arc<dyn Fn() -> [u8; 16] + Send + Sync>,
}

type Run = fn(&Call<'_>, &Deps) -> Answer;

const COMMANDS: &[(&Row, Run)] = &[
    (&alias::ROW, alias::run),
    (&coalesce::ROW, coalesce::run),
    (&cond::ROW, cond::run),
    (&create_uuid::ROW, create_uuid::run),
    (&echo::ROW, echo::run),
    (&escape::ROW, escape::run),
    (&eval::ROW, eval::run),
    (&expand::ROW, expand::run),
    (&global_getvar::ROW, global_getvar::run),
    (&global_setvar::ROW, global_setvar::run),
    (&help::ROW, help::run),
    (&hostname::ROW, hostname::run),
    (&is_lan_addr::ROW, is_lan_addr::run),
    (&md5::ROW, md5::run),
    (&quote_shell_arg::ROW, quote_shell_arg::run),
    (&regex::ROW, regex::run),
    (&replace::ROW, replace::run),
    (&sql_escape::ROW, sql_escape::run),
    (&strepoch::ROW, strepoch::run),
    (&strftime::ROW, strftime::run),
    (&strftime_tz::ROW, strftime_tz::run),
    (&strmicroepoch::ROW, strmicroepoch::run),
    (&switchname::ROW, switchname::run),
    (&tolower::ROW, tolower::run),
    (&toupper::ROW, toupper::run),
    (&url_decode::ROW, url_decode::run),
    (&url_encode::ROW, url_encode::run),
    (&xml_wrap::ROW, xml_wrap::run),
];

/// What [`register`] registers.
pub fn rows() -> impl Iterator<Item = Row> {
    COMMANDS.iter().map(|&(row, _)| *row)
}

/// Adds every command of this module to the registry.
pub fn register(registry: &Arc<Registry>, deps: Deps) {
    let deps = Arc::new(deps);
    for &(row, run) in COMMANDS {
        registry.add(Arc::new(Builtin { row, run, deps: deps.clone() }));
    }
}

struct Builtin {
    row: &'static Row,
    run: Run,
    deps: Arc<Deps>,
}

impl Command for Builtin {
    fn row(&self) -> &Row {
        self.row
    }

    fn run(&self, call: Call<'_>) -> Answer {
        (self.run)(&call, &self.deps)
    }
}

/// C's `atol` of a number of seconds, in microseconds.
fn epoch_micros(text: &str) -> i64 {
    let text = text.trim_start();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
    let seconds: i64 = text[..text.len() - digits.len() + end].parse().unwrap_or(0);
    seconds.saturating_mul(1_000_000)
}

/// The date in `text`, or now when it is empty.
fn date_micros(text: &str, deps: &Deps) -> i64 {
    let micros = deps.clock.unix_micros();
    match calendar::at_micros(micros, deps.clock.zone().clone()) {
        Some(now) if !text.is_empty() => calendar::parse_micros(text, &now),
        _ => micros,
    }
}
