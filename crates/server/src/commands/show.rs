//! `show`: what there is.

use std::sync::Arc;

use chappe_api::{Alias, Answer, Call, Registry, Row};
use chappe_store::State;

use super::message::{self, Listing, MOST};
use super::table::{Table, total, total_json, total_xml};
use crate::completions::Completion;
use crate::scheduler::{DESCRIPTION, Task};
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "show",
    syntax: "aliases|api [name]|application|bridged_calls|calls [count]|channels [count|like <match string>]|chat|chat_app|\
             complete|detailed_bridged_calls|detailed_calls|help|interface_types|interfaces|limits|messages [<state>]|\
             modules [name]|nat_map|registrations [count]|status|tasks, then: as [csv|delim [<delimiter>]|xml|json]",
    doc: "Show various reports",
    module: "mod_commands",
};

const INTERFACE: &[&str] = &["type", "name", "ikey"];

/// FreeSWITCH mod_commands.c show_function.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let words: Vec<&str> = call.args.split_whitespace().collect();
    let Some(what) = words.first().map(|word| word.to_ascii_lowercase()) else { return Answer::usage(&ROW) };
    if what.starts_with("status") {
        return call.registry.execute("status", None);
    }
    let (chosen, form) = form(&words[1..]);
    if what.starts_with("help") {
        return help(call.registry).into();
    }
    if what == "messages" {
        return messages(chosen, &form, server);
    }
    let Some(mut table) = table(&what, chosen, server, call.registry) else { return Answer::usage(&ROW) };
    let countable = matches!(what.as_str(), "registrations" | "calls" | "channels");
    if countable && chosen.is_some_and(|word| word.eq_ignore_ascii_case("count")) {
        return counted(table.rows.len(), &form);
    }
    if let Some(name) = chosen.filter(|_| what.starts_with("module")) {
        table.rows.retain(|row| row[2] == name);
    }
    print(&table, &form).into()
}

/// Messages that are kept, in the order they came; the first [`MOST`] of them.
fn messages(chosen: Option<&str>, form: &Form<'_>, server: &Arc<Server>) -> Answer {
    let state = chosen.and_then(State::parse);
    if state.is_none() && chosen.is_some() {
        return Answer::usage(&ROW);
    }
    let store = match message::store(server) {
        Ok(store) => store,
        Err(answer) => return answer,
    };
    let (name, delimiter) = (form.name.to_ascii_lowercase(), form.delimiter.to_owned());
    let (listing, zone) =
        (Listing { state, limit: MOST, ..Listing::default() }, server.ground.clock.zone().clone());
    Answer::Later(Box::pin(async move {
        let page = message::page(&*store, listing, &zone).await;
        match (page, name.as_str()) {
            (Ok(page), "csv" | "delim") => page.text(&delimiter),
            (Ok(page), name) => print(&page.table, &Form { name, delimiter: &delimiter }),
            (Err(error), _) => format!("-ERR {error}\n"),
        }
    }))
}

struct Form<'a> {
    name: &'a str,
    delimiter: &'a str,
}

/// What is asked for in particular, and `as FORM`.
fn form<'a>(words: &[&'a str]) -> (Option<&'a str>, Form<'a>) {
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("as"));
    let chosen = words.first().copied().filter(|_| at != Some(0));
    let after = |offset: usize| at.and_then(|at| words.get(at + offset).copied());
    (chosen, Form { name: after(1).unwrap_or("csv"), delimiter: after(2).unwrap_or(",") })
}

fn print(table: &Table, form: &Form<'_>) -> String {
    match form.name.to_ascii_lowercase().as_str() {
        "csv" | "delim" => table.delimited(form.delimiter),
        "xml" => table.xml(),
        "json" => table.json(),
        _ => format!("-ERR Cannot find format {}\n", form.name),
    }
}

fn counted(count: usize, form: &Form<'_>) -> Answer {
    match form.name.to_ascii_lowercase().as_str() {
        "xml" => total_xml(count).into(),
        "json" => total_json(count).into(),
        "csv" | "delim" => total(count).into(),
        _ => format!("-ERR Cannot find format {}\n", form.name).into(),
    }
}

fn table(what: &str, chosen: Option<&str>, server: &Server, registry: &Registry) -> Option<Table> {
    let interfaces = |kind: &str| Table { columns: INTERFACE, rows: of_kind(kind, server, registry) };
    Some(match what {
        "api" => api(chosen, registry),
        "chat" | "chats" => interfaces("chat"),
        "chat_app" | "chat_apps" | "chat_application" => interfaces("chat_application"),
        "interfaces" => Table { columns: INTERFACE, rows: interface_rows(server, registry) },
        "interface_types" => interface_types(server, registry),
        "module" | "modules" => modules(server, registry),
        "registrations" => registrations(server),
        "aliases" => aliases(server, registry),
        "complete" => complete(server),
        "tasks" => tasks(server),
        "calls" | "channels" | "detailed_calls" | "bridged_calls" | "detailed_bridged_calls" | "nat_map" => {
            Table { columns: &[], rows: Vec::new() }
        }
        "codec" | "codecs" | "dialplan" | "file" | "files" | "timer" | "timers" | "say" | "limit"
        | "limits" | "management" | "endpoint" | "endpoints" | "application" => interfaces(what),
        _ => return None,
    })
}

/// Type, name and module of everything there is, sorted by type and name.
fn interface_rows(server: &Server, registry: &Registry) -> Vec<Vec<String>> {
    let row =
        |kind: &str, name: &str, module: &str| vec![kind.to_owned(), name.to_owned(), module.to_owned()];
    let mut rows: Vec<Vec<String>> =
        registry.rows().iter().map(|command| row("api", command.name, command.module)).collect();
    rows.extend(
        server.router.interfaces().iter().map(|interface| row("chat", &interface.name, &interface.module)),
    );
    if server.modules.is_loaded("mod_sms") {
        rows.extend(server.router.apps().iter().map(|app| row("chat_application", app.name, app.module)));
    }
    if server.modules.is_loaded("mod_sofia") {
        rows.push(row("endpoint", "sofia", "mod_sofia"));
    }
    rows.extend(server.tables.backends().iter().map(|(name, module)| row("limit", name, module)));
    rows.extend(super::json::COMMANDS.iter().map(|name| row("json_api", name, "mod_commands")));
    rows.extend(server.modules.loaded().iter().map(|module| row("generic", module, module)));
    rows.sort();
    rows
}

fn of_kind(kind: &str, server: &Server, registry: &Registry) -> Vec<Vec<String>> {
    let singular = kind.strip_suffix('s').unwrap_or(kind);
    let rows = interface_rows(server, registry).into_iter();
    rows.filter(|row| row[0] == kind || row[0] == singular).collect()
}

fn interface_types(server: &Server, registry: &Registry) -> Table {
    let mut rows: Vec<(String, usize)> = Vec::new();
    for row in interface_rows(server, registry) {
        match rows.last_mut().filter(|(kind, _)| *kind == row[0]) {
            Some((_, count)) => *count += 1,
            None => rows.push((row[0].clone(), 1)),
        }
    }
    let rows = rows.into_iter().map(|(kind, count)| vec![kind, count.to_string()]).collect();
    Table { columns: &["type", "total"], rows }
}

fn api(chosen: Option<&str>, registry: &Registry) -> Table {
    let rows = registry.rows().into_iter().filter(|row| chosen.is_none_or(|name| name == row.name));
    let cells = |row: Row| [row.name, row.doc, row.syntax, row.module].map(str::to_owned).to_vec();
    Table { columns: &["name", "description", "syntax", "ikey"], rows: rows.map(cells).collect() }
}

fn modules(server: &Server, registry: &Registry) -> Table {
    let mut rows = interface_rows(server, registry);
    for row in &mut rows {
        // Modules are part of the program; there is no file to name.
        row.push(String::new());
    }
    Table { columns: &["type", "name", "ikey", "filename"], rows }
}

fn registrations(server: &Server) -> Table {
    let all = server.modules.sofia.endpoint().map(|endpoint| endpoint.registrations()).unwrap_or_default();
    let hostname = &server.identity.hostname;
    let cells = |one: &chappe_sip_endpoint::Registration| {
        vec![
            one.user.clone(),
            one.domain.clone(),
            one.call_id.clone(),
            one.url.clone(),
            one.expires.to_string(),
            one.network.ip().to_string(),
            one.network.port().to_string(),
            one.transport.to_owned(),
            hostname.clone(),
            String::new(),
        ]
    };
    Table {
        columns: &[
            "reg_user",
            "realm",
            "token",
            "url",
            "expires",
            "network_ip",
            "network_port",
            "network_proto",
            "hostname",
            "metadata",
        ],
        rows: all.iter().map(cells).collect(),
    }
}

/// The lines of `help` alone; FreeSWITCH gives them without saying how many.
fn help(registry: &Registry) -> String {
    let line = |row: Row| format!("{},{},{},{}\n", row.name, row.syntax, row.doc, row.module);
    registry.rows().into_iter().map(line).collect()
}

fn aliases(server: &Server, registry: &Registry) -> Table {
    let list = registry.aliases().list();
    let cells = |one: &Alias| {
        let sticky = u8::from(one.sticky).to_string();
        vec![sticky, one.alias.clone(), one.command.clone(), server.identity.switchname.clone()]
    };
    Table { columns: &["sticky", "alias", "command", "hostname"], rows: list.iter().map(cells).collect() }
}

fn complete(server: &Server) -> Table {
    let cells = |one: Completion| {
        let sticky = u8::from(one.sticky).to_string();
        [vec![sticky], one.words, vec![server.identity.hostname.clone()]].concat()
    };
    Table {
        columns: &["sticky", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "hostname"],
        rows: server.completions.list().into_iter().map(cells).collect(),
    }
}

fn tasks(server: &Server) -> Table {
    let cells = |task: Task| {
        let (id, runtime) = (task.id.to_string(), task.runtime.to_string());
        // FreeSWITCH's last but one column says which of its threads keeps the table.
        vec![
            id,
            DESCRIPTION.to_owned(),
            task.group,
            runtime,
            "1".to_owned(),
            server.identity.hostname.clone(),
        ]
    };
    Table {
        columns: &["task_id", "task_desc", "task_group", "task_runtime", "task_sql_manager", "hostname"],
        rows: server.scheduler.tasks().into_iter().map(cells).collect(),
    }
}
