//! The API command `erlang`: who is connected, hears what and answers for what.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chappe_api::{Answer, Call, Command, Row};
use chappe_config::Section;
use chappe_event::EventName;

use crate::MODULE;
use crate::fetch::Fetches;
use crate::hub::{Hub, Member};

pub(crate) const ROW: Row = Row {
    name: "erlang",
    syntax: "listeners|handlers|bindings|sessions <node>",
    doc: "The Erlang nodes that are connected, what they hear, what they answer for",
    module: MODULE,
};

pub(crate) struct Erlang {
    pub(crate) hub: Arc<Hub>,
    pub(crate) fetches: Arc<Fetches>,
}

impl Command for Erlang {
    fn row(&self) -> &Row {
        &ROW
    }

    /// FreeSWITCH mod_erlang_event.c erlang_cmd.
    fn run(&self, call: Call<'_>) -> Answer {
        let members = self.hub.members();
        let words: Vec<&str> = call.args.split_whitespace().collect();
        let text = match words[..] {
            ["listeners"] => or(members.iter().map(listener).collect(), "No active listeners\n"),
            ["handlers"] => or(members.iter().map(handlers).collect(), "No active handlers\n"),
            ["bindings"] => or(self.fetches.bound(binding).concat(), "No bindings\n"),
            ["sessions", node] => match members.iter().any(|member| member.node.eq_ignore_ascii_case(node)) {
                true => format!("No active sessions for {node}\n"),
                false => format!("Could not find a listener for {node}\n"),
            },
            _ => return Answer::usage(&ROW),
        };
        text.into()
    }
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

fn listener(member: &Arc<Member>) -> String {
    let [events, lost_events, lines, lost_lines] =
        member.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
    format!(
        "Listener to {} with outbound sessions: 0 events: {events} (lost:{lost_events}) logs: {lines} \
         (lost:{lost_lines}) 0/0\n",
        member.node
    )
}

fn handlers(member: &Arc<Member>) -> String {
    let mut text = format!("Listener {}:\n--------------------------------\n", member.node);
    let wishes = member.wishes();
    let kinds = EventName::LIST.iter().filter(|kind| !matches!(kind, EventName::Custom | EventName::All));
    for kind in kinds.filter(|kind| wishes.subscription.wants(**kind, None)) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}", kind.as_str());
    }
    text + "\n"
}

fn binding(node: &str, section: Section) -> String {
    let name = match section {
        Section::Configuration => "config",
        Section::Languages => "phrases",
        other => other.as_str(),
    };
    format!("{node} {name}\n")
}
