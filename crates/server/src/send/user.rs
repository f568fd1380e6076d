//! A user as typed: `1000`, or `1000@example.com`.

use std::fmt;

use chappe_sip_msg::escape_user;

/// Who sends, or whom it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    pub name: String,
    pub domain: String,
}

impl User {
    /// Without a domain it is that of `server`, HOST or HOST:PORT.
    pub fn parse(text: &str, server: &str) -> Self {
        let text = text.strip_prefix("sip:").unwrap_or(text);
        match text.rsplit_once('@') {
            Some((name, domain)) => Self { name: name.to_owned(), domain: domain.to_owned() },
            None => Self { name: text.to_owned(), domain: host(server).to_owned() },
        }
    }

    pub fn uri(&self) -> String {
        let mut uri = "sip:".to_owned();
        escape_user(&self.name, &mut uri);
        uri.push('@');
        uri.push_str(&self.domain);
        uri
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.domain)
    }
}

/// Without the port. An IPv6 address stands in brackets, or has no port.
fn host(server: &str) -> &str {
    match server.rsplit_once(':') {
        Some((host, _)) if host.starts_with('[') && host.ends_with(']') => host,
        Some((host, _)) if !host.contains(':') => host,
        _ => server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_the_servers_unless_told() {
        for (text, server, uri) in [
            ("1000", "127.0.0.1:5060", "sip:1000@127.0.0.1"),
            ("1000", "example.com", "sip:1000@example.com"),
            ("1000", "[::1]:5060", "sip:1000@[::1]"),
            ("1000", "[::1]", "sip:1000@[::1]"),
            ("sip:bob@example.org", "127.0.0.1:5060", "sip:bob@example.org"),
            ("a b", "h:1", "sip:a%20b@h"),
        ] {
            assert_eq!(User::parse(text, server).uri(), uri, "{text} at {server}");
        }
    }
}
