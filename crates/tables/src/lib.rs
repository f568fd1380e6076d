//! mod_hash and mod_db: tables that chatplans keep things in, and limits.
//!
//! In go words from a chatplan or an operator (`hash insert/realm/key/value`, `limit hash realm resource 10/60`); out
//! come what is kept under a key, and whether a message may go on. [`HashTable`] is kept in memory, [`Database`] in an
//! SQLite file, [`Counters`] count the messages under way and those of an interval. [`Tables`] holds them while their
//! modules are loaded; the apps and API commands, one a file, are FreeSWITCH's.
//!
//! Invariant: nothing here grows without bound, and nothing waits for the disk but the one thread of a [`Database`].

#![forbid(unsafe_code)]

mod apps;
mod bounds;
mod commands;
mod counters;
mod database;
mod db_conf;
mod error;
mod hash_conf;
mod hash_table;
mod tables;

pub use apps::rows as app_rows;
pub use bounds::{MAX_COUNTERS, MAX_ENTRIES, MAX_NAME, MAX_OCTETS, MAX_VALUE};
pub use commands::rows as command_rows;
pub use counters::{Counters, Held, Limit, Over, Usage};
pub use database::Database;
pub use db_conf::{PARAMS as DB_PARAMS, check as check_db};
pub use error::TableError;
pub use hash_conf::check as check_hash;
pub use hash_table::HashTable;
pub use tables::{COMMANDS_MODULE, DB_MODULE, DPTOOLS_MODULE, EVENTS, HASH_MODULE, Tables};
