//! What a profile takes from whom: lists, rates and bans.

use std::time::Duration;

use chappe_config::{Diagnostics, ParamRow, Params};

use crate::guard::Allowance;

pub const ROWS: &[ParamRow] = &[
    ParamRow::used(
        "apply-access-acl",
        "LIST",
        "",
        "addresses that the list denies are not served at all; may be repeated, all lists must allow them",
    ),
    ParamRow::used(
        "access-acl-answer",
        "none|403",
        "none",
        "what requests of an address that apply-access-acl denies get",
    ),
    ParamRow::used(
        "max-requests-per-ip",
        "COUNT[/SECONDS]",
        "",
        "requests, repeated ones included, that one address may send at once, growing back in so many seconds (1); one \
         more is answered 503 with Retry-After; addresses that apply-inbound-acl allows, and gateways, may send any number",
    ),
    ParamRow::used(
        "max-registers-per-ip",
        "COUNT[/SECONDS]",
        "",
        "the same of REGISTERs, those that are challenged included",
    ),
    ParamRow::used(
        "max-messages-per-ip",
        "COUNT[/SECONDS]",
        "",
        "the same of MESSAGEs, those that are challenged not included",
    ),
    ParamRow::used(
        "max-messages-per-user",
        "COUNT[/SECONDS]",
        "",
        "MESSAGEs that one authenticated user may send; one more is answered 480 with Retry-After",
    ),
    ParamRow::used(
        "max-auth-failures",
        "0-1000000",
        "100",
        "failed authentications within auth-failure-window after which an address is banned; 0: never",
    ),
    ParamRow::used("auth-failure-window", "1-86400", "60", "seconds in which max-auth-failures are too many"),
    ParamRow::used(
        "ban-time",
        "1-31536000",
        "300",
        "seconds for which nothing that a banned address sends is read, on any profile",
    ),
    ParamRow::used(
        "never-ban-acl",
        "LIST",
        "loopback.auto",
        "addresses that are never banned, as those that apply-inbound-acl allows and gateways; may be repeated",
    ),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardConfig {
    pub access_acl: Vec<String>,
    /// Whom a list denies is told so.
    pub answers_denied: bool,
    pub requests: Option<Allowance>,
    pub registers: Option<Allowance>,
    pub messages: Option<Allowance>,
    pub messages_of_user: Option<Allowance>,
    /// Failed authentications.
    pub failures: Option<Allowance>,
    pub ban: Duration,
    pub never_ban: Vec<String>,
}

impl GuardConfig {
    /// `None`: a limit can't be read, and a profile without it is another one than was meant.
    pub fn read(params: &Params<'_>, d: &mut Diagnostics) -> Option<Self> {
        let list = |name: &str| -> Vec<String> {
            params.all(name).filter(|list| !list.is_empty()).map(str::to_owned).collect()
        };
        let failures = params.u32_in("max-auth-failures", 100, 0..=1_000_000, d);
        let window = params.u32_in("auth-failure-window", 60, 1..=86_400, d);
        let ban = params.u32_in("ban-time", 300, 1..=31_536_000, d);
        let never_ban = list("never-ban-acl");
        let limits =
            ["max-requests-per-ip", "max-registers-per-ip", "max-messages-per-ip", "max-messages-per-user"];
        let [requests, registers, messages, messages_of_user] = limits.map(|name| allowance(params, name, d));
        Some(Self {
            access_acl: list("apply-access-acl"),
            answers_denied: params.get("access-acl-answer").is_some_and(|text| text.trim() == "403"),
            requests: requests?,
            registers: registers?,
            messages: messages?,
            messages_of_user: messages_of_user?,
            failures: Allowance::new(failures, window),
            ban: Duration::from_secs(ban.into()),
            never_ban: if never_ban.is_empty() { vec!["loopback.auto".to_owned()] } else { never_ban },
        })
    }
}

/// `Some(None)`: no limit.
fn allowance(params: &Params<'_>, name: &str, d: &mut Diagnostics) -> Option<Option<Allowance>> {
    let Some(text) = params.get(name).map(str::trim).filter(|text| !text.is_empty() && *text != "0") else {
        return Some(None);
    };
    let found = Allowance::parse(text);
    if found.is_none() {
        d.error(params.at(name).cloned(), format!("{name} {text} is no limit"))
            .instead("10/60, ten at once and again after a minute");
    }
    found.map(Some)
}
