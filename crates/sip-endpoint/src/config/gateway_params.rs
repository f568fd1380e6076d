//! The params of a gateway: the one table for reading, help and completion.

use std::sync::LazyLock;

use chappe_config::ParamRow;

const USED: &[ParamRow] = &[
    ParamRow::used("username", "NAME", "", "who registers there, and From's user"),
    ParamRow::used("password", "TEXT", "", "the password of that user"),
    ParamRow::used("auth-username", "NAME", "", "the user of digest answers, where it is not username"),
    ParamRow::used("realm", "REALM", "", "the gateway's domain, which is its proxy where none is named"),
    ParamRow::used(
        "proxy",
        "HOST[:PORT]",
        "",
        "the gateway's host, looked up as RFC 3263 says; realm where none is named",
    ),
    ParamRow::used("register-proxy", "HOST[:PORT]", "", "where REGISTER goes instead of the proxy"),
    ParamRow::used(
        "outbound-proxy",
        "HOST[:PORT]",
        "",
        "where MESSAGE goes instead of the proxy, named in Route",
    ),
    ParamRow::used("register", "true|false", "true", "register there; false: a trunk that is always there"),
    ParamRow::used(
        "register-transport",
        "udp|tcp|tls",
        "",
        "the transport; else what DNS says, and UDP without it; whose certificate will do says the profile's tls-verify-policy",
    ),
    ParamRow::used("expire-seconds", "5-604800", "3600", "how long a registration is asked for"),
    ParamRow::used(
        "retry-seconds",
        "5-86400",
        "30",
        "after a refusal, times the number of refusals in a row up to an hour",
    ),
    ParamRow::used("retry_seconds", "5-86400", "30", "the same as retry-seconds"),
    ParamRow::used("908-retry-seconds", "0-86400", "0", "when nobody answered; 0: as retry-seconds"),
    ParamRow::used("timeout-seconds", "5-3600", "60", "how long a REGISTER is waited for"),
    ParamRow::used("from-user", "NAME", "", "From's user; else username"),
    ParamRow::used("from-domain", "DOMAIN", "", "From's host; else the proxy"),
    ParamRow::used("caller-id-in-from", "true|false", "false", "From's user is the sender's, not from-user"),
    ParamRow::used(
        "sip_cid_type",
        "none|rpid|pid",
        "none",
        "name the sender in Remote-Party-ID or P-Asserted-Identity",
    ),
    ParamRow::used("cid-type", "none|rpid|pid", "none", "the same as sip_cid_type"),
    ParamRow::used(
        "extension",
        "NAME|auto_to_user",
        "",
        "whom messages to the gateway's contact are for; else username; auto_to_user: To's user",
    ),
    ParamRow::used(
        "extension-in-contact",
        "true|false",
        "false",
        "the contact's user is the extension, not gw+NAME",
    ),
    ParamRow::used("contact-params", "PARAMS", "", "params added to the contact's URI"),
    ParamRow::used("contact-host", "HOST|sip-ip", "", "the contact's host; else ext-sip-ip or the address"),
    ParamRow::used("distinct-to", "true|false", "false", "To of REGISTER is username at the proxy, not From"),
    ParamRow::used("destination-prefix", "TEXT", "", "stands before the user of each message's Request-URI"),
    ParamRow::used(
        "context",
        "NAME",
        "",
        "the chatplan context of messages that come from the gateway; else the profile's",
    ),
    ParamRow::used("ping", "5-86400", "0", "seconds between OPTIONS; 0: none"),
    ParamRow::used("ping-max", "1-1000", "1", "good pings that are counted at most"),
    ParamRow::used("ping-min", "0-1000", "1", "good pings that make the gateway UP; fewer make it DOWN"),
    ParamRow::used("ping-user-agent", "TEXT", "", "User-Agent of OPTIONS"),
    ParamRow::used("contact-in-ping", "true|false", "false", "put the contact into OPTIONS"),
    ParamRow::used("ping-monitoring", "true|false", "false", "fire sofia::gateway_state for each ping"),
    ParamRow::used(
        "gw-auth-acl",
        "LIST",
        "",
        "addresses whose challenges are answered; else those of the gateway",
    ),
];

const IGNORED: &[ParamRow] = &[
    ParamRow::ignored("scheme", "digest is the one scheme that there is"),
    ParamRow::ignored("rfc-5626", "a connection is used again as long as it stands"),
    ParamRow::ignored("reg-id", "a connection is used again as long as it stands"),
    ParamRow::ignored("codec-prefs", "there are no calls, so there is no media"),
    ParamRow::ignored("subscribe", "presence, subscriptions and message waiting are not offered"),
];

/// Every param FreeSWITCH knows of a gateway.
pub static GATEWAY_PARAMS: LazyLock<Vec<ParamRow>> =
    LazyLock::new(|| USED.iter().chain(IGNORED).copied().collect());

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_param_stands_twice() {
        let mut seen = HashSet::new();
        for row in GATEWAY_PARAMS.iter() {
            assert!(seen.insert(row.name), "{} stands twice", row.name);
        }
    }
}
