//! mod_perl: scripts in Perl.

use chappe_api::Row;
use chappe_chat::AppRow;
use chappe_script::Words;
use chappe_script::worker::PERL;

use super::workers::Kind;

const NAME: &str = "mod_perl";

/// FreeSWITCH mod_perl.c.
pub const KIND: Kind = Kind {
    name: NAME,
    language: &PERL,
    app: AppRow {
        name: "perl",
        syntax: "<script> [<arguments>]",
        doc: "Run a Perl script on the message; `~` and code instead of a script's name runs the code.",
        takes: false,
        module: NAME,
    },
    api: Row {
        name: "perl",
        syntax: "<script> [<arguments>]",
        doc: "Run a Perl script and answer what it writes to $stream",
        module: NAME,
    },
    run: Row {
        name: "perlrun",
        syntax: "<script> [<arguments>]",
        doc: "Start a Perl script in the background, for as long as it likes",
        module: NAME,
    },
    api_words: Words { nothing: "-ERR Missing args.\n", started: "", failed: "" },
    run_words: Words { nothing: "-ERR Missing args.\n", started: "+OK\n", failed: "" },
    settings: |configuration| &configuration.perl,
};
