//! Python 3. FreeSWITCH mod_python3.c.

use super::Language;
use crate::{ScriptError, Value};

/// Reads the program from the socket and runs it.
const BOOTSTRAP: &str = "import os
def take(count):
    octets = b''
    while len(octets) < count:
        piece = os.read(3, count - len(octets))
        if not piece:
            os._exit(1)
        octets += piece
    return octets
def text():
    return take(int.from_bytes(take(4), 'big')).decode()
exec(compile(text(), '<chappe worker.py>', 'exec'))";

pub const PYTHON: Language = Language {
    name: "python",
    interpreter: "python3",
    bootstrap: &["-c", BOOTSTRAP],
    library: include_str!("../../workers/freeswitch.py"),
    program: include_str!("../../workers/worker.py"),
    path: "PYTHONPATH",
    memory: None,
    words,
};

/// `module::function arguments`, the function and the arguments or not. FreeSWITCH mod_python3.c `eval_some_python`.
fn words(line: &str) -> Result<Vec<Value>, ScriptError> {
    let mut words = chappe_api::separate(line.trim_start_matches(' '), ' ', 2).into_iter();
    let script = words.next().filter(|script| !script.is_empty()).ok_or(ScriptError::Nothing)?;
    let (module, function) = script.split_once("::").unwrap_or((&script, ""));
    Ok(vec![module.into(), function.into(), words.next().unwrap_or_default().into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_module_function_and_arguments() {
        let cases = [
            ("echo", ["echo", "", ""]),
            ("echo some  words ", ["echo", "", "some  words"]),
            ("echo::other 'one two' three", ["echo", "other", "one two three"]),
            ("pkg.echo::", ["pkg.echo", "", ""]),
            ("  echo  x", ["echo", "", "x"]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line).unwrap(), expected.map(Value::from), "{line}");
        }
        assert_eq!(words(" ").unwrap_err(), ScriptError::Nothing);
    }
}
