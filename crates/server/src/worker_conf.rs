//! `python.conf`, `perl.conf` and `v8.conf`: the interpreters of scripts and what they may take.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use chappe_config::{Diagnostics, Document, ParamRow, Params, read_params};
use chappe_event::Globals;
use chappe_script::worker::{Language, Settings};

use crate::lua_conf::{LuaHook, hooks};

/// The params of all three.
pub const PARAMS: &[ParamRow] = &[
    ParamRow::used(
        "interpreter",
        "PROGRAM",
        "python3, perl or node",
        "The interpreter, by name or path: a virtual environment's `bin/python3`, for instance.",
    ),
    ParamRow::used(
        "startup-script",
        "SCRIPT",
        "",
        "A script that is run at the start, for as long as it likes; may be there more than once.",
    ),
    ParamRow::used("workers", "1..256", "as many as there are processors", "How many scripts run at once."),
    ParamRow::used("queue", "1..100000", "1000", "How many more may wait; then messages are answered 503."),
    ParamRow::used(
        "time-limit",
        "1..3600 seconds",
        "10",
        "How long a script may take that somebody waits for.",
    ),
    ParamRow::used("memory-limit", "0..1048576 MiB", "1024", "What one worker may need; 0 is no limit."),
    ParamRow::used(
        "reload",
        "changed or always",
        "changed",
        "When a Python module is loaded anew: when its file has changed, or for each message as in FreeSWITCH.",
    ),
    ParamRow::ignored("xml-handler-script", "the configuration comes from files"),
    ParamRow::ignored("xml-handler-bindings", "the configuration comes from files"),
    ParamRow::ignored("script-caching", "compiled scripts are kept until their files change"),
    ParamRow::ignored("cache-expires-sec", "compiled scripts are kept until their files change"),
];

/// One of the three files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkerSettings {
    pub settings: Settings,
    /// What runs at the start.
    pub startup: Vec<String>,
    pub hooks: Vec<LuaHook>,
}

impl WorkerSettings {
    /// Reads a file, whose absence is as good as an empty one.
    pub fn read(
        document: &Document,
        file: &str,
        language: &Language,
        variables: &Globals,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let element = document.configuration(file).and_then(|configuration| configuration.child("settings"));
        let params = element.map(|element| read_params(element, PARAMS, diagnostics)).unwrap_or_default();
        let startup = params.all("startup-script").filter(|script| !script.is_empty());
        Self {
            startup: startup.map(str::to_owned).collect(),
            settings: settings(&params, language, variables, diagnostics),
            hooks: element.map(|element| hooks(element, diagnostics)).unwrap_or_default(),
        }
    }
}

fn settings(
    params: &Params<'_>,
    language: &Language,
    variables: &Globals,
    diagnostics: &mut Diagnostics,
) -> Settings {
    let processors =
        thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(256));
    let memory = params.u64_in("memory-limit", 1024, 0..=1_048_576, diagnostics);
    let interpreter = params.get("interpreter").filter(|program| !program.is_empty());
    Settings {
        interpreter: interpreter.unwrap_or(language.interpreter).into(),
        scripts: PathBuf::from(variables.get("script_dir").as_deref().unwrap_or_default()),
        workers: params.u32_in("workers", processors.min(256), 1..=256, diagnostics) as usize,
        queue: params.u32_in("queue", 1000, 1..=100_000, diagnostics) as usize,
        time_limit: Some(Duration::from_secs(params.u64_in("time-limit", 10, 1..=3600, diagnostics))),
        memory_limit: Some(memory << 20).filter(|octets| *octets > 0),
        reload_always: reload_always(params, diagnostics),
    }
}

fn reload_always(params: &Params<'_>, diagnostics: &mut Diagnostics) -> bool {
    match params.get("reload") {
        None | Some("" | "changed") => false,
        Some("always") => true,
        Some(other) => {
            let text = format!("reload: `{other}` is neither changed nor always");
            diagnostics.error(params.at("reload").cloned(), text).instead("changed or always");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_script::worker::PYTHON;

    fn read(settings: &str) -> (WorkerSettings, String) {
        let text = format!(
            "<document><section name=\"configuration\"><configuration name=\"python.conf\"><settings>{settings}\
             </settings></configuration></section></document>"
        );
        let (document, mut diagnostics) = chappe_config::parse_fragment(&text, "python.conf.xml");
        let variables = Globals::new();
        variables.set("script_dir", "/scripts");
        let settings = WorkerSettings::read(&document, "python.conf", &PYTHON, &variables, &mut diagnostics);
        (settings, diagnostics.to_string())
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        let (settings, wrong) = read("");
        assert_eq!(wrong, "");
        let expected = Settings {
            interpreter: "python3".into(),
            scripts: "/scripts".into(),
            workers: settings.settings.workers,
            queue: 1000,
            time_limit: Some(Duration::from_secs(10)),
            memory_limit: Some(1 << 30),
            reload_always: false,
        };
        assert!(settings.settings.workers >= 1);
        assert_eq!(settings, WorkerSettings { settings: expected, startup: Vec::new(), hooks: Vec::new() });
    }

    #[test]
    fn each_param_is_heeded() {
        let (settings, wrong) = read(
            "<param name=\"interpreter\" value=\"/venv/bin/python3\"/><param name=\"startup-script\" value=\"a\"/>\
             <param name=\"startup-script\" value=\"b\"/><param name=\"workers\" value=\"3\"/>\
             <param name=\"queue\" value=\"4\"/><param name=\"time-limit\" value=\"5\"/>\
             <param name=\"memory-limit\" value=\"0\"/><param name=\"reload\" value=\"always\"/>",
        );
        assert_eq!(wrong, "");
        let expected = Settings {
            interpreter: "/venv/bin/python3".into(),
            scripts: "/scripts".into(),
            workers: 3,
            queue: 4,
            time_limit: Some(Duration::from_secs(5)),
            memory_limit: None,
            reload_always: true,
        };
        let startup = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(settings, WorkerSettings { settings: expected, startup, hooks: Vec::new() });
        assert!(read("<param name=\"reload\" value=\"never\"/>").1.contains("neither changed nor always"));
    }
}
