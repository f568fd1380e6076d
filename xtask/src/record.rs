//! `cargo xtask record`: where a busy server's time goes, for the compiler (pgo/README.md).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::step::{Summary, cargo, root, target};

/// What a server is busy with while it is recorded: rows of the bench.
const ROWS: &str = "relay,digest,reply,lua,extensions-1k,events,tcp,tls,stored,storeless";

/// Builds a server that counts, has it work, and writes what it counted where releases are built with it.
pub fn run() -> bool {
    let mut summary = Summary::default();
    if let Err(why) = record(&mut summary) {
        summary.fail("recording", why);
    }
    summary.finish()
}

fn record(summary: &mut Summary) -> Result<(), String> {
    let rustc = Rustc::ask()?;
    let tool = rustc.tool("llvm-profdata").ok_or("rustup component add llvm-tools brings llvm-profdata")?;
    let folder = target().join("recording");
    let counted = folder.join("counted");
    let _ = std::fs::remove_dir_all(&counted);
    let mut server = cargo(&["build", "--release", "--quiet", "-p", "chappe-server", "--target-dir"]);
    server.arg(&folder).env("CHAPPE_RECORD", &counted);
    let mut load = cargo(&["run", "--release", "--quiet", "-p", "chappe-bench", "--", "--rows", ROWS]);
    load.args(["--rounds", "1", "--seconds", "2", "--chappe"]).arg(folder.join("release/chappe"));
    if !(summary.run("build", &mut server) && summary.run("work", &mut load)) {
        return Ok(());
    }
    let written = recordings().join(format!("{}-{}.profdata", rustc.release, std::env::consts::ARCH));
    let mut merge = Command::new(tool);
    merge.args(["merge", "--sparse", "-o"]).arg(&written).arg(&counted);
    if summary.run("merge", &mut merge) {
        forget_others(&written).map_err(|error| error.to_string())?;
        // Cargo does not know that what is built depends on it.
        summary.run("clean", &mut cargo(&["clean", "--quiet", "--release"]));
    }
    Ok(())
}

fn recordings() -> PathBuf {
    root().join("pgo")
}

/// Those of other compilers are of another state of the code.
fn forget_others(written: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(recordings())? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "profdata") && path != written {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The compiler that builds here.
struct Rustc {
    release: String,
    host: String,
    sysroot: PathBuf,
}

impl Rustc {
    fn ask() -> Result<Self, String> {
        let version = said(&["-vV"])?;
        let line = |name: &str| {
            let value = version.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.map(str::to_owned).ok_or(format!("rustc -vV does not tell its {name}"))
        };
        let sysroot = said(&["--print", "sysroot"])?.trim_end().into();
        Ok(Self { release: line("release")?, host: line("host")?, sysroot })
    }

    /// A program of the component llvm-tools, where it is installed.
    fn tool(&self, name: &str) -> Option<PathBuf> {
        let path = self.sysroot.join("lib/rustlib").join(&self.host).join("bin").join(name);
        path.is_file().then_some(path)
    }
}

fn said(arguments: &[&str]) -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(arguments).current_dir(root()).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("rustc: {error}"))?;
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
