//! `sofia`: the command with many commands.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};

use super::{global, profile, status, xmlstatus};
use crate::Endpoint;

pub const ROW: Row =
    Row { name: "sofia", syntax: "<cmd> <args>", doc: "Sofia Controls", module: "mod_sofia" };

pub struct Sofia(pub Arc<Endpoint>);

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
            Some((word, rest)) if word.eq_ignore_ascii_case("status") => {
                Answer::Ready(status::run(&self.0, rest))
            }
            Some((word, rest)) if word.eq_ignore_ascii_case("xmlstatus") => {
                Answer::Ready(xmlstatus::run(&self.0, rest))
            }
            Some((word, rest)) if word.eq_ignore_ascii_case("profile") => profile::run(&self.0, rest, &call),
            Some((word, rest)) if word.eq_ignore_ascii_case("global") => {
                Answer::Ready(global::run(self.0.world(), rest))
            }
            Some((word, _)) => Answer::Ready(format!("Unknown Command [{word}]\n")),
        }
    }
}
