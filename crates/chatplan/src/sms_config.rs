//! `sms.conf`.

use std::time::Duration;

use chappe_config::{Diagnostics, Document, ParamRow, ParamStatus, read_params};

/// What `sms.conf` may say.
pub const SMS_PARAMS: [ParamRow; 4] = [
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
];

/// `sms.conf`, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SmsConfig {
    pub freeswitch_quirks: bool,
    pub allow_system: bool,
    pub system_timeout: Duration,
    pub accept_after: Duration,
}

impl SmsConfig {
    /// Reads `sms.conf`, whose absence is as good as an empty one.
    pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Self {
        let settings =
            document.configuration("sms.conf").and_then(|configuration| configuration.child("settings"));
        let params =
            settings.map(|settings| read_params(settings, &SMS_PARAMS, diagnostics)).unwrap_or_default();
        Self {
            freeswitch_quirks: params.bool("freeswitch-quirks", false, diagnostics),
            allow_system: params.bool("allow-system", false, diagnostics),
            system_timeout: Duration::from_secs(params.u64_in("system-timeout", 10, 1..=3_600, diagnostics)),
            accept_after: Duration::from_secs(params.u64_in("accept-after", 2, 0..=30, diagnostics)),
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
             <param name=\"system-timeout\" value=\"3\"/><param name=\"accept-after\" value=\"0\"/>",
        );
        assert!(diagnostics.is_empty(), "{diagnostics}");
        let expect = SmsConfig {
            freeswitch_quirks: true,
            allow_system: true,
            system_timeout: Duration::from_secs(3),
            accept_after: Duration::ZERO,
        };
        assert_eq!(config, expect);
    }
}
