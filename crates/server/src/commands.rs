//! The API commands that need the whole server. One a file: its row and what it does.

mod acl;
mod banner;
mod bg_spawn;
mod bg_system;
mod complete;
mod console;
mod console_complete;
mod console_complete_xml;
mod domain_data;
mod domain_exists;
mod dots;
mod event;
mod file_exists;
mod find_user_xml;
mod fsctl;
mod getcputime;
mod getenv;
mod gethost;
mod host_lookup;
mod in_group;
mod json;
mod json_print;
mod list_users;
mod load;
mod log;
mod lookup;
mod lua;
mod luarun;
mod machine;
mod message;
mod module_exists;
mod msleep;
mod reg_url;
mod reload;
mod reloadacl;
mod reloadxml;
mod sched_api;
mod sched_del;
mod show;
mod shutdown;
mod spawn;
mod spawn_stream;
mod status;
mod system;
mod table;
mod unload;
mod unsched_api;
mod uptime;
mod user_data;
mod user_exists;
mod version;
mod xml_flush_cache;
mod xml_locate;

use std::sync::{Arc, Weak};

use chappe_api::{Answer, Call, Command, Row};

use crate::server::Server;

type Run = fn(&Call<'_>, &Arc<Server>) -> Answer;

/// Every command, sorted by name.
const COMMANDS: &[(&Row, Run)] = &[
    (&dots::ROW, dots::run),
    (&acl::ROW, acl::run),
    (&banner::ROW, banner::run),
    (&bg_spawn::ROW, bg_spawn::run),
    (&bg_system::ROW, bg_system::run),
    (&complete::ROW, complete::run),
    (&console::ROW, console::run),
    (&console_complete::ROW, console_complete::run),
    (&console_complete_xml::ROW, console_complete_xml::run),
    (&domain_data::ROW, domain_data::run),
    (&domain_exists::ROW, domain_exists::run),
    (&event::ROW, event::run),
    (&file_exists::ROW, file_exists::run),
    (&find_user_xml::ROW, find_user_xml::run),
    (&fsctl::ROW, fsctl::run),
    (&getcputime::ROW, getcputime::run),
    (&getenv::ROW, getenv::run),
    (&gethost::ROW, gethost::run),
    (&host_lookup::ROW, host_lookup::run),
    (&in_group::ROW, in_group::run),
    (&json::ROW, json::run),
    (&list_users::ROW, list_users::run),
    (&load::ROW, load::run),
    (&log::ROW, log::run),
    (&lua::ROW, lua::run),
    (&luarun::ROW, luarun::run),
    (&message::ROW, message::run),
    (&module_exists::ROW, module_exists::run),
    (&msleep::ROW, msleep::run),
    (&reg_url::ROW, reg_url::run),
    (&reload::ROW, reload::run),
    (&reloadacl::ROW, reloadacl::run),
    (&reloadxml::ROW, reloadxml::run),
    (&sched_api::ROW, sched_api::run),
    (&sched_del::ROW, sched_del::run),
    (&show::ROW, show::run),
    (&shutdown::ROW, shutdown::run),
    (&spawn::ROW, spawn::run),
    (&spawn_stream::ROW, spawn_stream::run),
    (&status::ROW, status::run),
    (&system::ROW, system::run),
    (&unload::ROW, unload::run),
    (&unsched_api::ROW, unsched_api::run),
    (&uptime::ROW, uptime::run),
    (&user_data::ROW, user_data::run),
    (&user_exists::ROW, user_exists::run),
    (&version::ROW, version::run),
    (&xml_flush_cache::ROW, xml_flush_cache::run),
    (&xml_locate::ROW, xml_locate::run),
];

/// The rows of all of them.
pub fn rows() -> impl Iterator<Item = Row> {
    COMMANDS.iter().map(|(row, _)| **row)
}

/// Adds those that belong to `module`.
pub fn register(server: &Arc<Server>, module: &str) {
    for &(row, run) in COMMANDS.iter().filter(|(row, _)| row.module == module) {
        server.registry.add(Arc::new(OfServer { row, run, server: Arc::downgrade(server) }));
    }
}

struct OfServer {
    row: &'static Row,
    run: Run,
    /// The server owns the registry that owns this.
    server: Weak<Server>,
}

impl Command for OfServer {
    fn row(&self) -> &Row {
        self.row
    }

    fn run(&self, call: Call<'_>) -> Answer {
        match self.server.upgrade() {
            Some(server) => (self.run)(&call, &server),
            None => "-ERR the server ends\n".into(),
        }
    }
}

/// Runs what blocks on a thread made for it; the answer comes later and SIP goes on meanwhile.
fn blocking(server: &Arc<Server>, work: impl FnOnce(&Arc<Server>) -> String + Send + 'static) -> Answer {
    let server = server.clone();
    Answer::Later(Box::pin(async move {
        let task = tokio::task::spawn_blocking(move || work(&server));
        task.await.unwrap_or_else(|error| format!("-ERR {error}\n"))
    }))
}

/// The domain that a user without one is of: the global variable, as in FreeSWITCH's switch_core_get_domain.
fn default_domain(server: &Server) -> Arc<str> {
    server.ground.globals.get("domain").unwrap_or_else(|| server.identity.ipv4.as_str().into())
}

pub(crate) use lookup::MAX_LOOKUPS;
pub(crate) use machine::MAX_BACKGROUND;
pub(crate) use status::duration as uptime_words;

/// `1000@example.com` into user and domain.
fn split_user<'a>(server: &Server, user: &'a str) -> (&'a str, Arc<str>) {
    match user.split_once('@') {
        Some((user, domain)) => (user, domain.into()),
        None => (user, default_domain(server)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_complete() {
        let rows: Vec<Row> = rows().collect();
        assert!(rows.is_sorted_by_key(|row| row.name));
        for row in rows {
            assert!(!row.doc.is_empty() && !row.module.is_empty(), "{}", row.name);
        }
    }
}
