//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;
use std::sync::Arc;

use crate::limits;

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// From 1, in octets; after a `$${name}` it is that of the file as written.
    pub column: u32,
}

impl Location {
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Location {
        Location { file: file.into(), line, column }
    }
}

impl Default for Location {
    fn default() -> Self {
        Location::new("", 1, 1)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl From<&Location> for Option<Location> {
    fn from(at: &Location) -> Self {
        Some(at.clone())
    }
}

/// How much a [`Diagnostic`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration can't be used.
    Error,
    /// Something written here has no effect, or not the one that was meant.
    Warning,
    /// Works here, though a stricter reader would refuse it or a reader be misled.
    Hint,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing wrong. Displays as `file:line: error: text; write ... instead`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub at: Option<Location>,
    pub text: String,
    /// What to write instead.
    pub instead: Option<String>,
}

impl Diagnostic {
    /// Says what to write instead.
    pub fn instead(&mut self, text: impl Into<String>) -> &mut Self {
        self.instead = Some(text.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        write!(f, "{}: {}", self.severity, self.text)?;
        match &self.instead {
            Some(instead) => write!(f, "; write {instead} instead"),
            None => Ok(()),
        }
    }
}

/// All that was found wrong, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub fn new() -> Self {
        Diagnostics::default()
    }

    pub fn error(&mut self, at: impl Into<Option<Location>>, text: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Error, at.into(), text.into())
    }

    pub fn warning(&mut self, at: impl Into<Option<Location>>, text: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Warning, at.into(), text.into())
    }

    pub fn hint(&mut self, at: impl Into<Option<Location>>, text: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Hint, at.into(), text.into())
    }

    fn add(&mut self, severity: Severity, at: Option<Location>, text: String) -> &mut Diagnostic {
        if self.0.len() > limits::DIAGNOSTICS {
            self.0.pop_if(|last| last.severity != Severity::Error);
        }
        let place = self.0.len();
        self.0.push(Diagnostic { severity, at, text, instead: None });
        &mut self.0[place]
    }

    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Error)
    }

    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(move |diagnostic| diagnostic.severity == severity)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, more: I) {
        self.0.extend(more);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One a line.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|diagnostic| writeln!(f, "{diagnostic}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_reads_as_one_line() {
        let mut d = Diagnostics::new();
        d.error(Location::new("sofia.conf.xml", 12, 3), "sip-port: `abc` is no number").instead("1 to 65535");
        d.hint(None, "nobody can register");
        assert_eq!(
            d.to_string(),
            "sofia.conf.xml:12: error: sip-port: `abc` is no number; write 1 to 65535 instead\n\
             hint: nobody can register\n"
        );
        assert!(d.has_errors());
        assert_eq!(d.of(Severity::Hint).count(), 1);
    }
}
