//! What is printed, and what is written into a folder.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::cli::{Options, RegistrarOptions};
use crate::error::BenchError;
use crate::facts::Facts;
use crate::plot::bars::{Bar, bars};
use crate::rounds::{self, Measured};
use crate::sweep::{self, Sweep, SweepOptions};
use crate::{registrar, table};

/// What is written by hand about where the time goes; beside the results.
const PROFILE: &str = "profile.md";
const BARS: &str = "cpu.svg";

/// Measures what the options name, and tells.
pub fn run(options: &Options) -> Result<(), BenchError> {
    let measured = rounds::measure(options)?;
    let mut out = table::markdown(&measured);
    let _ = write!(out, "\n{}", table::ratios(&measured));
    let Some(folder) = &options.results else {
        print!("{out}");
        return Ok(());
    };
    let facts = Facts::measure(options)?;
    let registrar = registrar::measure(&RegistrarOptions::beside(options))?;
    let sweep = sweep::measure(&SweepOptions::beside(options))?;
    let overload = overload(&sweep);
    let text =
        page(folder, &out, &facts, &[("Very many users", &registrar), ("Too many messages", &overload)]);
    print!("{text}");
    write(folder, "README.md", &text)?;
    write(folder, BARS, &plot(&measured))?;
    sweep.svgs().iter().try_for_each(|(name, svg)| write(folder, name, svg))
}

/// The table of the sweep, and its plots.
fn overload(sweep: &Sweep) -> String {
    let plots: String = sweep.svgs().iter().map(|(name, _)| format!("![{name}]({name})\n")).collect();
    format!("{}\n{plots}", sweep.markdown())
}

fn page(folder: &Path, rows: &str, facts: &Facts, parts: &[(&str, &str)]) -> String {
    let mut out = String::from(
        "# Figures\n\nWritten by `cargo xtask bench`; [CONTRIBUTING](../../CONTRIBUTING.md) says how. A server and its load on a \
         core each, on loopback; medians of rounds taken in turns, and how far the rounds lie apart.\n\n",
    );
    let _ = writeln!(out, "{}\n\n## Messages\n\n{rows}\n![CPU a message]({BARS})\n", machine());
    let _ = writeln!(out, "## Start and size\n\n{}", facts.markdown());
    for (title, text) in parts {
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
    let said = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok();
        output.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default()
    };
    let first = |text: String| text.lines().next().unwrap_or("not there").trim().to_owned();
    let kamailio = first(said("/usr/sbin/kamailio", "-v"));
    format!(
        "{}: {model}, {} cores, {gigabytes:.0} GiB; Linux {}; {}; Kamailio: {}.",
        first(said("date", "+%F")),
        crate::machine::cores(),
        first(said("uname", "-r")),
        first(said("rustc", "-V")),
        kamailio.trim_start_matches("version: "),
    )
}
