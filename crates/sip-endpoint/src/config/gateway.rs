//! One gateway of a profile: another server that messages leave through and come in from.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use chappe_config::{Diagnostics, Element, Params, read_params};
use chappe_sip_msg::{Scheme, Uri};
use chappe_sip_proto::Transport;

use super::GATEWAY_PARAMS;

/// A password that no log line can show.
#[derive(Clone, Default, PartialEq)]
pub struct Password(String);

impl Password {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "set" })
    }
}

/// How a gateway is told who the sender is where From is the gateway's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerId {
    None,
    /// Remote-Party-ID.
    Rpid,
    /// P-Asserted-Identity, RFC 3325.
    Pid,
}

/// A variable of a gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayVariable {
    pub name: String,
    pub value: String,
    pub inbound: bool,
    pub outbound: bool,
}

/// Host, port and transport of the next hop, as far as they are written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    pub host: String,
    pub port: Option<u16>,
    pub transport: Option<Transport>,
}

impl Hop {
    /// Of a SIP URI, or of what comes after its `sip:`.
    pub fn parse(text: &str) -> Option<Self> {
        let uri = with_scheme(text);
        let uri = Uri::parse(uri.as_bytes()).ok()?;
        let transport = match uri.param("transport") {
            // RFC 3261 §26.2.2.
            _ if uri.scheme == Scheme::Sips => Some(Transport::Tls),
            Some(name) => Some(Transport::parse(name)?),
            None => None,
        };
        let host = String::from_utf8_lossy(uri.host).into_owned();
        (!host.is_empty()).then_some(Self { host, port: uri.port, transport })
    }

    /// The address, where nothing has to be looked up.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

fn with_scheme(text: &str) -> String {
    let text = text.trim();
    let has_one = starts_with_scheme(text, "sip:") || starts_with_scheme(text, "sips:");
    if has_one { text.to_owned() } else { format!("sip:{text}") }
}

fn starts_with_scheme(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// A gateway as written, with every default filled in. FreeSWITCH sofia.c parse_gateways.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayConfig {
    pub name: String,
    pub username: String,
    pub auth_username: String,
    pub password: Password,
    pub realm: String,
    pub from_user: String,
    pub from_domain: Option<String>,
    /// What `extension` says; `auto_to_user` as it is.
    pub extension: Option<String>,
    /// Without `sip:`.
    pub proxy: String,
    pub register_proxy: Option<String>,
    pub outbound_proxy: Option<String>,
    pub register: bool,
    /// `register-transport`, where it is written.
    pub transport: Option<Transport>,
    pub expire_seconds: u32,
    pub retry_seconds: u32,
    /// Where nobody answered; 0: as `retry_seconds`.
    pub retry_unanswered: u32,
    pub timeout_seconds: u32,
    pub caller_id_in_from: bool,
    pub caller_id: CallerId,
    pub contact_params: String,
    pub contact_host: Option<String>,
    pub extension_in_contact: bool,
    /// Seconds between pings; 0: none.
    pub ping: u32,
    pub ping_max: u32,
    pub ping_min: u32,
    pub ping_user_agent: Option<String>,
    pub contact_in_ping: bool,
    pub ping_monitoring: bool,
    pub context: String,
    pub distinct_to: bool,
    pub destination_prefix: String,
    pub auth_acl: Option<String>,
    pub variables: Vec<GatewayVariable>,
}

impl GatewayConfig {
    /// The gateways of a profile. One that can't work is a warning and left out, as in FreeSWITCH: the others stand.
    pub fn read_all(profile: &Element, context: &str, diagnostics: &mut Diagnostics) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for element in profile.listed("gateways", "gateway") {
            let Some(gateway) = Self::read(element, context, diagnostics) else { continue };
            if all.iter().any(|known| known.name == gateway.name) {
                let text = format!("gateway {} stands twice; the first one counts", gateway.name);
                diagnostics.warning(element.at.clone(), text);
                continue;
            }
            all.push(gateway);
        }
        all
    }

    fn read(element: &Element, context: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        let name = element.attr("name").unwrap_or_default();
        if !is_name(name) {
            let text = format!("`{name}` is no name for a gateway, which is left out");
            diagnostics.warning(element.at.clone(), text).instead("letters, digits, `.`, `-` and `_`");
            return None;
        }
        let params = read_params(element.child("params").unwrap_or(element), &GATEWAY_PARAMS, diagnostics);
        let reader = Reader { params, diagnostics };
        let result = reader.gateway(name, context, variables(element));
        result
            .map_err(|why| {
                diagnostics.warning(element.at.clone(), format!("gateway {name} is left out: {why}"));
            })
            .ok()
    }

    /// Where REGISTER goes.
    pub fn registrar_hop(&self) -> Hop {
        self.hop(self.register_proxy.as_deref().unwrap_or(&self.proxy))
    }

    /// Whether it registers by TLS: what comes from it comes by TLS then, too.
    pub fn is_by_tls(&self) -> bool {
        self.registrar_hop().transport == Some(Transport::Tls)
    }

    /// Where MESSAGE goes.
    pub fn message_hop(&self) -> Hop {
        self.hop(self.outbound_proxy.as_deref().unwrap_or(&self.proxy))
    }

    fn hop(&self, text: &str) -> Hop {
        // `read` has left out what can't be parsed.
        let hop = Hop::parse(text).unwrap_or(Hop { host: text.to_owned(), port: None, transport: None });
        Hop { transport: hop.transport.or(self.transport), ..hop }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn variables(element: &Element) -> Vec<GatewayVariable> {
    let parent = element.child("variables").unwrap_or(element);
    let variable = |variable: &Element| {
        let (name, value) = (one_line(variable.attr("name")?), one_line(variable.attr("value")?));
        let direction = variable.attr("direction").unwrap_or_default();
        let inbound = !direction.eq_ignore_ascii_case("outbound");
        let outbound = !direction.eq_ignore_ascii_case("inbound");
        Some(GatewayVariable { name, value, inbound, outbound })
    };
    parent.children_named("variable").filter_map(variable).collect()
}

/// A line break could never leave in a header again.
fn one_line(text: &str) -> String {
    text.replace(|letter: char| letter.is_control(), " ")
}

struct Reader<'a, 'd> {
    params: Params<'a>,
    diagnostics: &'d mut Diagnostics,
}

impl Reader<'_, '_> {
    /// `Err`: why it can't work.
    fn gateway(
        mut self,
        name: &str,
        context: &str,
        variables: Vec<GatewayVariable>,
    ) -> Result<GatewayConfig, String> {
        let register = self.params.bool("register", true, self.diagnostics);
        let needed = |value: Option<String>, param: &str, otherwise: &str| match value {
            Some(value) => Ok(value),
            None if register => Err(format!("it registers, and has no {param}")),
            None => Ok(otherwise.to_owned()),
        };
        let username = needed(self.text("username"), "username", "FreeSWITCH")?;
        let password = needed(self.text("password"), "password", "")?;
        let (realm, proxy) = (self.text("realm"), self.text("proxy"));
        let realm = realm.or_else(|| proxy.clone()).unwrap_or_else(|| name.to_owned());
        let proxy = bare(&proxy.unwrap_or_else(|| realm.clone()));
        let register_proxy = self.text("register-proxy").map(|text| bare(&text));
        let outbound_proxy = self.text("outbound-proxy").map(|text| bare(&text));
        for hop in [Some(&proxy), register_proxy.as_ref(), outbound_proxy.as_ref()].into_iter().flatten() {
            spoken(hop)?;
        }
        Ok(GatewayConfig {
            name: name.to_owned(),
            auth_username: self.text("auth-username").unwrap_or_else(|| username.clone()),
            from_user: self.text("from-user").unwrap_or_else(|| username.clone()),
            username,
            password: Password(password),
            realm,
            from_domain: self.text("from-domain"),
            extension: self.text("extension"),
            proxy,
            register_proxy,
            outbound_proxy,
            register,
            transport: self.transport()?,
            expire_seconds: self.seconds("expire-seconds", 3600, 5..=604_800),
            retry_seconds: self.retry_seconds(),
            retry_unanswered: self.seconds("908-retry-seconds", 0, 0..=86_400),
            timeout_seconds: self.seconds("timeout-seconds", 60, 5..=3600),
            caller_id_in_from: self.bool("caller-id-in-from"),
            caller_id: self.caller_id(),
            contact_params: self.text("contact-params").unwrap_or_default(),
            contact_host: self.text("contact-host"),
            extension_in_contact: self.bool("extension-in-contact"),
            ping: self.ping(),
            ping_max: self.seconds("ping-max", 1, 1..=1000),
            ping_min: self.seconds("ping-min", 1, 0..=1000),
            ping_user_agent: self.text("ping-user-agent"),
            contact_in_ping: self.bool("contact-in-ping"),
            ping_monitoring: self.bool("ping-monitoring"),
            context: self.text("context").unwrap_or_else(|| context.to_owned()),
            distinct_to: self.bool("distinct-to"),
            destination_prefix: self.text("destination-prefix").unwrap_or_default(),
            auth_acl: self.text("gw-auth-acl"),
            variables,
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        self.params.get(name).map(one_line).filter(|text| !text.trim().is_empty())
    }

    fn bool(&mut self, name: &str) -> bool {
        self.params.bool(name, false, self.diagnostics)
    }

    /// As FreeSWITCH, a number that will not do is a warning, and the default is taken.
    fn seconds(&mut self, name: &str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let Some(text) = self.text(name) else { return default };
        match text.trim().parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let at = self.params.at(name).cloned();
                self.diagnostics
                    .warning(at, format!("{name}: `{text}` will not do, {default} is taken"))
                    .instead(format!("a number from {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    fn retry_seconds(&mut self) -> u32 {
        let older = self.seconds("retry_seconds", 30, 5..=86_400);
        self.seconds("retry-seconds", older, 5..=86_400)
    }

    fn ping(&mut self) -> u32 {
        if self.text("ping").is_some_and(|text| text.trim() == "0") {
            return 0;
        }
        self.seconds("ping", 0, 5..=86_400)
    }

    fn transport(&self) -> Result<Option<Transport>, String> {
        let Some(text) = self.text("register-transport") else { return Ok(None) };
        match Transport::parse(text.trim().as_bytes()) {
            Some(transport @ (Transport::Udp | Transport::Tcp | Transport::Tls)) => Ok(Some(transport)),
            _ => Err(format!("register-transport {text} is not offered")),
        }
    }

    fn caller_id(&self) -> CallerId {
        let text = self.text("sip_cid_type").or_else(|| self.text("cid-type"));
        match text.as_deref().map(str::trim) {
            Some("rpid") => CallerId::Rpid,
            Some("pid") => CallerId::Pid,
            _ => CallerId::None,
        }
    }
}

fn bare(text: &str) -> String {
    let text = text.trim();
    text[if starts_with_scheme(text, "sip:") { 4 } else { 0 }..].to_owned()
}

fn spoken(hop: &str) -> Result<(), String> {
    match Hop::parse(hop) {
        // All of a gateway's addresses are `sip:`, and this one would become `sip:sips:`.
        Some(_) if starts_with_scheme(hop, "sips:") => {
            Err(format!("{hop}: sips is not offered; write the host, and register-transport tls"))
        }
        Some(Hop { transport: None | Some(Transport::Udp | Transport::Tcp | Transport::Tls), .. }) => Ok(()),
        Some(_) => Err(format!("{hop} asks for a transport that is not offered")),
        None => Err(format!("{hop} is no host")),
    }
}
