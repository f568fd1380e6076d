//! How a profile finds out that a device is behind a NAT.

use chappe_config::{Diagnostics, ParamRow, Params};

pub const ROWS: &[ParamRow] = &[
    ParamRow::used(
        "aggressive-nat-detection",
        "true|false",
        "false",
        "a device whose REGISTER comes from another address or port than its Via names is behind a NAT: by UDP it is reached \
         where its REGISTER came from, whatever its contact says; but for those in local-network-acl (localnet.auto)",
    ),
    ParamRow::used(
        "apply-nat-acl",
        "LIST",
        "",
        "a device whose contact has an address that all these lists allow is behind a NAT as well; may be repeated, none \
         takes those before it back",
    ),
    ParamRow::used(
        "NDLB-received-in-nat-reg-contact",
        "true|false",
        "false",
        "tell a device behind a NAT in the answer to its REGISTER where it was seen, as received=\"IP:PORT\" of its Contact; \
         in events and lists too",
    ),
];

/// The list that says who is not behind a NAT though it looks so, where `local-network-acl` names none.
const LOCAL: &str = "localnet.auto";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatConfig {
    /// What Via says is compared with where a REGISTER came from.
    pub aggressive: bool,
    /// All of them allow the contact of a device that is behind a NAT.
    pub acl: Vec<String>,
    /// Whom no NAT separates from us; `None`: nobody.
    pub local: Option<String>,
    pub tells_received: bool,
}

impl NatConfig {
    /// FreeSWITCH sofia.c config_sofia.
    pub fn read(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Self {
        let lists: Vec<&str> = params.all("apply-nat-acl").filter(|list| !list.is_empty()).collect();
        let from = lists.iter().rposition(|list| is_none(list)).map_or(0, |last| last + 1);
        let local = params.get("local-network-acl").filter(|list| !list.is_empty()).unwrap_or(LOCAL);
        Self {
            aggressive: params.bool("aggressive-nat-detection", false, diagnostics),
            acl: lists[from..].iter().map(|list| (*list).to_owned()).collect(),
            local: Some(local.to_owned()).filter(|list| !is_none(list)),
            tells_received: params.bool("NDLB-received-in-nat-reg-contact", false, diagnostics),
        }
    }
}

fn is_none(list: &str) -> bool {
    list.eq_ignore_ascii_case("none")
}
