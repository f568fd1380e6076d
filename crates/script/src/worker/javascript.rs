//! JavaScript. FreeSWITCH mod_v8.cpp.

use super::{Language, perl};

/// Reads the program from the socket and runs it.
const BOOTSTRAP: &str = r#"const fs = require('fs');
function take(count) {
    const octets = Buffer.alloc(count);
    for (let at = 0; at < count;) {
        const read = fs.readSync(3, octets, at, count - at, null);
        if (read === 0) process.exit(1);
        at += read;
    }
    return octets;
}
function text() { return take(take(4).readUInt32BE(0)).toString(); }
require('vm').compileFunction(text(), ['require', 'take', 'text'], { filename: '<chappe worker.js>' })(require, take, text);"#;

pub const JAVASCRIPT: Language = Language {
    name: "javascript",
    interpreter: "node",
    bootstrap: &["-e", BOOTSTRAP],
    library: include_str!("../../workers/freeswitch.js"),
    program: include_str!("../../workers/worker.js"),
    path: "NODE_PATH",
    memory: Some(|mib| format!("--max-old-space-size={mib}")),
    // FreeSWITCH mod_v8.cpp `v8_parse_and_execute`, which takes a line apart as Perl's does.
    words: perl::words,
};
