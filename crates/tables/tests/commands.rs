//! What the API commands say, through the registry.

use std::sync::Arc;

use chappe_api::Registry;
use chappe_chat::{NoAltPlans, Router, RouterDeps};
use chappe_event::{Bus, Clock, Globals, ManualClock};
use chappe_tables::{COMMANDS_MODULE, DB_MODULE, DPTOOLS_MODULE, HASH_MODULE, MAX_VALUE, Tables};
use tempfile::TempDir;

/// 2026-01-01 12:00:00 UTC
const NOON: i64 = 1_767_268_800;

struct World {
    tables: Arc<Tables>,
    router: Arc<Router>,
    registry: Arc<Registry>,
    folder: TempDir,
}

fn world() -> World {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOON * 1_000_000));
    let bus = Arc::new(Bus::new(Arc::default(), clock.clone()));
    let registry = Arc::new(Registry::new());
    let router = Router::new(RouterDeps {
        bus: bus.clone(),
        registry: registry.clone(),
        globals: Arc::new(Globals::new()),
        clock: clock.clone(),
        spawn: Arc::new(|_| panic!("nothing is left to be done")),
        alt_plans: Arc::new(NoAltPlans),
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tables = Tables::new(clock, bus, "here");
    tables.open_hash();
    tables.open_db(folder.path()).expect("a database");
    for module in [HASH_MODULE, DB_MODULE, DPTOOLS_MODULE, COMMANDS_MODULE] {
        tables.register(module, &router, &registry);
    }
    World { tables, router, registry, folder }
}

impl World {
    async fn check(&self, cases: &[(&str, &str)]) {
        for (line, expected) in cases {
            assert_eq!(self.registry.execute(line, None).text().await, *expected, "{line}");
        }
    }
}

#[tokio::test]
async fn hash() {
    let usage = "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n";
    let long = format!("hash insert/r/k/{}", "x".repeat(MAX_VALUE + 1));
    let world = world();
    world
        .check(&[
            ("hash", usage),
            ("hash insert/r", usage),
            ("hash insert/r/k", usage),
            ("hash put/r/k/v", usage),
            ("hash insert/r/k/a/b c", "+OK\n"),
            ("hash select/r/k", "a/b c"),
            ("hash select/r/nosuch", ""),
            ("hash INSERT_IFEMPTY/r/k/v", "-ERR key already exists\n"),
            ("hash insert_ifempty/r/l/v", "+OK\n"),
            ("hash delete_ifmatch/r/l/w", "-ERR Doesn't match\n"),
            ("hash delete_ifmatch/r/l/v", "+OK\n"),
            ("hash delete_ifmatch/r/l/v", "-ERR Not found\n"),
            ("hash delete/r/l", "-ERR Not found\n"),
            (&long, "-ERR the value is longer than 65536 octets\n"),
            ("hash insert/other/k/v", "+OK\n"),
            ("hash_dump db", "D/other_k/v\nD/r_k/a/b c\n"),
            ("hash_dump db other", "D/other_k/v\n"),
            ("hash_dump limit", ""),
            ("hash_dump", "Usage: all|limit|db [<realm>]\n"),
            ("hash_dump some", "Usage: all|limit|db [<realm>]\n"),
            ("hash delete/r/k", "+OK\n"),
            ("hash_dump all", "D/other_k/v\n"),
        ])
        .await;
    world.tables.close_hash();
    world.check(&[("hash select/other/k", "-ERR mod_hash is not loaded\n")]).await;
}

#[tokio::test]
async fn db() {
    let world = world();
    world
        .check(&[
            ("db", "!err!"),
            ("db insert/r/k", "!err!"),
            ("db insert/r/k/it's a/value", "+OK"),
            ("db insert/r/l/v", "+OK"),
            ("db insert/r/l/w", "+OK"),
            ("db insert/s/k/1", "+OK"),
            ("db select/r/k", "it's a/value"),
            ("db select/r/l", "w"),
            ("db select/r/nosuch", ""),
            ("db select/r", "!err!"),
            ("db exists/r/k", "true"),
            ("db exists/r/nosuch", "false"),
            ("db count", "2"),
            ("db count/r", "2"),
            ("db count/nosuch", "0"),
            ("db count/r/k", "!err!"),
            ("db list", "r,s"),
            ("db list/r", "k,l"),
            ("db list/nosuch", ""),
            ("db delete/r/k", "+OK"),
            ("db delete/r/nosuch", "+OK"),
            ("db delete", "!err!"),
            ("db list/r", "l"),
            ("group", "!err!"),
            ("group insert:g", "!err!"),
            ("group insert:g:sip:1000@chat.test", "+OK"),
            ("group insert:g:user/1001", "+OK"),
            ("group insert:g:user/1001", "+OK"),
            ("group call:g", "sip:1000@chat.test,user/1001"),
            ("group call:g:order", "sip:1000@chat.test|user/1001"),
            ("group call:g:multi", "sip:1000@chat.test:_:user/1001"),
            ("group delete:g:user/1001", "+OK"),
            ("group call:g", "sip:1000@chat.test"),
            ("group delete:g:*", "+OK"),
            ("group call:g", ""),
        ])
        .await;
}

#[tokio::test]
async fn the_database_stays() {
    let world = world();
    world.check(&[("db insert/r/k/kept", "+OK")]).await;
    world.tables.close_db();
    world.check(&[("db select/r/k", "-ERR mod_db is not loaded\n")]).await;
    world.tables.open_db(world.folder.path()).expect("opens again");
    world.check(&[("db select/r/k", "kept")]).await;
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("call_limit.db");
    std::fs::write(&path, "this is no database, whatever its name says".repeat(100)).expect("writable");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOON));
    let tables = Tables::new(clock.clone(), Arc::new(Bus::new(Arc::default(), clock)), "here");
    let error = tables.open_db(folder.path()).expect_err("no database").to_string();
    assert_eq!(error, format!("{}: file is not a database", path.display()));
    assert!(tables.backends().is_empty());
}

#[tokio::test]
async fn limits() {
    let world = world();
    let mut message = chappe_event::Event::new(chappe_event::EventName::Message);
    world.router.execute_app(&mut message, "limit", Some("hash r x 5/60")).await;
    assert_eq!(message.get("limit_rate_r_x"), Some("1"));
    world
        .check(&[
            // What a script runs is counted and let go at once.
            ("limit_usage hash r x", "0"),
            ("limit_usage hash r x rate", "0/1"),
            ("limit_hash_usage r x rate", "0/1"),
            ("hash_dump limit", "L/r_x/0/1/60/1767268800\n"),
            ("limit_usage r x", "0"),
            ("limit_usage nosuch r x", "0"),
            ("limit_usage", "USAGE: limit_usage <backend> <realm> <id> [rate]\n"),
            ("limit_status hash", "There are 1 elements being tracked."),
            ("limit_status db", "Tracking 0 resources for hostname here."),
            ("limit_status nosuch", "-ERR"),
            ("limit_status", "USAGE: limit_status <backend>\n"),
            ("limit_interval_reset hash r x", "+OK"),
            ("limit_interval_reset hash r", "USAGE: limit_interval_reset <backend> <realm> <resource>\n"),
            ("limit_usage hash r x rate", "0/0"),
            ("limit_reset hash", "+OK"),
            ("limit_reset db", "+OK"),
            ("limit_reset nosuch", "-ERR"),
            ("limit_reset", "USAGE: limit_reset <backend>\n"),
            ("limit_status hash", "There are 0 elements being tracked."),
            (
                "limit_hash_usage",
                "USAGE: limit_hash_usage <realm> <id> [rate] (Using deprecated limit api, check limit_usage with backend \
                 param)\n",
            ),
        ])
        .await;
}
