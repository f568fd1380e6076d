//! `chappe check`: loads the configuration, compiles everything, and says all that is wrong with it.

use std::process::ExitCode;

use chappe_config::Severity;

use crate::boot::start_presets;
use crate::cli::Configured;
use crate::configuration::Configuration;
use crate::presets::Machine;
use crate::source::Source;

/// Prints one diagnostic a line and a summary. Exit code 1 when there are errors.
pub fn run(configured: Configured) -> ExitCode {
    let source = Source::choose(configured);
    // What a start would make.
    let machine = Machine::look("core-uuid".to_owned(), "password".to_owned());
    let configuration = Configuration::read(&source, &start_presets(&source, &machine));
    let diagnostics = &configuration.diagnostics;
    print!("{diagnostics}");
    println!("{}", summary(&source, &configuration));
    if diagnostics.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn summary(source: &Source, configuration: &Configuration) -> String {
    let count = |severity, word: &str| counted(configuration.diagnostics.of(severity).count(), word);
    format!(
        "{}: {}, {}, {}; {}, {}, {}",
        source.title(),
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
        count(Severity::Hint, "hint"),
        counted(configuration.sofia.profiles.len(), "profile"),
        counted(configuration.directory.domains().count(), "domain"),
        counted(configuration.directory.users().count(), "user"),
    )
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
