//! `console_complete_xml`: what `console_complete` answers, as XML.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_config::{Attribute, Element};

use super::console_complete::{self, Matches};
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "console_complete_xml",
    syntax: "[c=<cursor>;]<line>",
    doc: "Console complete",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    answer(&console_complete::matches(call, server)).into()
}

fn answer(matches: &Matches) -> String {
    let mut complete = Element::named("complete");
    for word in &matches.words {
        complete.children.push(Element { text: word.clone(), ..Element::named("match") });
    }
    let length = Attribute { name: "length".to_owned(), value: matches.typed.to_string() };
    let write =
        Element { attributes: vec![length], text: matches.shared().to_owned(), ..Element::named("write") };
    complete.children.push(write);
    format!("<?xml version=\"1.0\"?>\n{}", complete.to_xml())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matches_and_what_to_write() {
        let matches = Matches { words: vec!["reloadacl".into(), "reloadxml".into()], typed: 3 };
        assert_eq!(
            answer(&matches),
            "<?xml version=\"1.0\"?>\n<complete>\n  <match>reloadacl</match>\n  <match>reloadxml</match>\n  \
             <write length=\"3\">reload</write>\n</complete>\n"
        );
        let nothing = Matches { words: Vec::new(), typed: 2 };
        assert!(answer(&nothing).ends_with("<complete>\n  <write length=\"2\"></write>\n</complete>\n"));
    }
}
