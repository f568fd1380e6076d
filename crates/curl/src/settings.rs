//! `curl.conf`.

use std::time::Duration;

use chappe_config::{Diagnostics, Document, ParamRow, read_params};

/// The params of `curl.conf`.
pub const PARAMS: &[ParamRow] = &[
    ParamRow::used("max-bytes", "1..1073741824", "1048576", "How long a response's body may be."),
    ParamRow::used(
        "validate-certs",
        "true|false",
        "true",
        "Check the certificates of https servers; a request's words `secure` and `insecure` say it for that request.",
    ),
    ParamRow::used("connect-timeout", "1..3600 seconds", "5", "How long connecting may take."),
    ParamRow::used(
        "timeout",
        "1..3600 seconds",
        "30",
        "How long a request may take, from the name's resolution on.",
    ),
    ParamRow::used(
        "max-requests",
        "1..100000",
        "100",
        "How many requests may be under way; one more fails at once.",
    ),
];

/// `curl.conf`.
///
/// Deviation: FreeSWITCH checks no certificates unless `validate-certs` is set, waits without end, and takes 64000
/// octets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CurlSettings {
    pub max_bytes: usize,
    pub validate_certs: bool,
    pub connect_timeout: Duration,
    pub timeout: Duration,
    pub max_requests: usize,
}

impl Default for CurlSettings {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            validate_certs: true,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_requests: 100,
        }
    }
}

impl CurlSettings {
    /// Reads `curl.conf`, whose absence is as good as an empty one.
    pub fn read(document: &Document, d: &mut Diagnostics) -> Self {
        let settings =
            document.configuration("curl.conf").and_then(|configuration| configuration.child("settings"));
        let params = settings.map(|settings| read_params(settings, PARAMS, d)).unwrap_or_default();
        Self {
            max_bytes: params.u32_in("max-bytes", 1 << 20, 1..=1 << 30, d) as usize,
            validate_certs: params.bool("validate-certs", true, d),
            connect_timeout: Duration::from_secs(params.u64_in("connect-timeout", 5, 1..=3600, d)),
            timeout: Duration::from_secs(params.u64_in("timeout", 30, 1..=3600, d)),
            max_requests: params.u32_in("max-requests", 100, 1..=100_000, d) as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: impl Fn(&ParamRow) -> String) -> (CurlSettings, String) {
        let params: String = PARAMS
            .iter()
            .map(|row| format!("<param name=\"{}\" value=\"{}\"/>", row.name, values(row)))
            .collect();
        let text = format!(
            "<document><section name=\"configuration\"><configuration name=\"curl.conf\"><settings>{params}\
             </settings></configuration></section></document>"
        );
        let (document, mut diagnostics) = chappe_config::parse_fragment(&text, "curl.conf.xml");
        let settings = CurlSettings::read(&document, &mut diagnostics);
        (settings, diagnostics.to_string())
    }

    #[test]
    fn the_table_says_the_defaults() {
        let (said, wrong) = read(|row| row.default.to_owned());
        assert_eq!((said, wrong.as_str()), (CurlSettings::default(), ""));
    }

    #[test]
    fn each_param_is_heeded() {
        let value = |row: &ParamRow| if row.name == "validate-certs" { "false" } else { "7" }.to_owned();
        let (said, wrong) = read(value);
        let seven = Duration::from_secs(7);
        let expected = CurlSettings {
            max_bytes: 7,
            validate_certs: false,
            connect_timeout: seven,
            timeout: seven,
            max_requests: 7,
        };
        assert_eq!((said, wrong.as_str()), (expected, ""));
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        let (said, wrong) = read(|row| if row.name == "validate-certs" { "true" } else { "0" }.to_owned());
        assert_eq!(said, CurlSettings::default());
        assert_eq!(wrong.matches("is not a number in range").count(), 4, "{wrong}");
    }
}
