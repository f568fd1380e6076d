//! What the app's data says: where to connect, and what the program there may do.

use crate::SocketError;

/// FreeSWITCH mod_event_socket.c socket_function.
const DEFAULT_PORT: u16 = 8084;

/// `HOST[:PORT][/PATH][|HOST...] [async] [full]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Tried in this order until one takes the connection.
    pub places: Vec<Place>,
    pub mode: Mode,
}

/// Where a program listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub host: String,
    pub port: u16,
    /// Handed to the program in the message's `socket_path`.
    pub path: Option<String>,
}

/// What a program may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mode {
    /// Commands are answered while an app runs.
    pub asynchronous: bool,
    /// API commands, events and the log, too.
    pub full: bool,
}

impl Target {
    pub fn parse(data: &str) -> Result<Self, SocketError> {
        let mut words = data.split(' ').filter(|word| !word.is_empty());
        let hosts = words.next().ok_or(SocketError::NoHost)?;
        let places: Vec<_> =
            hosts.split('|').filter(|text| !text.is_empty()).map(Place::parse).collect::<Result<_, _>>()?;
        if places.is_empty() {
            return Err(SocketError::NoHost);
        }
        let mut mode = Mode::default();
        for word in words {
            // Other words mean nothing, as in FreeSWITCH.
            mode.asynchronous |= word.eq_ignore_ascii_case("async");
            mode.full |= word.eq_ignore_ascii_case("full");
        }
        Ok(Self { places, mode })
    }
}

impl Place {
    /// `HOST`, `HOST:PORT`, `[IPV6]:PORT`, each with a `/PATH`.
    fn parse(text: &str) -> Result<Self, SocketError> {
        let (address, path) = match text.split_once('/') {
            Some((address, path)) => (address, Some(path.to_owned())),
            None => (text, None),
        };
        let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => match address.split_once(':') {
                // An IPv6 address without brackets has no room for a port.
                Some((_, port)) if port.contains(':') => (address, None),
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        let port = match port {
            Some(port) => port
                .parse()
                .ok()
                .filter(|&port| port != 0)
                .ok_or_else(|| SocketError::Port(port.to_owned()))?,
            None => DEFAULT_PORT,
        };
        if host.is_empty() {
            return Err(SocketError::NoHost);
        }
        Ok(Self { host: host.to_owned(), port, path })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> String {
        match Target::parse(data) {
            Ok(Target { places, mode }) => {
                let places: Vec<_> = places
                    .iter()
                    .map(|place| match &place.path {
                        Some(path) => format!("{place} {path}"),
                        None => place.to_string(),
                    })
                    .collect();
                let words = [(mode.asynchronous, " async"), (mode.full, " full")];
                let words: String = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
                places.join(", ") + &words
            }
            Err(error) => error.to_string().split(';').next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn data() {
        for (data, expected) in [
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("127.0.0.1:9000 async full", "127.0.0.1:9000 async full"),
            ("  here   FULL  nonsense ", "here:8084 full"),
            ("a:1|b:2/way/on||c", "a:1, b:2 way/on, c:8084"),
            ("[::1]:9000 async", "[::1]:9000 async"),
            ("[::1]", "[::1]:8084"),
            ("fe80::1", "[fe80::1]:8084"),
            ("", "no host is named"),
            ("|", "no host is named"),
            (":9000", "no host is named"),
            ("a:0", "`0` is no port"),
            ("a:70000", "`70000` is no port"),
            ("a:b", "`b` is no port"),
        ] {
            assert_eq!(read(data), expected, "{data:?}");
        }
    }
}
