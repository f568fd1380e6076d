//! `xml_curl.conf`.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use chappe_config::{
    Diagnostics, Document, Element, ParamRow, Params, Section, Sections, nearest, read_params,
};

/// The params of a binding.
pub const PARAMS: &[ParamRow] = &[
    ParamRow::used(
        "gateway-url",
        "http[s]://...",
        "",
        "Who is asked. Its attribute `bindings` names the sections, as `chatplan|directory|configuration`; without it \
         every section is asked for.",
    ),
    ParamRow::used(
        "gateway-credentials",
        "user:password",
        "",
        "What the server is shown when it asks who we are.",
    ),
    ParamRow::used(
        "auth-scheme",
        "basic|digest|any",
        "basic",
        "How: `basic` shows the password unasked, `digest` never shows it, `any` does what the server asks for.",
    ),
    ParamRow::used("method", "POST|GET", "POST", "Where the fields stand: in the body, or in the URL."),
    ParamRow::used("timeout", "1..3600 seconds", "10", "How long an answer may take, from the question on."),
    ParamRow::used("connect-timeout", "1..3600 seconds", "5", "How long connecting may take."),
    ParamRow::used("response-max-bytes", "1..1073741824", "1048576", "How long an answer may be."),
    ParamRow::used(
        "max-requests",
        "1..100000",
        "100",
        "How many requests may be under way; one more waits for its turn.",
    ),
    ParamRow::used(
        "cache-time",
        "0..3600000 milliseconds",
        "5000",
        "How long a user who was found is known, where the user's attribute `cacheable` says nothing.",
    ),
    ParamRow::used(
        "cache-not-found-time",
        "0..3600000 milliseconds",
        "2000",
        "How long a user who was not found is not asked for again.",
    ),
    ParamRow::used("enable-post-var", "header", "", "Only the named headers are sent; may be repeated."),
    ParamRow::used(
        "use-dynamic-url",
        "true|false",
        "false",
        "Replace each `${name}` in the URL by the field or header of that name, percent-encoded. The configuration's \
         own variables are `$${name}`.",
    ),
    ParamRow::used("bind-local", "IP address", "", "The address that requests come from."),
    ParamRow::used("enable-cacert-check", "true|false", "true", "Check the certificate of an https server."),
    ParamRow::used(
        "enable-ssl-verifyhost",
        "true|false",
        "true",
        "Check that it is the server's own; without that, `ssl-cacert-file` has to say who may have signed it.",
    ),
    ParamRow::used(
        "ssl-cacert-file",
        "path",
        "",
        "Who may have signed it, in PEM, instead of those the system trusts.",
    ),
    ParamRow::used("ssl-cert-path", "path", "", "The certificate that the server is shown, in PEM."),
    ParamRow::used("ssl-key-path", "path", "", "Its private key, in PEM."),
    ParamRow::ignored("ssl-key-password", "the private key is read without one; protect its file instead"),
    ParamRow::ignored("ssl-version", "TLS 1.2 and 1.3 are spoken, and nothing older"),
    ParamRow::ignored("cookie-file", "every question stands for itself, and no cookies are kept"),
    ParamRow::ignored("disable-100-continue", "no request waits for 100 Continue"),
];

/// `xml_curl.conf`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct XmlCurlSettings {
    /// In the order in which they are asked.
    pub bindings: Vec<GatewaySettings>,
}

/// How the web server is shown who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Scheme {
    #[default]
    Basic,
    Digest,
    Any,
}

/// Debug leaves the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

/// One binding.
///
/// Deviation: FreeSWITCH checks no certificates unless it is asked to, and waits without end.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    pub name: String,
    pub url: String,
    pub sections: Sections,
    pub login: Option<Login>,
    pub scheme: Scheme,
    pub get: bool,
    pub timeout: Duration,
    pub connect_timeout: Duration,
    pub max_bytes: usize,
    pub max_requests: usize,
    pub cache_time: Duration,
    pub not_found_time: Duration,
    /// The headers that are sent; none means all.
    pub picked: Vec<String>,
    pub dynamic_url: bool,
    pub bind_local: Option<IpAddr>,
    pub check_certificate: bool,
    pub check_host: bool,
    pub ca_file: Option<String>,
    /// Certificate and key.
    pub certificate: Option<(String, String)>,
}

impl XmlCurlSettings {
    /// Reads `xml_curl.conf`, whose absence is as good as an empty one. A binding without a URL, as FreeSWITCH's sample
    /// has one, is a warning.
    pub fn read(document: &Document, d: &mut Diagnostics) -> Self {
        let Some(configuration) = document.configuration("xml_curl.conf") else { return Self::default() };
        let bindings = configuration.listed("bindings", "binding");
        Self { bindings: bindings.filter_map(|element| binding(element, d)).collect() }
    }
}

fn binding(element: &Element, d: &mut Diagnostics) -> Option<GatewaySettings> {
    let name = element.attr_or("name", "N/A").to_owned();
    let params = read_params(element, PARAMS, d);
    let Some(url) = params.get("gateway-url").map(str::trim).filter(|url| !url.is_empty()) else {
        d.warning(&element.at, format!("binding {name} has no gateway-url: nobody is asked"))
            .instead("<param name=\"gateway-url\" value=\"http://...\" bindings=\"chatplan\"/>");
        return None;
    };
    let scheme = url.split("://").next().unwrap_or_default();
    if !["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) || !url.contains("://") {
        d.error(
            params.at("gateway-url").unwrap_or(&element.at),
            "gateway-url: only http and https are spoken",
        )
        .instead("http://... or https://...");
        return None;
    }
    Some(settings(name, url.to_owned(), element, &params, d))
}

fn settings(
    name: String,
    url: String,
    element: &Element,
    params: &Params<'_>,
    d: &mut Diagnostics,
) -> GatewaySettings {
    let seconds =
        |name, default, d: &mut Diagnostics| Duration::from_secs(params.u64_in(name, default, 1..=3600, d));
    let millis = |name, default, d: &mut Diagnostics| {
        Duration::from_millis(params.u64_in(name, default, 0..=3_600_000, d))
    };
    let text = |name| params.get(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    GatewaySettings {
        sections: sections(element, d),
        login: login(params, d),
        scheme: scheme(params, d),
        get: params.one_of("method", "POST", &["POST", "GET"], d) == "GET",
        timeout: seconds("timeout", 10, d),
        connect_timeout: seconds("connect-timeout", 5, d),
        max_bytes: params.u32_in("response-max-bytes", 1 << 20, 1..=1 << 30, d) as usize,
        max_requests: params.u32_in("max-requests", 100, 1..=100_000, d) as usize,
        cache_time: millis("cache-time", 5000, d),
        not_found_time: millis("cache-not-found-time", 2000, d),
        picked: params.all("enable-post-var").map(str::to_owned).collect(),
        dynamic_url: params.bool("use-dynamic-url", false, d),
        bind_local: params.ip("bind-local", d),
        check_certificate: params.bool("enable-cacert-check", true, d),
        check_host: check_host(params, d),
        ca_file: text("ssl-cacert-file"),
        certificate: certificate(text("ssl-cert-path"), text("ssl-key-path"), element, d),
        name,
        url,
    }
}

/// The attribute `bindings` of `gateway-url`; of two such params the last counts.
fn sections(element: &Element, d: &mut Diagnostics) -> Sections {
    let is_url = |param: &&Element| param.attr_or("name", "").eq_ignore_ascii_case("gateway-url");
    let Some(param) = element.children_named("param").filter(is_url).last() else { return Sections::ALL };
    let text = param.attr_or("bindings", "");
    for word in text.split(['|', ',', ' ']).filter(|word| !word.is_empty()) {
        match (Section::parse(word), word.to_ascii_lowercase().as_str()) {
            (Some(Section::Dialplan | Section::Languages), word) => {
                d.warning(
                    &param.at,
                    format!("bindings: nobody asks for the {word}, as only messages are routed"),
                );
            }
            (Some(_), _) | (None, "config") => {}
            (None, word) => {
                let warning = d.warning(&param.at, format!("bindings: `{word}` is no section"));
                if let Some(near) = nearest(word, Section::ALL.into_iter().map(Section::as_str)) {
                    warning.instead(near);
                }
            }
        }
    }
    Sections::parse(text)
}

fn login(params: &Params<'_>, d: &mut Diagnostics) -> Option<Login> {
    let credentials = params.get("gateway-credentials").filter(|text| !text.is_empty())?;
    match credentials.split_once(':') {
        Some((user, password)) => Some(Login { user: user.to_owned(), password: password.to_owned() }),
        None => {
            let at = params.at("gateway-credentials").cloned();
            d.error(at, "gateway-credentials: there is no `:` in it").instead("user:password");
            None
        }
    }
}

/// FreeSWITCH's `=digest` means digest and nothing else, its `digest` basic too.
///
/// Deviation: `digest` never sends the password as it is.
fn scheme(params: &Params<'_>, d: &mut Diagnostics) -> Scheme {
    const WORDS: [(&str, Scheme); 4] = [
        ("basic", Scheme::Basic),
        ("digest", Scheme::Digest),
        ("any", Scheme::Any),
        ("anyauth", Scheme::Any),
    ];
    let written = params.get("auth-scheme").unwrap_or_default().trim();
    let word = written.strip_prefix('=').unwrap_or(written);
    if word.is_empty() {
        return Scheme::Basic;
    }
    match WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
        Some((_, scheme)) => *scheme,
        None => {
            let at = params.at("auth-scheme").cloned();
            d.error(at, format!("auth-scheme: `{word}` is not known")).instead("basic, digest or any");
            Scheme::Digest
        }
    }
}

/// Only certificates of a signer of one's own can do without the server's name.
fn check_host(params: &Params<'_>, d: &mut Diagnostics) -> bool {
    let checked = params.bool("enable-ssl-verifyhost", true, d);
    let any_signer = params.get_or("ssl-cacert-file", "").trim().is_empty();
    if !checked && any_signer && params.bool("enable-cacert-check", true, &mut Diagnostics::new()) {
        let at = params.at("enable-ssl-verifyhost").cloned();
        d.warning(at, "enable-ssl-verifyhost: counts as true without ssl-cacert-file")
            .instead("ssl-cacert-file as well, or enable-cacert-check = false");
        return true;
    }
    checked
}

fn certificate(
    certificate: Option<String>,
    key: Option<String>,
    element: &Element,
    d: &mut Diagnostics,
) -> Option<(String, String)> {
    match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (found, _) => {
            let missing = if found.is_some() { "ssl-key-path" } else { "ssl-cert-path" };
            d.error(&element.at, format!("{missing} is missing: a certificate and its key belong together"));
            None
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:..", self.user)
    }
}

impl fmt::Debug for GatewaySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, crate::gateway::place(&self.url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(binding: &str) -> (Vec<GatewaySettings>, String) {
        let text = format!(
            "<document><section name=\"configuration\"><configuration name=\"xml_curl.conf\"><bindings>\
             <binding name=\"b\">{binding}</binding></bindings></configuration></section></document>"
        );
        let (document, mut d) = chappe_config::parse_fragment(&text, "xml_curl.conf.xml");
        let settings = XmlCurlSettings::read(&document, &mut d);
        (settings.bindings, d.to_string())
    }

    fn with(params: &[(&str, &str)]) -> (Vec<GatewaySettings>, String) {
        let param = |(name, value): &(&str, &str)| format!("<param name=\"{name}\" value=\"{value}\"/>");
        read(&params.iter().map(param).collect::<String>())
    }

    #[test]
    fn the_table_says_the_defaults() {
        let url = ("gateway-url", "http://a/");
        let (plain, wrong) = with(&[url]);
        assert_eq!(wrong, "");
        let rows = PARAMS.iter().filter(|row| !row.default.is_empty());
        let defaults: Vec<_> = rows.map(|row| (row.name, row.default)).chain([url]).collect();
        assert_eq!(with(&defaults), (plain, String::new()));
    }

    #[test]
    fn each_param_is_heeded() {
        let (plain, _) = with(&[("gateway-url", "http://a/")]);
        for row in PARAMS.iter().filter(|row| row.status == chappe_config::ParamStatus::Used) {
            let value = match row.name {
                "gateway-url" => "http://b/",
                "gateway-credentials" => "a:b",
                "auth-scheme" => "=digest",
                "method" => "get",
                "use-dynamic-url" => "true",
                "enable-cacert-check" => "false",
                "bind-local" => "127.0.0.1",
                "ssl-cert-path" | "ssl-key-path" | "enable-ssl-verifyhost" => continue,
                _ => "7",
            };
            let (other, wrong) = with(&[("gateway-url", "http://a/"), (row.name, value)]);
            assert_eq!(wrong, "", "{}", row.name);
            assert!(other[0] != plain[0], "{}", row.name);
        }
        let (both, wrong) =
            with(&[("gateway-url", "http://a/"), ("ssl-cert-path", "c"), ("ssl-key-path", "k")]);
        assert_eq!((both[0].certificate.clone(), wrong), (Some(("c".into(), "k".into())), String::new()));
    }

    #[test]
    fn a_servers_name_is_checked_unless_its_signer_is_named() {
        let url = ("gateway-url", "https://a/");
        let unchecked = ("enable-ssl-verifyhost", "false");
        for (params, checked, wrong) in [
            (vec![url], true, false),
            (vec![url, unchecked], true, true),
            (vec![url, unchecked, ("ssl-cacert-file", "c")], false, false),
            (vec![url, unchecked, ("enable-cacert-check", "false")], false, false),
        ] {
            let (found, said) = with(&params);
            assert_eq!((found[0].check_host, !said.is_empty()), (checked, wrong), "{params:?} {said}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let url = ("gateway-url", "http://a/");
        for (params, expected) in [
            (vec![], "binding b has no gateway-url"),
            (vec![("gateway-url", "file:/etc/x")], "only http and https are spoken"),
            (vec![url, ("gateway-credentials", "secret")], "there is no `:` in it"),
            (vec![url, ("auth-scheme", "NTLM")], "auth-scheme: `NTLM` is not known"),
            (vec![url, ("method", "PUT")], "method: `PUT` is not known"),
            (vec![url, ("ssl-cert-path", "c")], "ssl-key-path is missing"),
            (vec![url, ("cookie-file", "c")], "no cookies are kept"),
            (vec![url, ("timeout", "-1")], "is not a number in range"),
        ] {
            let (_, wrong) = with(&params);
            assert!(wrong.contains(expected) && !wrong.contains("secret"), "{wrong}");
        }
    }

    #[test]
    fn sections_are_those_of_the_url() {
        let of = |bindings: &str| {
            let (found, wrong) =
                read(&format!("<param name=\"gateway-url\" value=\"http://a/\" bindings=\"{bindings}\"/>"));
            let is_asked = |section: &Section| found[0].sections.contains(*section);
            let names: Vec<_> = Section::ALL.into_iter().filter(is_asked).map(Section::as_str).collect();
            (names.join(" "), wrong)
        };
        assert_eq!(of("chatplan|Directory"), ("directory chatplan".to_owned(), String::new()));
        let (named, wrong) = of("chatplan|dialplan|direktory");
        assert_eq!(named, "chatplan dialplan");
        assert!(
            wrong.contains("nobody asks for the dialplan") && wrong.contains("write directory instead"),
            "{wrong}"
        );
    }

    #[test]
    fn no_secret_is_shown() {
        let (found, _) =
            with(&[("gateway-url", "http://u:hidden@a/?t=hidden"), ("gateway-credentials", "u:hidden")]);
        let shown = format!("{found:?} {:?}", found[0].login);
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
