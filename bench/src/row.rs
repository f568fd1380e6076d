//! The rows of the table: which server, and what it is sent.

use crate::folder::{ECHO, LUA, PYTHON};
use crate::patience::Patience;
use crate::transport::Transport;

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// For `--rows`.
    pub name: &'static str,
    /// What the table calls it.
    pub title: &'static str,
    pub server: Kind,
    pub to: Recipient,
    pub body: Body,
    pub beside: Beside,
}

/// A server; rows of the same kind share one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The relay that only moves packets.
    Floor,
    Kamailio(Peer),
    Chappe(Conf),
}

/// How Kamailio is configured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// t_relay and usrloc in memory.
    Relay,
    /// A Lua script answers.
    Lua,
    /// msilo keeps what is for those who are away.
    Msilo,
}

/// How chappe is configured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conf {
    /// One shard, a store, a chatplan of a few extensions, senders who need not authenticate.
    Plain,
    /// Without a store.
    Storeless,
    /// With a store that takes all that the senders manage to send.
    Keeper,
    /// Each MESSAGE needs credentials.
    Digest,
    /// So many extensions, each for one recipient.
    Extensions(u32),
    /// With an event socket.
    Events,
    /// A shard on each of two cores.
    TwoCores,
    /// Two servers of one shard each, on a core each, with half of the users each.
    TwoServers,
    /// Each client has a connection.
    Connected(Transport),
}

/// To whom messages go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recipient {
    /// A user who is registered.
    Registered,
    /// One who is not.
    Away,
    /// One that the chatplan answers for.
    Named(&'static str),
    /// The one that the extension of this number answers for.
    OfExtension(u32),
}

/// How long a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// The whole message has the length that the command line says.
    Whole,
    /// The body has so many octets.
    Octets(usize),
}

/// What goes on at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beside {
    Nothing,
    /// Other users' messages go to a script that sleeps.
    Sleeper,
    /// So many clients of the event socket hear of each message.
    Listeners(u32),
}

impl Row {
    /// How its load waits: asleep where its core is also the server's, another load's, or needed for the disk.
    pub fn patience(&self) -> Patience {
        let is_shared = matches!(self.server, Kind::Chappe(Conf::TwoCores | Conf::TwoServers));
        let is_alone = matches!(self.beside, Beside::Nothing) && self.to != Recipient::Away;
        if is_alone && !is_shared { Patience::Watches } else { Patience::Sleeps }
    }
}

const fn row(name: &'static str, title: &'static str, server: Kind, to: Recipient) -> Row {
    Row { name, title, server, to, body: Body::Whole, beside: Beside::Nothing }
}

const fn plain(name: &'static str, title: &'static str, to: Recipient) -> Row {
    row(name, title, Kind::Chappe(Conf::Plain), to)
}

const fn connected(name: &'static str, title: &'static str, transport: Transport) -> Row {
    row(name, title, Kind::Chappe(Conf::Connected(transport)), Recipient::Registered)
}

const fn extensions(name: &'static str, title: &'static str, count: u32, to: Recipient) -> Row {
    row(name, title, Kind::Chappe(Conf::Extensions(count)), to)
}

/// What all others are compared with.
pub const FLOOR: &str = "floor";
pub const RELAY: &str = "relay";
pub const KAMAILIO: &str = "kamailio";
pub const KAMAILIO_STORED: &str = "kamailio-stored";
pub const TWO_CORES: &str = "two-cores";
pub const TWO_SERVERS: &str = "two-servers";
pub const SLEEPER_TITLE: &str =
    "chappe, point to point, beside a Python script that sleeps 1 s in every tenth message";

/// All rows, in the order of the table; those that are compared with each other stand together, in fours.
pub const ROWS: &[Row] = &[
    row(FLOOR, "floor: moves packets, parses nothing", Kind::Floor, Recipient::Registered),
    plain(RELAY, "chappe, point to point", Recipient::Registered),
    row(
        KAMAILIO,
        "Kamailio, 2 children, stateful relay to a registered user",
        Kind::Kamailio(Peer::Relay),
        Recipient::Registered,
    ),
    row(
        "storeless",
        "chappe, point to point, without a store",
        Kind::Chappe(Conf::Storeless),
        Recipient::Registered,
    ),
    row(
        "digest",
        "chappe, point to point, digest on every message",
        Kind::Chappe(Conf::Digest),
        Recipient::Registered,
    ),
    Row {
        beside: Beside::Listeners(10),
        ..row(
            "events",
            "chappe, point to point, 10 clients hear of each message",
            Kind::Chappe(Conf::Events),
            Recipient::Registered,
        )
    },
    connected("tcp", "chappe, point to point, a TCP connection each", Transport::Tcp),
    connected("tls", "chappe, point to point, a TLS connection each", Transport::Tls),
    connected("ws", "chappe, point to point, a WebSocket each", Transport::Ws),
    connected("wss", "chappe, point to point, a WebSocket with TLS each", Transport::Wss),
    Row {
        body: Body::Octets(100),
        ..plain("body-100", "chappe, point to point, bodies of 100 octets", Recipient::Registered)
    },
    Row {
        body: Body::Octets(600),
        ..plain("body-600", "chappe, point to point, bodies of 600 octets", Recipient::Registered)
    },
    Row {
        body: Body::Octets(8192),
        ..plain("body-8k", "chappe, point to point, bodies of 8 KiB", Recipient::Registered)
    },
    Row { beside: Beside::Sleeper, ..plain("sleeper", SLEEPER_TITLE, Recipient::Registered) },
    plain("reply", "chappe, `reply` from the chatplan", Recipient::Named(ECHO)),
    plain("lua", "chappe, `reply` from a Lua script", Recipient::Named(LUA)),
    row(
        "kamailio-lua",
        "Kamailio, 2 children, a reply from a Lua script",
        Kind::Kamailio(Peer::Lua),
        Recipient::Named(LUA),
    ),
    plain("python", "chappe, `reply` from a Python script, workers included", Recipient::Named(PYTHON)),
    extensions("extensions-1", "chappe, `reply`, 1 extension", 1, Recipient::OfExtension(0)),
    extensions(
        "extensions-100",
        "chappe, `reply`, the last of 100 extensions",
        100,
        Recipient::OfExtension(99),
    ),
    extensions("extensions-1k", "chappe, `reply`, the last of 1,000", 1000, Recipient::OfExtension(999)),
    extensions("extensions-10k", "chappe, `reply`, the last of 10,000", 10_000, Recipient::OfExtension(9999)),
    extensions("extensions-1k-first", "chappe, `reply`, the first of 1,000", 1000, Recipient::OfExtension(0)),
    extensions(
        "extensions-1k-middle",
        "chappe, `reply`, the middle of 1,000",
        1000,
        Recipient::OfExtension(499),
    ),
    extensions("extensions-1k-none", "chappe, point to point, none of 1,000", 1000, Recipient::Registered),
    extensions(
        "extensions-10k-none",
        "chappe, point to point, none of 10,000",
        10_000,
        Recipient::Registered,
    ),
    row(
        TWO_CORES,
        "chappe, point to point, a shard on each of two cores",
        Kind::Chappe(Conf::TwoCores),
        Recipient::Registered,
    ),
    row(
        TWO_SERVERS,
        "chappe, point to point, two servers of one shard each on two cores",
        Kind::Chappe(Conf::TwoServers),
        Recipient::Registered,
    ),
    row(
        "stored",
        "chappe, to users who are away: 202 once it is on the disk",
        Kind::Chappe(Conf::Keeper),
        Recipient::Away,
    ),
    row(
        KAMAILIO_STORED,
        "Kamailio, 1 child, to users who are away: 202 by msilo",
        Kind::Kamailio(Peer::Msilo),
        Recipient::Away,
    ),
];

/// The row of that name.
pub fn named(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_a_name_of_its_own() {
        for row in ROWS {
            assert_eq!(ROWS.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
        assert!(
            [FLOOR, RELAY, KAMAILIO, KAMAILIO_STORED, TWO_CORES, TWO_SERVERS]
                .iter()
                .all(|name| named(name).is_some())
        );
    }

    #[test]
    fn a_load_that_shares_its_core_sleeps() {
        let sleeps = |row: &&Row| row.patience() == Patience::Sleeps;
        let names: Vec<_> = ROWS.iter().filter(sleeps).map(|row| row.name).collect();
        assert_eq!(names, ["events", "sleeper", TWO_CORES, TWO_SERVERS, "stored", KAMAILIO_STORED]);
    }
}
