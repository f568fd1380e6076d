//! `list_users`: the directory's users.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_directory::{Domain, User};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "list_users",
    syntax: "[group <group>] [domain <domain>] [user <user>] [context <context>]",
    doc: "List Users configured in Directory",
    module: "mod_commands",
};

const TITLE: &str =
    "userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number\n";

/// What to list.
#[derive(Default)]
struct Filter {
    group: Option<String>,
    domain: Option<String>,
    user: Option<String>,
    context: Option<String>,
}

impl Filter {
    fn parse(args: &str) -> Self {
        let words: Vec<&str> = args.split_whitespace().collect();
        let after = |name: &str| {
            let at = words.iter().position(|word| word.eq_ignore_ascii_case(name))?;
            words.get(at + 1).map(|value| (*value).to_owned())
        };
        Self {
            group: after("group"),
            domain: after("domain"),
            user: after("user"),
            context: after("context"),
        }
    }
}

fn takes(filter: Option<&String>, value: &str) -> bool {
    filter.is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
}

/// A line but for the contact, which another command knows.
struct Line {
    before: String,
    address: String,
    after: String,
}

/// FreeSWITCH mod_commands.c list_users_function: the users of a domain with groups are listed group by group.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.split_whitespace().count() > 8 {
        return Answer::usage(&ROW);
    }
    let filter = Filter::parse(call.args);
    let configuration = server.configuration();
    let mut lines = Vec::new();
    for domain in
        configuration.directory.domains().filter(|domain| takes(filter.domain.as_ref(), &domain.name))
    {
        list_domain(domain, &filter, &mut lines);
    }
    let registry = call.registry.clone();
    Answer::Later(Box::pin(async move {
        let mut text = TITLE.to_owned();
        for line in lines {
            // FreeSWITCH leaves out whom it can't ask mod_sofia about.
            let Some(contact) = registry.run("sofia_contact", &line.address, None) else { continue };
            text.push_str(&format!("{}|{}|{}\n", line.before, contact.text().await, line.after));
        }
        text.push_str("\n+OK\n");
        text
    }))
}

fn list_domain(domain: &Domain, filter: &Filter, lines: &mut Vec<Line>) {
    if domain.groups.is_empty() {
        lines.extend(domain.users().filter_map(|user| line(domain, "", user, filter)));
        return;
    }
    for group in domain.groups.iter().filter(|group| takes(filter.group.as_ref(), &group.name)) {
        let members = group.members.iter().filter_map(|member| domain.user(member));
        lines.extend(members.filter_map(|user| line(domain, &group.name, user, filter)));
    }
}

fn line(domain: &Domain, group: &str, user: &User, filter: &Filter) -> Option<Line> {
    let variable = |name: &str| user.variable(name).unwrap_or_default();
    let context = variable("user_context");
    if !takes(filter.user.as_ref(), &user.id) || !takes(filter.context.as_ref(), context) {
        return None;
    }
    Some(Line {
        before: format!("{}|{context}|{}|{group}", user.id, domain.name),
        address: format!("*/{}@{}", user.id, domain.name),
        after: format!(
            "{}|{}|{}",
            variable("callgroup"),
            variable("effective_caller_id_name"),
            variable("effective_caller_id_number")
        ),
    })
}
