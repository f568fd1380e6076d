//! A console without a line editor: lines come from a pipe, a file or a plain terminal, and answers go out.

use std::io::{self, BufRead, Read as _};

use crate::session::Handle;

/// A longer line is no command.
const MAX_LINE: u64 = 64 * 1024;

/// One line of the input.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Text(String),
    /// Why it is none.
    Bad(&'static str),
    End,
}

/// Has each line carried out before the next one is read, until the input ends, a line leaves or the answers can't be
/// written. Blocks.
pub fn converse(
    mut input: impl BufRead,
    handle: &Handle,
    prompt: Option<&str>,
    mut write: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        if let Some(prompt) = prompt {
            write(prompt)?;
        }
        match read(&mut input)? {
            Line::End => return Ok(()),
            Line::Bad(why) => eprintln!("chappe console: {why}"),
            Line::Text(line) => {
                let answer = handle.line(&line);
                if !answer.text.is_empty() {
                    write(&answer.text)?;
                    if !answer.text.ends_with('\n') {
                        write("\n")?;
                    }
                }
                if answer.leave {
                    return Ok(());
                }
            }
        }
    }
}

fn read(input: &mut impl BufRead) -> io::Result<Line> {
    let mut octets = Vec::new();
    if input.take(MAX_LINE).read_until(b'\n', &mut octets)? == 0 {
        return Ok(Line::End);
    }
    if octets.len() as u64 == MAX_LINE && !octets.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        return Ok(Line::Bad("a line longer than 64 KiB is left out"));
    }
    match String::from_utf8(octets) {
        Ok(text) => Ok(Line::Text(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(_) => Ok(Line::Bad("a line that is not UTF-8 is left out")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let mut text = b"status\r\n\nbad \xff\n".to_vec();
        text.extend(vec![b'x'; MAX_LINE as usize + 10]);
        text.extend(b"\nlast");
        let mut input = text.as_slice();
        let mut lines = Vec::new();
        loop {
            match read(&mut input).expect("memory") {
                Line::End => break,
                line => lines.push(line),
            }
        }
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(lines[..2], [text("status"), text("")]);
        assert!(matches!((&lines[2], &lines[3]), (Line::Bad(_), Line::Bad(_))), "{lines:?}");
        assert_eq!(lines[4..], [text("last")]);
    }
}
