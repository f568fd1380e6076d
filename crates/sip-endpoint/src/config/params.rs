//! The params of a sofia profile that mean something here: the one table for reading, help and completion.

use std::sync::LazyLock;

use chappe_config::ParamRow;

use super::{guard, ignored, nat};

const USED: &[ParamRow] = &[
    ParamRow::used(
        "context",
        "NAME",
        "public",
        "the chatplan context of messages whose sender's user_context says nothing else",
    ),
    ParamRow::used(
        "sip-ip",
        "IP|auto",
        "auto",
        "the address to listen on; auto and 0.0.0.0 announce the machine's own",
    ),
    ParamRow::used("sip-port", "0-65535", "5060", "the UDP and TCP port; 0 lets the system choose one"),
    ParamRow::used(
        "ext-sip-ip",
        "IP|auto",
        "",
        "the address put into Via and Contact when the profile stands behind NAT",
    ),
    ParamRow::used(
        "local-network-acl",
        "LIST",
        "",
        "addresses on this side of the NAT: they are told the profile's own address instead of ext-sip-ip; localnet.auto is the machine's network",
    ),
    ParamRow::used("ext-sip-port", "1-65535", "", "the port that goes with ext-sip-ip"),
    ParamRow::used("bind-params", "transport=udp|tcp", "", "listen on this transport alone"),
    ParamRow::used("shards", "1-64", "", "threads with a socket of their own; one a core by default"),
    ParamRow::used("auth-messages", "true|false", "true", "ask for credentials before a MESSAGE is taken"),
    ParamRow::used("auth-calls", "true|false", "false", "ask for credentials before a call is refused"),
    ParamRow::used(
        "disable-auth-messages",
        "true|false",
        "false",
        "the older way to say auth-messages=false",
    ),
    ParamRow::used("enable-chat", "true|false", "true", "take MESSAGE requests at all"),
    ParamRow::used("accept-blind-reg", "true|false", "false", "take any REGISTER without credentials"),
    ParamRow::used("accept-blind-auth", "true|false", "false", "take any credentials as good"),
    ParamRow::used(
        "auth-require-user",
        "true|false",
        "false",
        "answer 403 at once to users the directory does not know",
    ),
    ParamRow::used(
        "apply-inbound-acl",
        "LIST",
        "",
        "addresses whose MESSAGEs need no credentials, one list that allows them is enough; others authenticate, or where \
         nobody has to are answered 403; may be repeated",
    ),
    ParamRow::used(
        "apply-register-acl",
        "LIST",
        "",
        "addresses whose REGISTERs are taken without credentials, all lists must allow them; others are answered 403; may \
         be repeated",
    ),
    ParamRow::used(
        "apply-proxy-acl",
        "LIST",
        "",
        "proxies, which say in one header X-AUTH-IP (and X-AUTH-PORT) where a request came to them from: apply-inbound-acl, \
         auth-acl and limits by address look at that; may be repeated, one list that allows a proxy is enough",
    ),
    ParamRow::used("disable-register", "true|false", "false", "answer every REGISTER 403"),
    ParamRow::used(
        "NDLB-broken-auth-hash",
        "true|false",
        "false",
        "take credentials of a MESSAGE that were made for the method INVITE",
    ),
    ParamRow::used(
        "sip-options-respond-503-on-busy",
        "true|false",
        "false",
        "answer OPTIONS 503 with Retry-After while MESSAGEs are answered so for want of time or room",
    ),
    ParamRow::used(
        "use-port-for-acl-check",
        "true|false",
        "false",
        "compare the source port too, where a node of acl.conf names ports",
    ),
    ParamRow::used(
        "force-register-domain",
        "DOMAIN",
        "",
        "the domain of all users that register or authenticate",
    ),
    ParamRow::used(
        "force-register-db-domain",
        "DOMAIN",
        "",
        "the domain under which bindings are kept and looked up",
    ),
    ParamRow::used(
        "multiple-registrations",
        "true|false|contact|call-id",
        "false",
        "more than one binding a user, told apart by contact or Call-ID",
    ),
    ParamRow::used(
        "max-registrations-per-extension",
        "0-1000",
        "0",
        "bindings a user may have; 0: the built-in limit of 50; a param of this name in the directory comes first",
    ),
    ParamRow::used(
        "max-registrations",
        "1-10000000",
        "100000",
        "bindings a profile keeps; a new one beyond them is refused with 503",
    ),
    ParamRow::used(
        "sip-force-expires",
        "SECONDS",
        "0",
        "the expiry of every binding, whatever the client asks for; 0: as asked",
    ),
    ParamRow::used("sip-force-expires-min", "SECONDS", "0", "a shorter expiry is raised to this"),
    ParamRow::used(
        "sip-force-expires-max",
        "SECONDS",
        "0",
        "a longer expiry is lowered to this; 0: to a day",
    ),
    ParamRow::used(
        "registration-min-expires",
        "SECONDS",
        "0",
        "a shorter expiry is refused with 423 and Min-Expires",
    ),
    ParamRow::used(
        "sip-messages-respond-200-ok",
        "true|false",
        "false",
        "answer 200 where 202 would be sent",
    ),
    ParamRow::used(
        "messages-respond-200-ok",
        "true|false",
        "false",
        "the same as sip-messages-respond-200-ok",
    ),
    ParamRow::used(
        "fire-message-events",
        "true|false",
        "false",
        "fire RECV_MESSAGE for each MESSAGE taken, before it is routed",
    ),
    ParamRow::used(
        "inbound-reg-force-matching-username",
        "true|false",
        "true",
        "the user that registers must be the user that authenticates",
    ),
    ParamRow::used(
        "message-force-matching-username",
        "true|false",
        "true",
        "the user in a MESSAGE's From must be the user that authenticates, else the answer is 403",
    ),
    ParamRow::used("challenge-realm", "auto_to|auto_from|REALM", "auto_to", "the realm of digest challenges"),
    ParamRow::used(
        "challenge-algorithms",
        "MD5|MD5,SHA-256",
        "MD5",
        "digest algorithms offered, the first one first",
    ),
    ParamRow::used("nonce-ttl", "1-86400", "60", "seconds a nonce is good for"),
    ParamRow::used("user-agent-string", "TEXT", "chappe", "User-Agent and Server of what is sent"),
    ParamRow::used(
        "user-agent-filter",
        "EXPRESSION",
        "",
        "what the User-Agent of a device has to match that registers, else the answer is 403; a param of this name in the directory comes first",
    ),
    ParamRow::used("username", "NAME", "mod_sofia", "the user part of the profile's own Contact"),
    ParamRow::used(
        "log-auth-failures",
        "true|false",
        "false",
        "log failed authentication in the words fail2ban's freeswitch filter knows",
    ),
    ParamRow::used(
        "max-recv-requests-per-second",
        "0-10000000",
        "0",
        "requests above this are answered 503 with Retry-After; 0: no limit",
    ),
    ParamRow::used(
        "max-message-flows",
        "1-1000000",
        "20000",
        "messages under way in one shard; more are answered 503",
    ),
    ParamRow::used(
        "max-pending-per-target",
        "0-1000",
        "1",
        "MESSAGEs that may be under way to a device, or to an address elsewhere, before one of them is answered; up to 64 \
         more wait for their turn, those beyond are answered 503. 1: RFC 3428 §8, messages arrive in order; above, only their first \
         tries leave in order; 0: no limit",
    ),
    ParamRow::used(
        "max-request-age",
        "0-10000",
        "50",
        "milliseconds a request may have waited in a socket with others behind it; an older MESSAGE is answered 503 with \
         Retry-After, others at four times the age; 0: no limit",
    ),
    ParamRow::used(
        "max-connections",
        "1-1000000",
        "100000",
        "TCP, TLS and WebSocket connections at a time; one more is closed",
    ),
    ParamRow::used(
        "max-connections-per-ip",
        "1-1000000",
        "1000",
        "of them, those that one address has opened; of IPv6 a network of 64 bits is one address",
    ),
    ParamRow::used(
        "connection-idle-timeout",
        "10-86400",
        "3600",
        "seconds after which a silent connection is closed; before its first message 130 at most",
    ),
    ParamRow::used(
        "flow-timer",
        "0-86400",
        "120",
        "seconds within which a device that keeps several flows by TCP or TLS (RFC 5626) has to send something, as Flow-Timer tells \
         it; a connection that is silent for a quarter longer is closed; 0: connection-idle-timeout as for others",
    ),
    ParamRow::used("tcp-max-connections", "1-1000000", "", "the older name of max-connections"),
    ParamRow::used("tcp-idle-timeout", "10-86400", "", "the older name of connection-idle-timeout"),
    ParamRow::used("tls", "true|false", "false", "listen for TLS on tls-sip-port"),
    ParamRow::used("tls-only", "true|false", "false", "listen for TLS, and take nothing by UDP and TCP"),
    ParamRow::used("tls-sip-port", "0-65535", "5061", "the TLS port; 0 lets the system choose one"),
    ParamRow::used("tls-bind-params", "TEXT", "transport=tls", "what TLS-BIND-URL shows behind the address"),
    ParamRow::used(
        "tls-cert-dir",
        "FOLDER",
        "$${certs_dir}",
        "where agent.pem, wss.pem, cafile.pem and a DOMAIN.pem for each further domain are",
    ),
    ParamRow::used("tls-passphrase", "TEXT", "", "opens private keys that are encrypted (PKCS #8)"),
    ParamRow::used(
        "tls-version",
        "tlsv1.2,tlsv1.3",
        "tlsv1.2,tlsv1.3",
        "versions of TLS; older ones are not offered",
    ),
    ParamRow::used(
        "tls-ciphers",
        "LIST",
        "ALL",
        "cipher suites by OpenSSL's or the RFC's names, of those that are offered; `!NAME` takes one out",
    ),
    ParamRow::used(
        "tls-verify-policy",
        "none|in|out|all|subjects_in|subjects_out|subjects_all",
        "subjects_out",
        "whose certificates are checked: of those who connect, of those connected to, and their names",
    ),
    ParamRow::used(
        "tls-verify-in-subjects",
        "NAME|NAME...",
        "",
        "for subjects_in: names (DNS or sip: URI) of which a client's certificate must have one",
    ),
    ParamRow::used("tls-verify-date", "true|false", "true", "whether certificates run out"),
    ParamRow::used(
        "tls-verify-depth",
        "0-6",
        "2",
        "most certificates between a peer's and one that is known",
    ),
    ParamRow::used("tls-timeout", "0-86400", "300", "seconds for which a TLS session may be resumed"),
    ParamRow::used("ws-binding", "[IP]:PORT", "", "listen for SIP over WebSocket, RFC 7118; often :5066"),
    ParamRow::used(
        "wss-binding",
        "[IP]:PORT",
        "",
        "listen for SIP over WebSocket with TLS, by wss.pem or else agent.pem; often :7443",
    ),
    ParamRow::used(
        "ws-allowed-origins",
        "https://HOST[:PORT],...",
        "",
        "web sites whose pages may open a WebSocket; empty: all",
    ),
    ParamRow::used("timer-T1", "100-10000", "500", "RFC 3261 timer T1 in milliseconds"),
    ParamRow::used("timer-T2", "500-60000", "4000", "RFC 3261 timer T2 in milliseconds"),
    ParamRow::used("timer-T4", "500-60000", "5000", "RFC 3261 timer T4 in milliseconds"),
    ParamRow::used(
        "timer-T1X64",
        "1000-640000",
        "32000",
        "how long a transaction may go without an answer, in milliseconds",
    ),
    ParamRow::used("sip-domain", "DOMAIN", "", "the domain of addresses that name none"),
    ParamRow::used("alias", "sip:HOST:PORT", "", "another name of the profile"),
    ParamRow::used(
        "foreign-gateway",
        "NAME",
        "",
        "the gateway through which messages to users of other domains leave; else they go to the domain's servers",
    ),
    ParamRow::used(
        "max-message-size",
        "1300-1048576",
        "65535",
        "octets that a MESSAGE may have; one with more is answered 413",
    ),
    ParamRow::used(
        "NDLB-force-rport",
        "true|false|safe|server-only|client-only",
        "false",
        "answer to the port that a request came from also where its Via asks for no rport; client-only: what is done always",
    ),
    ParamRow::used(
        "nat-options-ping",
        "true|false|udp-only",
        "false",
        "ask devices behind a NAT by OPTIONS whether they are there; the event sofia::sip_user_state tells of a change",
    ),
    ParamRow::used("all-reg-options-ping", "true|false", "false", "the same of all devices"),
    ParamRow::used("ping-mean-interval", "1-86400", "30", "seconds between two questions to a device"),
    ParamRow::used(
        "sip-user-ping-max",
        "1-100",
        "3",
        "most answers that are counted of a device; each question without one takes one away",
    ),
    ParamRow::used("sip-user-ping-min", "1-100", "1", "a device with fewer is unreachable"),
    ParamRow::used(
        "unregister-on-options-fail",
        "true|false",
        "false",
        "take out the registration of a device that is unreachable",
    ),
    ParamRow::used(
        "push-webhook",
        "URL",
        "",
        "where to have devices woken (RFC 8599) for which a message waits; empty: none is woken",
    ),
    ParamRow::used("push-webhook-secret", "TEXT", "", "the key by which requests to push-webhook are signed"),
    ParamRow::used(
        "push-providers",
        "NAME,NAME...",
        "apns,fcm",
        "the pn-provider of devices that can be woken; a REGISTER with another one is answered 555",
    ),
    ParamRow::used("push-interval", "1-3600", "10", "seconds in which a device is woken once at most"),
    ParamRow::used("push-timeout", "1-60", "5", "seconds that the webhook has for an answer"),
    ParamRow::used(
        "push-retries",
        "0-10",
        "3",
        "further tries where the webhook fails or answers 408, 425, 429 or 5xx, after 1, 2, 4... seconds",
    ),
    ParamRow::used("push-max-queue", "1-100000", "1000", "wake-ups under way; those beyond are left out"),
    ParamRow::used(
        "push-refresh-before",
        "0-3600",
        "0",
        "seconds before its registration runs out at which a device is woken to refresh it; 0: not at all",
    ),
];

/// Every param FreeSWITCH knows of a sofia profile, and ours.
pub static PROFILE_PARAMS: LazyLock<Vec<ParamRow>> = LazyLock::new(|| {
    USED.iter().chain(guard::ROWS).chain(nat::ROWS).copied().chain(ignored::profile_rows()).collect()
});

/// The params of `global_settings`.
pub static GLOBAL_PARAMS: LazyLock<Vec<ParamRow>> =
    LazyLock::new(|| GLOBAL.iter().copied().chain(ignored::global_rows()).collect());

const GLOBAL: &[ParamRow] = &[ParamRow::used(
    "name-server",
    "IP[:PORT]",
    "",
    "a DNS server to ask for other domains' SIP servers instead of the machine's; may be repeated",
)];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_param_stands_twice() {
        for table in [&PROFILE_PARAMS, &GLOBAL_PARAMS] {
            let mut seen = HashSet::new();
            for row in table.iter() {
                assert!(seen.insert(row.name), "{} stands twice", row.name);
            }
        }
    }
}
