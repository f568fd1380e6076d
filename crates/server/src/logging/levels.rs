//! Which levels a sink takes: the `mappings` of console.conf and logfile.conf.

use chappe_config::{Diagnostics, Element, Params};
use chappe_event::LogLevel;

/// The param `loglevel`; `default` when there is none or it is empty.
pub fn read_level(params: &Params<'_>, default: LogLevel, diagnostics: &mut Diagnostics) -> LogLevel {
    let Some(text) = params.get("loglevel").filter(|text| !text.is_empty()) else { return default };
    LogLevel::parse(text).unwrap_or_else(|| {
        diagnostics
            .error(params.at("loglevel").cloned(), format!("loglevel: `{text}` is no log level"))
            .instead("console, alert, crit, err, warning, notice, info or debug");
        default
    })
}

/// A set of levels. FreeSWITCH switch_log_str2mask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LevelMask(u16);

impl LevelMask {
    pub const ALL: Self = Self(u16::MAX);
    const NONE: Self = Self(0);

    /// The levels of a `mappings` element's `all`; every level when there is no such element.
    ///
    /// A map with a file's or a function's name has no meaning here, where neither is FreeSWITCH's.
    pub fn read(parent: &Element, diagnostics: &mut Diagnostics) -> Self {
        let Some(mappings) = parent.child("mappings") else { return Self::ALL };
        let mut mask = None;
        for map in mappings.children_named("map") {
            let name = map.attr_or("name", "");
            if name.eq_ignore_ascii_case("all") {
                mask = Some(Self::parse(map, diagnostics));
            } else {
                let text = format!("a map for {name} alone has no meaning here: only that of all has");
                diagnostics.warning(&map.at, text);
            }
        }
        mask.unwrap_or(Self::ALL)
    }

    fn parse(map: &Element, diagnostics: &mut Diagnostics) -> Self {
        let mut mask = Self::NONE.with(LogLevel::Console);
        for name in map.attr_or("value", "").split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name.eq_ignore_ascii_case("all") {
                return Self::ALL;
            }
            match LogLevel::parse(name) {
                Some(level) => mask = mask.with(level),
                None => {
                    diagnostics.warning(&map.at, format!("`{name}` is no log level"));
                }
            }
        }
        mask
    }

    fn with(self, level: LogLevel) -> Self {
        Self(self.0 | bit(level))
    }

    pub fn has(self, level: LogLevel) -> bool {
        self.0 & bit(level) != 0
    }

    /// The least severe level in the set.
    pub fn least(self) -> Option<LogLevel> {
        LogLevel::LIST.into_iter().rev().find(|level| self.has(*level))
    }
}

fn bit(level: LogLevel) -> u16 {
    1 << level.number()
}
