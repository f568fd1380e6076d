//! mod_v8: scripts in JavaScript.

use chappe_api::Row;
use chappe_chat::AppRow;
use chappe_script::Words;
use chappe_script::worker::JAVASCRIPT;

use super::workers::Kind;

const NAME: &str = "mod_v8";

/// FreeSWITCH mod_v8.cpp.
pub const KIND: Kind = Kind {
    name: NAME,
    language: &JAVASCRIPT,
    app: AppRow {
        name: "javascript",
        syntax: "<script> [<arguments>]",
        doc: "Run JavaScript on the message; `~` and code instead of a script's name runs the code.",
        takes: false,
        module: NAME,
    },
    api: Row {
        name: "jsapi",
        syntax: "<script> [<arguments>]",
        doc: "Run JavaScript and answer what it writes to request",
        module: NAME,
    },
    run: Row {
        name: "jsrun",
        syntax: "<script> [<arguments>]",
        doc: "Start JavaScript in the background, for as long as it likes",
        module: NAME,
    },
    api_words: Words { nothing: "USAGE: jsapi <script> [additional_vars [...]]\n", started: "", failed: "" },
    run_words: Words {
        nothing: "USAGE: jsrun <script> [additional_vars [...]]\n",
        started: "+OK\n",
        failed: "",
    },
    settings: |configuration| &configuration.javascript,
};
