//! What is wrong with a configuration, one line a finding.

use std::fmt;

use chappe_config::{Diagnostic, Severity};

/// A finding, and every place it is at: a setting without a meaning here is one finding however many profiles have it.
pub struct Finding<'a> {
    first: &'a Diagnostic,
    others: Vec<&'a Diagnostic>,
}

/// Puts what says the same together, in the order in which it was found first. Errors stay single: each has to be mended.
pub fn findings<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> Vec<Finding<'a>> {
    let mut findings: Vec<Finding<'a>> = Vec::new();
    for diagnostic in diagnostics {
        let same = |finding: &&mut Finding<'_>| {
            let known = finding.first;
            diagnostic.severity != Severity::Error
                && (known.severity, &known.text, &known.instead)
                    == (diagnostic.severity, &diagnostic.text, &diagnostic.instead)
        };
        match findings.iter_mut().find(same) {
            Some(finding) => finding.others.push(diagnostic),
            None => findings.push(Finding { first: diagnostic, others: Vec::new() }),
        }
    }
    findings
}

impl Finding<'_> {
    pub fn severity(&self) -> Severity {
        self.first.severity
    }

    /// Without its severity, for a log line, whose level says it.
    pub fn unrated(&self) -> String {
        self.to_string().replacen(&format!("{}: ", self.first.severity), "", 1)
    }
}

/// `file:line: warning: text; write ... instead (also at file:line, file:line)`
impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        let mut places = self.others.iter().filter_map(|diagnostic| diagnostic.at.as_ref());
        if let Some(place) = places.next() {
            write!(f, " (also at {place}")?;
            places.try_for_each(|place| write!(f, ", {place}"))?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// How many findings of a severity there are, in words.
pub fn counted(findings: &[Finding<'_>], severity: Severity) -> String {
    let count = findings.iter().filter(|finding| finding.severity() == severity).count();
    format!("{count} {severity}{}", if count == 1 { "" } else { "s" })
}

/// Puts what is wrong with a configuration into the log.
pub fn log<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) {
    for finding in findings(diagnostics) {
        let text = finding.unrated();
        match finding.severity() {
            Severity::Error => tracing::error!("{text}"),
            Severity::Warning => tracing::warn!("{text}"),
            Severity::Hint => tracing::debug!("{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use chappe_config::{Diagnostics, Location};

    use super::*;

    #[test]
    fn one_setting_is_one_finding() {
        let mut diagnostics = Diagnostics::new();
        for line in [3, 7, 9] {
            diagnostics.warning(Location::new("a.xml", line, 1), "no meaning");
            diagnostics.error(Location::new("a.xml", line, 1), "wrong");
        }
        let findings = findings(&diagnostics);
        assert_eq!(findings.len(), 4);
        assert_eq!(findings[0].to_string(), "a.xml:3: warning: no meaning (also at a.xml:7, a.xml:9)");
        assert_eq!(findings[0].unrated(), "a.xml:3: no meaning (also at a.xml:7, a.xml:9)");
        assert_eq!(counted(&findings, Severity::Error), "3 errors");
        assert_eq!(counted(&findings, Severity::Warning), "1 warning");
    }
}
