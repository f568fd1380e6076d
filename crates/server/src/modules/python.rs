//! mod_python3: scripts in Python.

use chappe_api::Row;
use chappe_chat::AppRow;
use chappe_script::Words;
use chappe_script::worker::PYTHON;

use super::workers::Kind;

const NAME: &str = "mod_python3";

/// FreeSWITCH mod_python3.c.
pub const KIND: Kind = Kind {
    name: NAME,
    language: &PYTHON,
    app: AppRow {
        name: "python",
        syntax: "<module>[::<function>] [<arguments>]",
        doc: "Run a Python module's `chat(message, args)`, or another function of it, on the message.",
        takes: false,
        module: NAME,
    },
    api: Row {
        name: "python",
        syntax: "<module>[::<function>] [<arguments>]",
        doc: "Run a Python module's fsapi(session, stream, env, args) and answer what it writes to stream",
        module: NAME,
    },
    run: Row {
        name: "pyrun",
        syntax: "<module>[::<function>] [<arguments>]",
        doc: "Start a Python module's runtime(args) in the background, for as long as it likes",
        module: NAME,
    },
    api_words: Words { nothing: "", started: "", failed: "" },
    run_words: Words { nothing: "USAGE: python </path/to/script>\n", started: "OK\n", failed: "" },
    settings: |configuration| &configuration.python,
};
