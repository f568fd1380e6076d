//! FreeSWITCH's preprocessor (switch_xml.c preprocess): line by line, before any XML is read.

mod directive;
mod expand;
mod obey;
mod output;
mod source_map;
mod variables;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::expand::{Expanded, expand};
pub(crate) use self::source_map::SourceMap;
use self::variables::Variables;
use crate::{Diagnostics, Files, Location, limits};

/// All files as one text.
pub(crate) struct Preprocessed {
    pub text: String,
    pub map: SourceMap,
    pub globals: Vec<(String, String)>,
    pub diagnostics: Diagnostics,
}

pub(crate) fn preprocess(
    root: &Path,
    files: &dyn Files,
    presets: &[(String, String)],
    overrides: &[(String, String)],
) -> Preprocessed {
    let mut preprocessor = Preprocessor {
        files,
        text: String::new(),
        map: SourceMap::starting_in(root.to_string_lossy().into()),
        variables: Variables::new(presets, overrides),
        open: Vec::new(),
        read: 0,
        full: false,
        in_xml_comment: false,
        missed: Vec::new(),
        diagnostics: Diagnostics::new(),
    };
    preprocessor.file(root, None);
    Preprocessed {
        text: preprocessor.text,
        map: preprocessor.map,
        globals: preprocessor.variables.into_vec(),
        diagnostics: preprocessor.diagnostics,
    }
}

struct Preprocessor<'f> {
    files: &'f dyn Files,
    text: String,
    map: SourceMap,
    variables: Variables,
    /// The files that are being read, outermost first.
    open: Vec<PathBuf>,
    /// Files read so far.
    read: usize,
    /// A limit was reached: nothing more is read.
    full: bool,
    /// What is written stands in an XML comment, where directives are obeyed all the same.
    in_xml_comment: bool,
    /// Global variables that were asked for and not set, each reported once.
    missed: Vec<String>,
    diagnostics: Diagnostics,
}

/// Where the preprocessor is in one file.
struct Cursor {
    folder: PathBuf,
    file: Arc<str>,
    line: u32,
    /// Inside a `<!--#` that does not end on its line.
    in_comment: bool,
}

impl Cursor {
    fn at(&self, column: usize) -> Location {
        Location { file: self.file.clone(), line: self.line, column: column_number(column) }
    }
}

fn column_number(octets_before: usize) -> u32 {
    u32::try_from(octets_before).unwrap_or(u32::MAX).saturating_add(1)
}

impl Preprocessor<'_> {
    fn file(&mut self, path: &Path, included_at: Option<&Location>) {
        if !self.may_read(path, included_at) {
            return;
        }
        self.read += 1;
        let Some(content) = self.content(path, included_at) else { return };
        let mut cursor = Cursor {
            folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
            file: path.to_string_lossy().into(),
            line: 0,
            in_comment: false,
        };
        self.open.push(path.to_path_buf());
        for line in Lines(&content) {
            cursor.line = cursor.line.saturating_add(1);
            self.line(&mut cursor, line);
            if self.full {
                break;
            }
        }
        self.open.pop();
    }

    fn may_read(&mut self, path: &Path, at: Option<&Location>) -> bool {
        if self.full {
            return false;
        }
        let shown = path.display();
        if self.open.iter().any(|open| open == path) {
            self.diagnostics.error(at.cloned(), format!("{shown} includes itself"));
            return false;
        }
        if self.open.len() > limits::INCLUDE_DEPTH {
            let text = format!(
                "{shown} is not included: more than {} files inside each other",
                limits::INCLUDE_DEPTH
            );
            self.diagnostics.error(at.cloned(), text);
            return false;
        }
        if self.read >= limits::INCLUDED_FILES {
            self.stop(at, format!("more than {} files are included", limits::INCLUDED_FILES));
            return false;
        }
        true
    }

    fn stop(&mut self, at: Option<&Location>, why: String) {
        self.full = true;
        self.diagnostics.error(at.cloned(), why);
    }

    fn content(&mut self, path: &Path, included_at: Option<&Location>) -> Option<String> {
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.diagnostics
                    .error(included_at.cloned(), format!("failed to read {}: {error}", path.display()));
                return None;
            }
        };
        let start = Location::new(path.to_string_lossy(), 1, 1);
        if bytes.len() > limits::FILE_SIZE {
            self.diagnostics.error(start, format!("the file is larger than {} MiB", limits::FILE_SIZE >> 20));
            return None;
        }
        if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") {
            self.diagnostics.error(start, "the file is written in UTF-16").instead("it in UTF-8");
            return None;
        }
        let mut content = match String::from_utf8(bytes) {
            Ok(content) => content,
            Err(error) => {
                let line =
                    1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..error.utf8_error().valid_up_to()])
                        .count();
                let at = Location::new(path.to_string_lossy(), u32::try_from(line).unwrap_or(u32::MAX), 1);
                self.diagnostics
                    .warning(at, "some octets are not UTF-8, and are read as \u{fffd}")
                    .instead("the file in UTF-8");
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        if content.starts_with('\u{feff}') {
            content.drain(..'\u{feff}'.len_utf8());
        }
        Some(content)
    }

    fn line(&mut self, cursor: &mut Cursor, raw: &str) {
        // FreeSWITCH's lines are C strings.
        let raw = raw.split('\0').next().unwrap_or_default();
        let mut line = expand(raw, &self.variables);
        if is_wrapper(&raw[..line.first_end.unwrap_or(raw.len())]) {
            self.warn_of_lost_text(cursor, raw);
            return;
        }
        if cursor.in_comment {
            let Some(end) = raw.find("-->") else { return };
            cursor.in_comment = false;
            line = Expanded::unchanged(raw, end + 3);
        }
        if let Some(start) = find_ignoring_case(&line.text, "x-pre-process") {
            if line.text[..start].ends_with('<') {
                self.report_variables(cursor, &line);
                self.element(cursor, &line.text, start);
            } else {
                self.warn_of_lost_line(cursor, &line.text[..start]);
            }
            return;
        }
        self.report_variables(cursor, &line);
        match line.text.find("<!--#") {
            Some(start) => self.old_form(cursor, &line, start),
            None => self.write(cursor, &line, 0, line.text.len()),
        }
    }

    fn report_variables(&mut self, cursor: &Cursor, line: &Expanded<'_>) {
        if line.is_cut {
            let text = format!("the line with its variables is larger than {} MiB", limits::LINE_SIZE >> 20);
            self.stop(Some(&cursor.at(0)), text);
        }
        if line.unterminated && !self.in_xml_comment {
            self.diagnostics.warning(cursor.at(0), "a `$${` has no end").instead("$${name}");
        }
        for (offset, name) in &line.unknown {
            if self.is_comment_after(&line.text[..*offset]) || self.missed.contains(name) {
                continue;
            }
            self.missed.push(name.clone());
            self.diagnostics
                .hint(cursor.at(0), format!("global variable {name} is not set: it expands to nothing"));
        }
    }

    /// A line that only speaks of X-PRE-PROCESS is dropped; an element of a longer name, such as `XX-PRE-PROCESS`, is how
    /// an operator switches a directive off.
    fn warn_of_lost_line(&mut self, cursor: &Cursor, before: &str) {
        let before_name = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        let is_switched_off = before_name.ends_with('<') && before_name.trim() == "<";
        if !is_switched_off && !self.is_comment_after(before) {
            self.diagnostics
                .warning(cursor.at(0), "the line is lost, since it contains X-PRE-PROCESS")
                .instead("the line without this word");
        }
    }

    /// A line with `<include>`, `</include>` or `<?` is dropped whole.
    fn warn_of_lost_text(&mut self, cursor: &Cursor, raw: &str) {
        let without_tags = raw.replace("<include>", "").replace("</include>", "");
        let rest = match (without_tags.find("<?"), without_tags.rfind("?>")) {
            (Some(start), Some(end)) if start < end => {
                format!("{}{}", &without_tags[..start], &without_tags[end + 2..])
            }
            _ => without_tags,
        };
        if rest.contains('<') && !rest.trim_start().starts_with("<!--") && !rest.contains("<?") {
            self.diagnostics
                .warning(cursor.at(0), "what stands on the line of <include> or <?xml?> is lost")
                .instead("it on a line of its own");
        }
    }
}

fn is_wrapper(line: &str) -> bool {
    line.contains("<include>") || line.contains("</include>") || line.contains("<?")
}

fn find_ignoring_case(text: &str, lower: &str) -> Option<usize> {
    let (text, lower) = (text.as_bytes(), lower.as_bytes());
    let first = *lower.first()?;
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text).find(|&start| {
        text[start..].get(..lower.len()).is_some_and(|found| found.eq_ignore_ascii_case(lower))
    })
}

/// Lines with their ends; `\n`, `\r\n` and `\r` end one.
struct Lines<'t>(&'t str);

impl<'t> Iterator for Lines<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = self.0.as_bytes();
        let end = match memchr::memchr2(b'\n', b'\r', bytes) {
            Some(end) if bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n') => end + 2,
            Some(end) => end + 1,
            None => bytes.len(),
        };
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(line)
    }
}
