//! Obeying a directive.

use super::directive::Directive;
use super::expand::Expanded;
use super::{Cursor, Preprocessor};
use crate::Location;

impl Preprocessor<'_> {
    /// `<X-PRE-PROCESS cmd="..." data="..."/>`; the rest of its line is lost.
    pub(super) fn element(&mut self, cursor: &Cursor, line: &str, start: usize) {
        let end = line[start..].find("/>").map_or(line.len(), |end| start + end + 2);
        let (before, after) = (line[..start - 1].trim(), line[end..].trim());
        let at = cursor.at(start - 1);
        let lost_before = !(before.is_empty() || before.ends_with("<!--"));
        let lost_after = !(after.is_empty() || after.starts_with("-->") || after.starts_with("<!--"));
        if self.is_comment_after(before) {
            self.diagnostics
                .warning(&at, "a comment does not switch X-PRE-PROCESS off: it is obeyed")
                .instead("<Z-PRE-PROCESS .../>, or nothing,");
        } else if lost_before || lost_after {
            self.diagnostics
                .warning(&at, "what else stands on the line of X-PRE-PROCESS is lost")
                .instead("X-PRE-PROCESS on a line of its own");
        }
        match Directive::of_element(&line[start..end]) {
            Ok(directive) => self.obey(cursor, &at, directive),
            Err(why) => {
                self.diagnostics
                    .warning(&at, format!("X-PRE-PROCESS is not obeyed: {why}"))
                    .instead("<X-PRE-PROCESS cmd=\"set\" data=\"name=value\"/> on one line");
            }
        }
    }

    /// `<!--#set "name=value"-->`: what stands around it on its line stays.
    pub(super) fn old_form(&mut self, cursor: &mut Cursor, line: &Expanded<'_>, start: usize) {
        self.write(cursor, line, 0, start);
        let end = line.text[start..].find("-->").map(|end| start + end);
        match end {
            Some(end) => self.write(cursor, line, end + 3, line.text.len()),
            None => cursor.in_comment = true,
        }
        let at = cursor.at(start);
        let inside = &line.text[start + 5..end.unwrap_or(line.text.len())];
        if let Some(directive) = Directive::of_comment(inside) {
            self.obey(cursor, &at, directive);
        }
    }

    fn obey(&mut self, cursor: &Cursor, at: &Location, directive: Directive<'_>) {
        match directive {
            Directive::Set { name, value } => self.variables.set(name, value),
            Directive::ExecSet { name, command } => match self.files.exec(command) {
                Ok(output) => {
                    let value = output.trim_end_matches([' ', '\n']);
                    if !value.is_empty() {
                        self.variables.set(name, value);
                    }
                }
                Err(error) => {
                    self.diagnostics.warning(at, format!("exec-set: failed to run `{command}`: {error}"));
                }
            },
            Directive::EnvSet { name, variable } => {
                if let Some(value) = self.files.env(variable) {
                    self.variables.set(name, &value);
                }
            }
            Directive::StunSet { name, server } => self.stun_set(at, name, server),
            Directive::Include { pattern } => self.include(cursor, at, pattern),
            Directive::Exec { command } => match self.files.exec(command) {
                Ok(output) => self.write_output(at, &output),
                Err(error) => {
                    self.diagnostics.warning(at, format!("exec: failed to run `{command}`: {error}"));
                }
            },
            Directive::Malformed { why, instead } => {
                self.diagnostics.warning(at, why).instead(instead);
            }
        }
    }

    /// Deviation: no STUN server is asked, since reading a configuration must not wait for the network. The local
    /// address is taken, which is right wherever no NAT is between.
    fn stun_set(&mut self, at: &Location, name: &str, server: &str) {
        if self.variables.is_fixed(name) {
            return;
        }
        let local = self.variables.get("local_ip_v4").unwrap_or_default().to_owned();
        self.diagnostics
            .warning(
                at,
                format!("stun-set: {server} is not asked; {name} is set to the local address `{local}`"),
            )
            .instead(format!("<X-PRE-PROCESS cmd=\"set\" data=\"{name}=ADDRESS\"/>"));
        self.variables.set(name, &local);
    }

    fn include(&mut self, cursor: &Cursor, at: &Location, pattern: &str) {
        let path = cursor.folder.join(pattern);
        let found = self.files.glob(&path);
        if found.is_empty() && !pattern.contains(['*', '?', '[']) {
            self.diagnostics.hint(at, format!("{} is not there to be included", path.display()));
        }
        for file in found {
            self.file(&file, Some(at));
        }
    }
}
