//! `chappe check`: loads the configuration, compiles everything, and says all that is wrong with it.

use std::io::{self, Write};
use std::process::ExitCode;

use chappe_config::Severity;

use crate::boot::start_presets;
use crate::cli::Configured;
use crate::configuration::Configuration;
use crate::diagnosis::{Finding, counted, findings};
use crate::presets::Machine;
use crate::source::Source;

/// Prints one finding a line and a summary. Exit code 1 when there are errors.
pub fn run(configured: Configured) -> ExitCode {
    let source = Source::choose(configured);
    // What a start would make.
    let machine = Machine::look("core-uuid".to_owned(), "password".to_owned());
    let configuration = Configuration::read(&source, &start_presets(&source, &machine));
    let findings = findings(&configuration.diagnostics);
    let mut text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    text.push_str(&summary(&source, &configuration, &findings));
    text.push('\n');
    // A closed pipe has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    if configuration.diagnostics.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn summary(source: &Source, configuration: &Configuration, findings: &[Finding<'_>]) -> String {
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!(
        "{}: {}, {}, {}; {}, {}, {}",
        source.title(),
        counted(findings, Severity::Error),
        counted(findings, Severity::Warning),
        counted(findings, Severity::Hint),
        plural(configuration.sofia.profiles.len(), "profile"),
        plural(configuration.directory.domains().count(), "domain"),
        plural(configuration.directory.users().count(), "user"),
    )
}
