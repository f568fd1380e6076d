//! What this node is called.

use erl_dist::node::{NodeName, NodeNameError};

/// The name does not do.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    #[error("nodename {name}: {source}")]
    Bad { name: String, source: NodeNameError },
    #[error(
        "nodename {0}: the machine's name has no domain; write NAME@HOST with the host in full, or shortname true"
    )]
    NoDomain(String),
}

/// The whole name: as configured, or with the machine's name behind it.
///
/// FreeSWITCH ei_helpers.c initialise_ei. Deviation: it adds the resolver's search domain to a machine's name that has
/// none, whether or not that leads anywhere.
pub(crate) fn whole(nodename: &str, shortname: bool, hostname: &str) -> Result<NodeName, NameError> {
    let bad = |source| NameError::Bad { name: nodename.to_owned(), source };
    if nodename.contains('@') {
        return nodename.parse().map_err(bad);
    }
    let host = if shortname { hostname.split('.').next().unwrap_or_default() } else { hostname };
    if !shortname && !host.contains('.') {
        return Err(NameError::NoDomain(nodename.to_owned()));
    }
    NodeName::new(nodename, host).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_completes_the_name() {
        for (nodename, shortname, hostname, expected) in [
            ("fs", true, "box", Some("fs@box")),
            ("fs", true, "box.example.com", Some("fs@box")),
            ("fs", false, "box.example.com", Some("fs@box.example.com")),
            ("fs", false, "box", None),
            ("fs@127.0.0.1", true, "box", Some("fs@127.0.0.1")),
            ("@127.0.0.1", true, "box", None),
            ("fs", true, "", None),
        ] {
            let name = whole(nodename, shortname, hostname).ok().map(|name| name.to_string());
            assert_eq!(name.as_deref(), expected, "{nodename} on {hostname}");
        }
    }
}
