//! What a worker prints, in the log line by line.

use std::io::{self, BufReader, PipeReader, Read};
use std::thread;

/// A longer line is cut in pieces.
const LONGEST: usize = 4096;

/// Starts to read what a worker prints, until nobody can print there any more.
pub(super) fn follow(language: &'static str, printed: PipeReader) -> io::Result<()> {
    let name = format!("{language} output");
    thread::Builder::new().name(name).spawn(move || {
        each_line(printed, |line| tracing::info!("{language}: {line}"));
    })?;
    Ok(())
}

/// Gives each line, without its end, to `say`. Empty ones are left out.
fn each_line(from: impl Read, mut say: impl FnMut(&str)) {
    let mut line = Vec::with_capacity(LONGEST);
    // An error ends the reading as the end does: there is nobody to tell.
    for octet in BufReader::new(from).bytes().map_while(Result::ok) {
        let ends = octet == b'\n';
        if !ends {
            line.push(octet);
        }
        if (ends && !line.is_empty()) || line.len() == LONGEST {
            say(String::from_utf8_lossy(&line).trim_end_matches('\r'));
            line.clear();
        }
    }
    if !line.is_empty() {
        say(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_one_by_one_and_long_ones_in_pieces() {
        let long = "x".repeat(LONGEST + 3);
        let printed = format!("one\n\ntwo\r\n\u{e9}\n{long}\nend");
        let mut lines = Vec::new();
        each_line(printed.as_bytes(), |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["one", "two", "\u{e9}", &long[..LONGEST], "xxx", "end"]);
        let mut lines = Vec::new();
        each_line(&b"\xff\n"[..], |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["\u{fffd}"]);
    }
}
