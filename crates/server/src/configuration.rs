//! The configuration, compiled: what everybody's part of it says, and all that is wrong with it.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use chappe_chatplan::{Plan, SmsConfig};
use chappe_config::acl::{AclLists, LocalNet};
use chappe_config::{Diagnostics, Document, Loaded, modules};
use chappe_curl::CurlSettings;
use chappe_directory::Directory;
use chappe_erlang::ErlangConfig;
use chappe_event::Globals;
use chappe_event_socket::EventSocketConfig;
use chappe_script::worker::{JAVASCRIPT, PERL, PYTHON};
use chappe_sip_endpoint::SofiaConfig;
use chappe_xml_curl::XmlCurlSettings;

use crate::bound_configurations;
use crate::logging::{ConsoleConfig, LogfileConfig};
use crate::lua_conf::LuaSettings;
use crate::plan_check;
use crate::source::Source;
use crate::switch_conf::SwitchConfig;
use crate::worker_conf::WorkerSettings;

/// The configurations that somebody here reads.
const READ: [&str; 19] = [
    "acl.conf",
    "console.conf",
    "curl.conf",
    "db.conf",
    "erlang_event.conf",
    "event_socket.conf",
    "hash.conf",
    "logfile.conf",
    "lua.conf",
    "modules.conf",
    "perl.conf",
    "post_load_modules.conf",
    "pre_load_modules.conf",
    "python.conf",
    "sms.conf",
    "sofia.conf",
    "switch.conf",
    "v8.conf",
    "xml_curl.conf",
];

/// Who is asked for a configuration, and which modules there are, the files alone say.
const OF_FILES: [&str; 4] =
    ["modules.conf", "post_load_modules.conf", "pre_load_modules.conf", "xml_curl.conf"];

/// Everything a configuration says. With errors it is what could be understood.
pub struct Configuration {
    /// As it was written, all files in one: for the API commands that show it.
    pub document: Arc<Document>,
    pub globals: Vec<(String, String)>,
    /// The modules that are asked for, in order; those that there are not have been reported.
    pub modules: Vec<String>,
    pub switch: SwitchConfig,
    pub console: ConsoleConfig,
    pub logfile: LogfileConfig,
    pub event_socket: EventSocketConfig,
    pub erlang: ErlangConfig,
    pub sms: SmsConfig,
    pub curl: CurlSettings,
    pub lua: LuaSettings,
    pub python: WorkerSettings,
    pub perl: WorkerSettings,
    pub javascript: WorkerSettings,
    pub sofia: SofiaConfig,
    pub xml_curl: XmlCurlSettings,
    pub directory: Arc<Directory>,
    pub acl: Arc<AclLists>,
    pub plan: Arc<Plan>,
    /// All that is wrong with it.
    pub diagnostics: Diagnostics,
}

impl Configuration {
    /// Reads and compiles all of it. `presets` are the global variables there are before its first line. Blocks: files
    /// are read.
    pub fn read(source: &Source, presets: &[(String, String)]) -> Self {
        Self::compile(source.load(presets), None)
    }

    /// The same, with the configurations that web servers answer. Blocks until they have; `hostname` says who asks.
    pub fn read_and_ask(source: &Source, presets: &[(String, String)], hostname: &str) -> Self {
        Self::compile(source.load(presets), Some(hostname))
    }

    fn compile(loaded: Loaded, hostname: Option<&str>) -> Self {
        let mut diagnostics = loaded.diagnostics;
        let mut document = loaded.document;
        let globals = loaded.globals;
        let variables = Globals::new();
        variables.replace_all(globals.iter().map(|(name, value)| (name, value)));
        let log_dir = PathBuf::from(variables.get("log_dir").as_deref().unwrap_or_default());

        let local = local_net(&variables);

        let asked = modules::read(&document, &mut diagnostics);
        let wanted: Vec<_> = asked.iter().map(|module| module.name.to_owned()).collect();
        let xml_curl = XmlCurlSettings::read(&document, &mut diagnostics);
        if let Some(hostname) = hostname.filter(|_| wanted.iter().any(|name| name == chappe_xml_curl::MODULE))
        {
            let names: Vec<_> = READ.into_iter().filter(|name| !OF_FILES.contains(name)).collect();
            let name = SwitchConfig::read(&document, &mut Diagnostics::new()).switchname;
            let hostname = name.as_deref().unwrap_or(hostname);
            bound_configurations::answer(&mut document, &xml_curl, hostname, &names, &mut diagnostics);
        }
        modules::report_unread(&document, &READ, &mut diagnostics);
        chappe_tables::check_db(&document, &mut diagnostics);
        chappe_tables::check_hash(&document, &mut diagnostics);
        let directory = Directory::compile(&document, &mut diagnostics);
        chappe_sip_endpoint::check_directory(&document, &mut diagnostics);
        let workers = |file, language, diagnostics: &mut Diagnostics| {
            WorkerSettings::read(&document, file, language, &variables, diagnostics)
        };
        let mut configuration = Self {
            modules: wanted,
            switch: SwitchConfig::read(&document, &mut diagnostics),
            console: ConsoleConfig::read(&document, &mut diagnostics),
            logfile: LogfileConfig::read(&document, &log_dir, &mut diagnostics),
            event_socket: EventSocketConfig::read(&document, &mut diagnostics),
            erlang: ErlangConfig::read(&document, &mut diagnostics),
            sms: SmsConfig::read(&document, &mut diagnostics),
            curl: CurlSettings::read(&document, &mut diagnostics),
            lua: LuaSettings::read(&document, &variables, &mut diagnostics),
            python: workers("python.conf", &PYTHON, &mut diagnostics),
            perl: workers("perl.conf", &PERL, &mut diagnostics),
            javascript: workers("v8.conf", &JAVASCRIPT, &mut diagnostics),
            sofia: SofiaConfig::read(&document, &mut diagnostics),
            xml_curl,
            acl: Arc::new(AclLists::compile(
                &document,
                local,
                &|domain| directory.cidrs(domain),
                &mut diagnostics,
            )),
            plan: Arc::new(Plan::compile(&document, &mut diagnostics)),
            directory: Arc::new(directory),
            globals,
            document: Arc::default(),
            diagnostics: Diagnostics::new(),
        };
        if configuration.modules.iter().any(|module| module == "mod_sms") {
            plan_check::report_apps(&configuration.plan, &mut diagnostics);
            plan_check::report_contexts(&configuration.plan, &document, &mut diagnostics);
        }
        configuration.document = Arc::new(document);
        configuration.diagnostics = diagnostics;
        configuration
    }
}

/// The network this machine is in, for acl.conf's localnet.auto.
fn local_net(variables: &Globals) -> Option<LocalNet> {
    let address = variables.get("local_ip_v4")?.parse().ok()?;
    let mask: Ipv4Addr = variables.get("local_mask_v4")?.parse().ok()?;
    let bits = u8::try_from(mask.to_bits().leading_ones()).ok()?;
    Some(LocalNet { address, bits })
}
