//! `sms.conf`.

use std::path::PathBuf;
use std::time::Duration;

use chappe_config::{Diagnostics, Document, ParamRow, ParamStatus, Params, read_params};

/// What `sms.conf` may say.
pub const SMS_PARAMS: [ParamRow; 13] = [
    ParamRow {
        name: "freeswitch-quirks",
        syntax: "true|false",
        default: "false",
        doc: "Do as FreeSWITCH does where the default is better: a matched message is delivered as well, each MESSAGE \
              is answered 202 at once, any From is believed, ${body} is empty, Content-Type loses its parameters, \
              is-composing is dropped, reports are rare.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "allow-system",
        syntax: "true|false",
        default: "false",
        doc: "Let chatplans and the event socket run commands of the machine: the app and the API command system.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "system-timeout",
        syntax: "1..3600",
        default: "10",
        doc: "Seconds after which a command of the app system is killed.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "accept-after",
        syntax: "0..30",
        default: "2",
        doc: "Seconds that a sender waits for a device's answer before the message is accepted without one.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "store",
        syntax: "<file>|memory|none",
        default: "messages.db",
        doc: "Where messages wait that can't be delivered at once, and users' registrations survive a restart: an SQLite \
              file, in the folder of the global variable db_dir unless it says where; memory, which ends with the server; \
              or nowhere, so that a message to somebody who is not there is refused. Read when the server starts.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "message-ttl",
        syntax: "1..31536000",
        default: "604800",
        doc: "Seconds that a message is kept at most; its sender's Expires makes it less.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "message-history",
        syntax: "0..31536000",
        default: "86400",
        doc: "Seconds that a message which was kept is remembered once it is delivered, refused or expired.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "retry-intervals",
        syntax: "<seconds>[,<seconds>...]",
        default: "30,60,120,300,900,1800,3600",
        doc: "Seconds between attempts at a recipient who does not take a message, give or take a tenth; the last one \
              repeats. A registration is an attempt at once.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "offline-copy",
        syntax: "first|every-device",
        default: "first",
        doc: "Which of a user's devices get a message that waited: the first that takes it, or each that comes before the \
              message runs out.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "max-waiting-per-user",
        syntax: "1..1000000",
        default: "1000",
        doc: "Messages that may wait for one recipient; more are refused with 480.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "max-waiting-per-sender",
        syntax: "0..100000000",
        default: "100000",
        doc: "Messages of one sender, to all recipients together, that may wait; more are refused with 480. 0: no limit. \
              Those that waited when the server started are not counted.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "max-waiting",
        syntax: "1..100000000",
        default: "5000000",
        doc: "Messages that may wait in all; more are refused with 503.",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "duplicate-window",
        syntax: "0..86400",
        default: "300",
        doc: "Seconds in which a message of the same sender with the same Message-ID header is answered and not delivered \
              again.",
        status: ParamStatus::Used,
    },
];

/// `sms.conf`, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmsConfig {
    pub freeswitch_quirks: bool,
    pub allow_system: bool,
    pub system_timeout: Duration,
    pub accept_after: Duration,
    pub store: StoreChoice,
    pub message_ttl: Duration,
    pub message_history: Duration,
    /// At least one.
    pub retry_intervals: Vec<Duration>,
    /// Every device gets its copy, not the first alone.
    pub copies_for_all: bool,
    pub max_waiting_per_user: u64,
    /// 0: no limit.
    pub max_waiting_per_sender: u64,
    pub max_waiting: u64,
    pub duplicate_window: Duration,
}

/// Where messages wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreChoice {
    /// As it is written; a relative path is one in the folder `db_dir`.
    File(PathBuf),
    Memory,
    Nowhere,
}

impl StoreChoice {
    fn read(written: &str) -> Self {
        match written.trim() {
            "" => Self::File("messages.db".into()),
            "memory" => Self::Memory,
            "none" => Self::Nowhere,
            file => Self::File(file.into()),
        }
    }
}

impl SmsConfig {
    /// Reads `sms.conf`, whose absence is as good as an empty one.
    pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Self {
        let settings =
            document.configuration("sms.conf").and_then(|configuration| configuration.child("settings"));
        let params =
            settings.map(|settings| read_params(settings, &SMS_PARAMS, diagnostics)).unwrap_or_default();
        let mut seconds = |name: &str, default: u64, most: u64, least: u64| {
            Duration::from_secs(params.u64_in(name, default, least..=most, diagnostics))
        };
        let message_ttl = seconds("message-ttl", 604_800, YEAR, 1);
        let message_history = seconds("message-history", 86_400, YEAR, 0);
        let duplicate_window = seconds("duplicate-window", 300, 86_400, 0);
        let copies = params.one_of("offline-copy", "first", &["first", "every-device"], diagnostics);
        Self {
            freeswitch_quirks: params.bool("freeswitch-quirks", false, diagnostics),
            allow_system: params.bool("allow-system", false, diagnostics),
            system_timeout: Duration::from_secs(params.u64_in("system-timeout", 10, 1..=3_600, diagnostics)),
            accept_after: Duration::from_secs(params.u64_in("accept-after", 2, 0..=30, diagnostics)),
            store: StoreChoice::read(params.get_or("store", "")),
            message_ttl,
            message_history,
            retry_intervals: intervals(&params, diagnostics),
            copies_for_all: copies != "first",
            max_waiting_per_user: params.u64_in("max-waiting-per-user", 1000, 1..=1_000_000, diagnostics),
            max_waiting_per_sender: params.u64_in(
                "max-waiting-per-sender",
                100_000,
                0..=100_000_000,
                diagnostics,
            ),
            max_waiting: params.u64_in("max-waiting", 5_000_000, 1..=100_000_000, diagnostics),
            duplicate_window,
        }
    }
}

/// Seconds of one.
const YEAR: u64 = 31_536_000;
/// Intervals that may be named.
const MAX_INTERVALS: usize = 32;

fn intervals(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Vec<Duration> {
    let default = [30, 60, 120, 300, 900, 1800, 3600].map(Duration::from_secs).to_vec();
    let (Some(written), Some(at)) = (params.get("retry-intervals"), params.at("retry-intervals")) else {
        return default;
    };
    let seconds = |text: &str| text.trim().parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
    let named: Option<Vec<u64>> = written.split(',').map(seconds).collect();
    match named.filter(|named| named.len() <= MAX_INTERVALS) {
        Some(named) => named.into_iter().map(Duration::from_secs).collect(),
        None => {
            diagnostics
                .error(at, format!("retry-intervals: `{written}` is no list of times"))
                .instead("up to 32 numbers of seconds from 1 to 86400, with commas between");
            default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &str) -> (SmsConfig, Diagnostics) {
        let text = format!(
            "<document><section name=\"configuration\"><configuration name=\"sms.conf\"><settings>{settings}\
             </settings></configuration></section></document>"
        );
        let (document, mut diagnostics) = chappe_config::parse_fragment(&text, "sms.conf.xml");
        let config = SmsConfig::read(&document, &mut diagnostics);
        (config, diagnostics)
    }

    #[test]
    fn the_table_says_the_defaults() {
        let said: String = SMS_PARAMS
            .iter()
            .map(|row| format!("<param name=\"{}\" value=\"{}\"/>", row.name, row.default))
            .collect();
        let (said, diagnostics) = read(&said);
        assert!(diagnostics.is_empty(), "{diagnostics}");
        assert_eq!(said, read("").0);
        assert_eq!(said, SmsConfig::read(&Document::default(), &mut Diagnostics::new()));
    }

    #[test]
    fn each_param_is_heeded() {
        let (config, diagnostics) = read(
            "<param name=\"freeswitch-quirks\" value=\"true\"/><param name=\"allow-system\" value=\"yes\"/>\
             <param name=\"system-timeout\" value=\"3\"/><param name=\"accept-after\" value=\"0\"/>\
             <param name=\"store\" value=\"memory\"/><param name=\"message-ttl\" value=\"60\"/>\
             <param name=\"message-history\" value=\"0\"/><param name=\"retry-intervals\" value=\"5, 10\"/>\
             <param name=\"offline-copy\" value=\"every-device\"/><param name=\"max-waiting\" value=\"9\"/>\
             <param name=\"max-waiting-per-user\" value=\"3\"/><param name=\"max-waiting-per-sender\" value=\"4\"/>\
             <param name=\"duplicate-window\" value=\"7\"/>",
        );
        assert!(diagnostics.is_empty(), "{diagnostics}");
        let expect = SmsConfig {
            freeswitch_quirks: true,
            allow_system: true,
            system_timeout: Duration::from_secs(3),
            accept_after: Duration::ZERO,
            store: StoreChoice::Memory,
            message_ttl: Duration::from_secs(60),
            message_history: Duration::ZERO,
            retry_intervals: vec![Duration::from_secs(5), Duration::from_secs(10)],
            copies_for_all: true,
            max_waiting_per_user: 3,
            max_waiting_per_sender: 4,
            max_waiting: 9,
            duplicate_window: Duration::from_secs(7),
        };
        assert_eq!(config, expect);
    }

    #[test]
    fn what_is_no_list_of_times_is_an_error() {
        for wrong in ["soon", "0", "30,,60", "30 60"] {
            let (config, diagnostics) = read(&format!("<param name=\"retry-intervals\" value=\"{wrong}\"/>"));
            assert!(diagnostics.has_errors(), "{wrong}");
            assert_eq!(config.retry_intervals.len(), 7);
        }
    }
}
