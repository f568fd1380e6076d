//! What is printed, and what is written into a folder.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::cli::{IdleOptions, Options, RegistrarOptions};
use crate::error::BenchError;
use crate::facts::Facts;
use crate::idle::Idle;
use crate::plot::bars::{Bar, bars};
use crate::rounds::{self, Measured, Rounds};
use crate::row::TWO_CORES;
use crate::sweep::{self, Sweep, SweepOptions};
use crate::{quotas, registrar, stalls, table};

/// What is written by hand about where the time goes; beside the results.
const PROFILE: &str = "profile.md";
const BARS: &str = "cpu.svg";

/// Measures what the options name, and tells. What fails is told in its place, and does not keep the rest from being told.
pub fn run(options: &Options) -> Result<(), BenchError> {
    // Before the disk has much to do: a start writes the first pages of a store.
    let facts = options.results.as_ref().map(|folder| (folder, Facts::measure(options)));
    let Rounds { rows: measured, stalls } = rounds::measure(options)?;
    let mut failed = measured.iter().filter(|one| one.failed.is_some()).count();
    let mut out = table::markdown(&measured);
    let _ = write!(out, "\n{}\n{}", stalls::markdown(&stalls), table::ratios(&measured));
    if options.rows().iter().any(|row| row.name == TWO_CORES) {
        let quotas = quotas::measure(options);
        failed += usize::from(quotas.is_err());
        out.push_str(&quotas.unwrap_or_else(|error| format!("\nTwo cores, messages a second: {error}\n")));
    }
    match facts {
        None => print!("{out}"),
        Some((folder, facts)) => {
            write(folder, BARS, &plot(&measured))?;
            failed += write_page(options, folder, &out, facts)?;
        }
    }
    if failed > 0 { Err(BenchError::Incomplete { failed }) } else { Ok(()) }
}

/// Measures what is not a row, and writes all of it; how many parts failed.
fn write_page(
    options: &Options,
    folder: &Path,
    rows: &str,
    facts: Result<Facts, BenchError>,
) -> Result<usize, BenchError> {
    let facts = facts.map(|facts| facts.markdown());
    let idle = Idle::measure(&IdleOptions::beside(options)).map(|idle| idle.markdown());
    let registrar = registrar::measure(&RegistrarOptions::beside(options));
    let sweep = sweep::measure(&SweepOptions::beside(options));
    if let Ok(sweep) = &sweep {
        sweep.svgs().iter().try_for_each(|(name, svg)| write(folder, name, svg))?;
    }
    let parts = [
        ("Start and size", facts),
        ("Idle connections", idle),
        ("Very many users", registrar),
        ("Too many messages", sweep.map(|sweep| overload(&sweep))),
    ];
    let failed = parts.iter().filter(|(_, part)| part.is_err()).count();
    let text = page(folder, rows, parts);
    print!("{text}");
    write(folder, "README.md", &text)?;
    Ok(failed)
}

/// The table of the sweep, and its plots.
fn overload(sweep: &Sweep) -> String {
    let plots: String = sweep.svgs().iter().map(|(name, _)| format!("![{name}]({name})\n")).collect();
    format!("{}\n{plots}", sweep.markdown())
}

fn page(folder: &Path, rows: &str, parts: [(&str, Result<String, BenchError>); 4]) -> String {
    let mut out = String::from(
        "# Figures\n\nWritten by `cargo xtask bench`; [CONTRIBUTING](../../CONTRIBUTING.md) says how. A server and its load on a \
         core each, on loopback; medians of rounds taken in turns, and how far the rounds lie apart.\n\n",
    );
    let _ = writeln!(out, "{}\n\n## Messages\n\n{rows}\n![CPU a message]({BARS})\n", machine());
    for (title, part) in parts {
        let text = part.unwrap_or_else(|error| format!("Failed:\n\n```text\n{error}\n```\n"));
        let _ = writeln!(out, "## {title}\n\n{text}");
    }
    if let Ok(profile) = std::fs::read_to_string(folder.join(PROFILE)) {
        let _ = write!(out, "\n{profile}");
    }
    out
}

fn plot(measured: &[Measured]) -> String {
    let bar = |one: &Measured| {
        table::cpu_of(measured, one.row.name).map(|value| Bar { label: one.row.title.to_owned(), value })
    };
    let all: Vec<_> = measured.iter().filter_map(bar).collect();
    bars("CPU of the server a message", "µs", &all)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), BenchError> {
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join(name), text))
        .map_err(BenchError::system("write the results"))
}

/// What it was measured on.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown processor", |(_, name)| name.trim());
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
    let gigabytes = kilobytes.and_then(|text| text.parse::<f64>().ok()).unwrap_or_default() / 1024.0 / 1024.0;
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default()
    };
    let first = |text: String| text.lines().next().unwrap_or("not there").trim().to_owned();
    let kamailio = first(said("/usr/sbin/kamailio", &["-v"]));
    // The results themselves are no change of what is measured.
    let changes = said("git", &["status", "--porcelain", "--", ".", ":!bench/results"]);
    let commit = first(said("git", &["rev-parse", "--short=12", "HEAD"]));
    let changed = if changes.is_empty() { "" } else { ", with changes" };
    format!(
        "{}, commit {commit}{changed}: {model}, {} cores, {gigabytes:.0} GiB; Linux {}; {}; Kamailio: {}.",
        first(said("date", &["+%F"])),
        crate::machine::cores(),
        first(said("uname", &["-r"])),
        first(said("rustc", &["-V"])),
        kamailio.trim_start_matches("version: "),
    )
}
