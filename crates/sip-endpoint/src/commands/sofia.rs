//! `sofia`: the command with many commands.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};

use super::{global, profile, status, status_profile, xmlstatus};
use crate::Endpoint;

pub const ROW: Row =
    Row { name: "sofia", syntax: "<cmd> <args>", doc: "Sofia Controls", module: "mod_sofia" };

pub struct Sofia(pub Arc<Endpoint>);

/// At once, or by a thread made for blocking.
fn shown(endpoint: &Arc<Endpoint>, words: &[&str], show: fn(&Arc<Endpoint>, &[&str]) -> String) -> Answer {
    if !status_profile::takes_long(endpoint.world(), words) {
        return Answer::Ready(show(endpoint, words));
    }
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let asked = endpoint.clone();
    super::by_another_thread(endpoint, move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        show(&asked, &words)
    })
}

const USAGE: &str = "USAGE:
--------------------------------------------------------------------------------
sofia global siptrace <on|off>
sofia profile <name> [start | stop | restart | rescan]
                     flush_inbound_reg [<call_id> | <[user]@domain>]
                     [register | unregister] [<gateway name> | all]
                     killgw <gateway name>
                     gwlist [up | down]
                     siptrace <on|off>
sofia status|xmlstatus [gateway [<name>]]
sofia status|xmlstatus [profile <name> [reg [<contact str>]] | [user <user@domain>]]
sofia help
--------------------------------------------------------------------------------
";

impl Command for Sofia {
    fn row(&self) -> &Row {
        &ROW
    }

    fn run(&self, call: Call<'_>) -> Answer {
        let words: Vec<_> = call.args.split_whitespace().collect();
        match words.split_first() {
            None => Answer::from(USAGE),
            Some((word, _)) if word.eq_ignore_ascii_case("help") => Answer::from(USAGE),
            Some((word, rest)) if word.eq_ignore_ascii_case("status") => shown(&self.0, rest, status::run),
            Some((word, rest)) if word.eq_ignore_ascii_case("xmlstatus") => {
                shown(&self.0, rest, xmlstatus::run)
            }
            Some((word, rest)) if word.eq_ignore_ascii_case("profile") => profile::run(&self.0, rest, &call),
            Some((word, rest)) if word.eq_ignore_ascii_case("global") => {
                Answer::Ready(global::run(self.0.world(), rest))
            }
            Some((word, _)) => Answer::Ready(format!("Unknown Command [{word}]\n")),
        }
    }
}
