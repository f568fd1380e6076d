//! The params of a sofia profile that have no meaning here, each group with its reason.

use chappe_config::{ParamRow, ParamStatus};

struct Group {
    why: &'static str,
    names: &'static [&'static str],
}

const PROFILE: &[Group] = &[
    Group {
        why: "there are no calls",
        names: &[
            "3pcc-reinvite-bridged-on-ack", "allow-update", "apply-inbound-acl-x-token", "apply-proxy-acl",
            "apply-proxy-acl-x-token", "auth-calls", "auth-calls-acl-only", "auto-invite-100", "caller-id-type",
            "channel-xml-fetch-on-nightmare-transfer", "cid-in-1xx", "confirm-blind-transfer",
            "contact-user", "dialplan", "disable-transfer", "enable-100rel", "enable-3pcc",
            "enable-compact-headers", "enable-rfc-5626", "enable-timer", "extended-info-parsing",
            "fire-bye-response-events", "fire-transfer-events", "full-id-in-dialplan",
            "inbound-use-callid-as-uuid", "local-network-acl", "make-every-transfer-a-nightmare",
            "manual-redirect", "max-calls", "max-proceeding", "minimum-session-expires",
            "NDLB-allow-bad-iananame", "NDLB-proxy-never-patch-reinvites", "NDLB-sendrecv-in-session",
            "outbound-use-uuid-as-callid", "p-asserted-id-parse", "parse-all-invite-headers",
            "parse-invite-tel-params", "pass-callee-id", "proxy-info", "proxy-info-content-types",
            "proxy-message", "proxy-notify-events", "proxy-refer", "proxy-refer-replaces", "rfc-7989",
            "rfc-7989-filter", "rfc-7989-force-old", "send-display-update", "session-timeout",
            "sip-expires-late-margin", "sip-expires-max-deviation", "sip-options-respond-503-on-busy",
            "track-calls", "update-refresher", "user-agent-filter",
        ],
    },
    Group {
        why: "a binding is always reached where its REGISTER came from, so nothing has to be detected",
        names: &[
            "aggressive-nat-detection", "all-reg-options-ping", "apply-nat-acl", "keepalive-method",
            "nat-options-ping", "NDLB-force-rport", "NDLB-received-in-nat-reg-contact",
            "ping-mean-interval", "sip-user-ping-max", "sip-user-ping-min", "socket-tcp-keepalive",
            "tcp-always-nat", "tcp-keepalive", "tcp-ping2pong", "tcp-pingpong",
        ],
    },
    Group {
        why: "there are no calls, so there is no media",
        names: &[
            "apply-candidate-acl", "auto-jitterbuffer-msec", "auto-rtp-bugs", "bitpacking", "cng-pt",
            "codec-prefs", "disable-hold", "disable-rtp-auto-adjust", "disable-srv503",
            "disable-transcoding", "dtmf-duration", "dtmf-type", "enable-soa", "ext-rtp-ip", "hold-music",
            "ignore-183nosdp", "inbound-bypass-media", "inbound-codec-negotiation", "inbound-codec-prefs",
            "inbound-late-negotiation", "inbound-no-media", "inbound-proxy-media", "liberal-dtmf",
            "manual-rtp-bugs", "manual-video-rtp-bugs", "media-option", "NDLB-allow-crypto-in-avp",
            "NDLB-allow-nondup-sdp", "NDLB-support-asterisk-missing-srtp-auth", "outbound-codec-prefs",
            "pass-rfc2833", "proxy-hold", "record-path", "record-template", "renegotiate-codec-on-hold",
            "require-secure-rtp", "rfc2833-pt", "rtcp-audio-interval-msec", "rtcp-video-interval-msec",
            "rtp-autofix-timing", "rtp-autoflush-during-bridge", "rtp-digit-delay", "rtp-hold-timeout-sec",
            "rtp-ip", "rtp-notimer-during-bridge", "rtp-rewrite-timestamps", "rtp-timeout-sec",
            "rtp-timer-name", "suppress-cng", "supress-cng", "t38-passthru", "use-port-for-acl-check",
            "vad",
        ],
    },
    Group {
        why: "registrations need no such choice here",
        names: &[
            "auth-all-packets", "blind-auth-reply-403", "disable-register",
            "enforce-blind-auth-result", "max-auth-validity", "NDLB-broken-auth-hash",
            "NDLB-expires-in-register-response", "tcp-unreg-on-socket-close", "unregister-on-options-fail",
        ],
    },
    Group {
        why: "presence, subscriptions and message waiting are not offered",
        names: &[
            "auth-subscriptions", "delete-subs-on-register", "disable-auth-subscriptions",
            "force-publish-expires", "force-subscription-domain", "force-subscription-expires",
            "forward-unsolicited-mwi-notify", "in-dialog-chat", "manage-presence",
            "manage-shared-appearance", "mwi-use-reg-callid", "pnp-provision-url",
            "presence-disable-early", "presence-hold-state", "presence-hosts", "presence-privacy",
            "presence-probe-on-register", "presence-proto-lookup", "send-message-query-on-register",
            "send-presence-on-register", "sip-subscribe-respond-200-ok", "sip-subscription-max-deviation",
        ],
    },
    Group {
        why: "it tunes FreeSWITCH's own internals",
        names: &[
            "bind-attempt-interval", "bind-attempts", "debug", "inbound-reg-in-new-thread",
            "ping-thread-frequency", "profile-standby", "registration-thread-frequency",
            "shutdown-on-fail", "sip-capture", "sip-trace", "watchdog-enabled", "watchdog-event-timeout",
            "watchdog-step-timeout",
        ],
    },
    Group {
        why: "bindings are kept in memory, no database is used",
        names: &[
            "db-inner-post-trans-execute", "db-inner-pre-trans-execute", "db-post-trans-execute",
            "db-pre-trans-execute", "db-spin-up-wait-ms", "dbname", "odbc-dsn",
        ],
    },
    Group {
        why: "RFC 3263 decides where a message goes",
        names: &[
            "disable-naptr", "disable-srv", "outbound-proxy", "reuse-connections",
        ],
    },
    Group {
        why: "see challenge-algorithms",
        names: &[
            "rfc8760-auth-algorithms",
        ],
    },
    Group {
        why: "TLS and WebSocket profiles are not offered yet",
        names: &[
            "tls", "tls-always-nat", "tls-bind-params", "tls-cert-dir", "tls-ciphers", "tls-only",
            "tls-orq-connect-timeout", "tls-passphrase", "tls-sip-port", "tls-timeout", "tls-verify-date",
            "tls-verify-depth", "tls-verify-in-subjects", "tls-verify-policy", "tls-version", "ws-binding",
            "wss-binding",
        ],
    },
];

const GLOBAL: &[Group] = &[
    Group {
        why: "it tunes FreeSWITCH's own internals",
        names: &[
            "abort-on-empty-external-ip", "auto-restart", "capture-server", "debug-presence", "debug-sla",
            "inbound-reg-in-new-thread", "log-level", "max-reg-threads",
            "reg-deny-binding-fetch-and-no-lookup", "rewrite-multicasted-fs-path", "stir-shaken-as-key",
            "stir-shaken-as-url", "stir-shaken-vs-ca-dir", "stir-shaken-vs-cert-path-check",
            "stir-shaken-vs-require-date", "tracelevel",
        ],
    },
];

pub fn profile_rows() -> impl Iterator<Item = ParamRow> {
    rows(PROFILE)
}

pub fn global_rows() -> impl Iterator<Item = ParamRow> {
    rows(GLOBAL)
}

fn rows(groups: &'static [Group]) -> impl Iterator<Item = ParamRow> {
    groups.iter().flat_map(|group| group.names.iter().map(|name| row(name, group.why)))
}

fn row(name: &'static str, why: &'static str) -> ParamRow {
    ParamRow { name, syntax: "", default: "", doc: why, status: ParamStatus::Ignored(why) }
}
