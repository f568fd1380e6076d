//! `lua.conf`: where Lua scripts are, what they may take, which ones run by themselves.

use std::path::PathBuf;
use std::time::Duration;

use chappe_config::{Diagnostics, Document, Element, ParamRow, Params, read_params};
use chappe_event::{EventName, Globals};
use chappe_script::lua::LuaConfig;

/// The params of `lua.conf`.
pub const PARAMS: &[ParamRow] = &[
    ParamRow::used(
        "script-directory",
        "TEMPLATE with ?",
        "",
        "Where `require` looks first; may be there more than once.",
    ),
    ParamRow::used(
        "module-directory",
        "TEMPLATE with ?",
        "",
        "What `package.cpath` says; modules in machine code are found there and refused.",
    ),
    ParamRow::used(
        "startup-script",
        "SCRIPT",
        "",
        "A script that is run at the start, for as long as it likes; may be there more than once.",
    ),
    ParamRow::used("threads", "1..256", "4", "How many scripts run at once."),
    ParamRow::used("queue", "1..100000", "1000", "How many more may wait; then messages are answered 503."),
    ParamRow::used(
        "time-limit",
        "1..3600 seconds",
        "10",
        "How long a script may take that somebody waits for.",
    ),
    ParamRow::used("memory-limit", "1..4096 MiB", "64", "What one script may need."),
    ParamRow::ignored("xml-handler-script", "the configuration comes from files"),
    ParamRow::ignored("xml-handler-bindings", "the configuration comes from files"),
];

/// `lua.conf`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LuaSettings {
    pub config: LuaConfig,
    /// What runs at the start.
    pub startup: Vec<String>,
    pub hooks: Vec<LuaHook>,
}

/// A script that is run for events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LuaHook {
    pub event: EventName,
    pub subclass: Option<String>,
    pub script: String,
}

impl LuaSettings {
    /// Reads `lua.conf`, whose absence is as good as an empty one.
    pub fn read(document: &Document, variables: &Globals, diagnostics: &mut Diagnostics) -> Self {
        let settings =
            document.configuration("lua.conf").and_then(|configuration| configuration.child("settings"));
        let params = settings.map(|settings| read_params(settings, PARAMS, diagnostics)).unwrap_or_default();
        let startup = params.all("startup-script").filter(|script| !script.is_empty());
        Self {
            startup: startup.map(str::to_owned).collect(),
            config: config(&params, variables, diagnostics),
            hooks: settings.map(|settings| hooks(settings, diagnostics)).unwrap_or_default(),
        }
    }
}

fn config(params: &Params<'_>, variables: &Globals, diagnostics: &mut Diagnostics) -> LuaConfig {
    let joined = |name| params.all(name).filter(|path| !path.is_empty()).collect::<Vec<_>>().join(";");
    LuaConfig {
        script_dir: PathBuf::from(variables.get("script_dir").as_deref().unwrap_or_default()),
        path: joined("script-directory"),
        cpath: joined("module-directory"),
        threads: params.u32_in("threads", 4, 1..=256, diagnostics) as usize,
        queue: params.u32_in("queue", 1000, 1..=100_000, diagnostics) as usize,
        time_limit: Duration::from_secs(params.u64_in("time-limit", 10, 1..=3600, diagnostics)),
        memory_limit: (params.u32_in("memory-limit", 64, 1..=4096, diagnostics) as usize) << 20,
    }
}

/// `<hook event="CUSTOM" subclass="a::b" script="a.lua"/>`
pub(crate) fn hooks(settings: &Element, diagnostics: &mut Diagnostics) -> Vec<LuaHook> {
    let mut hooks = Vec::new();
    for hook in settings.children_named("hook") {
        let (event, script) = (hook.attr_or("event", ""), hook.attr_or("script", ""));
        match (EventName::parse(event), script) {
            (None, _) => {
                diagnostics.warning(hook.at.clone(), format!("hook: `{event}` is no event's name"));
            }
            (_, "") => {
                diagnostics.warning(hook.at.clone(), "hook: no script is named");
            }
            (Some(event), script) => {
                let subclass = hook.attr("subclass").filter(|subclass| !subclass.is_empty());
                let subclass = subclass.map(str::to_owned);
                hooks.push(LuaHook { event, subclass, script: script.to_owned() });
            }
        }
    }
    hooks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &str) -> (LuaSettings, String) {
        let text = format!(
            "<document><section name=\"configuration\"><configuration name=\"lua.conf\"><settings>{settings}\
             </settings></configuration></section></document>"
        );
        let (document, mut diagnostics) = chappe_config::parse_fragment(&text, "lua.conf.xml");
        let variables = Globals::new();
        variables.set("script_dir", "/scripts");
        let settings = LuaSettings::read(&document, &variables, &mut diagnostics);
        (settings, diagnostics.to_string())
    }

    #[test]
    fn the_table_says_the_defaults() {
        let rows = PARAMS.iter().filter(|row| row.status == chappe_config::ParamStatus::Used);
        let said: String =
            rows.map(|row| format!("<param name=\"{}\" value=\"{}\"/>", row.name, row.default)).collect();
        let (said, wrong) = read(&said);
        assert_eq!(wrong, "");
        assert_eq!(said, read("").0);
        let config = LuaConfig { script_dir: "/scripts".into(), ..LuaConfig::default() };
        assert_eq!(said, LuaSettings { config, ..LuaSettings::default() });
    }

    #[test]
    fn each_param_is_heeded() {
        let (settings, wrong) = read(
            "<param name=\"script-directory\" value=\"/a/?.lua\"/><param name=\"script-directory\" value=\"/b/?.lua\"/>\
             <param name=\"module-directory\" value=\"/c/?.so\"/><param name=\"startup-script\" value=\"s.lua\"/>\
             <param name=\"threads\" value=\"2\"/><param name=\"queue\" value=\"3\"/>\
             <param name=\"time-limit\" value=\"5\"/><param name=\"memory-limit\" value=\"6\"/>\
             <hook event=\"custom\" subclass=\"a::b\" script=\"h.lua\"/><hook event=\"nonsense\" script=\"h.lua\"/>\
             <hook event=\"MESSAGE\"/>",
        );
        let config = LuaConfig {
            script_dir: "/scripts".into(),
            path: "/a/?.lua;/b/?.lua".into(),
            cpath: "/c/?.so".into(),
            threads: 2,
            queue: 3,
            time_limit: Duration::from_secs(5),
            memory_limit: 6 << 20,
        };
        assert_eq!(settings.config, config);
        assert_eq!(settings.startup, ["s.lua"]);
        let hook =
            LuaHook { event: EventName::Custom, subclass: Some("a::b".into()), script: "h.lua".into() };
        assert_eq!(settings.hooks, [hook]);
        assert_eq!(
            wrong
                .lines()
                .map(|line| line.split_once("warning: ").map_or(line, |(_, text)| text))
                .collect::<Vec<_>>(),
            ["hook: `nonsense` is no event's name", "hook: no script is named"]
        );
    }
}
