//! `cargo xtask pgo`: the profile that releases are optimised by (pgo/README.md).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::step::{Summary, cargo, root, target};

/// What the instrumented server is busy with: rows of the bench.
const ROWS: &str = "relay,digest,reply,lua,extensions-1k,events,tcp,tls,stored,storeless";

/// Builds an instrumented server, has it work, and writes its profile where releases are built with it.
pub fn run() -> bool {
    let mut summary = Summary::default();
    if let Err(why) = profile(&mut summary) {
        summary.fail("profile", why);
    }
    summary.finish()
}

fn profile(summary: &mut Summary) -> Result<(), String> {
    let rustc = Rustc::ask()?;
    let tool = rustc.tool("llvm-profdata").ok_or("rustup component add llvm-tools brings llvm-profdata")?;
    let folder = target().join("pgo");
    let raw = folder.join("raw");
    let _ = std::fs::remove_dir_all(&raw);
    let mut server = cargo(&["build", "--release", "--quiet", "-p", "chappe-server", "--target-dir"]);
    server.arg(&folder).env("CHAPPE_PGO_GENERATE", &raw);
    let mut load = cargo(&["run", "--release", "--quiet", "-p", "chappe-bench", "--", "--rows", ROWS]);
    load.args(["--rounds", "1", "--seconds", "2", "--chappe"]).arg(folder.join("release/chappe"));
    if !(summary.run("build", &mut server) && summary.run("work", &mut load)) {
        return Ok(());
    }
    let merged = folder.join("merged.profdata");
    let mut merge = Command::new(tool);
    merge.args(["merge", "--sparse", "-o"]).arg(&merged).arg(&raw);
    if summary.run("merge", &mut merge) {
        put(&merged, &rustc.profile()).map_err(|error| format!("pgo: {error}"))?;
        // Cargo does not know that what is built depends on it.
        summary.run("clean", &mut cargo(&["clean", "--quiet", "--release"]));
    }
    Ok(())
}

/// Puts the profile in the place of others, which are of another state of the code. It is there whole or not at all: with half a
/// profile nothing could be built.
fn put(merged: &Path, name: &str) -> std::io::Result<()> {
    let folder = root().join("pgo");
    let (new, profile) = (folder.join("new"), folder.join(name));
    std::fs::copy(merged, &new)?;
    std::fs::File::open(&new)?.sync_all()?;
    std::fs::rename(&new, &profile)?;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "profdata") && path != profile {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The compiler that builds here.
struct Rustc {
    host: String,
    release: String,
    llvm: String,
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
        Ok(Self { host: line("host")?, release: line("release")?, llvm: line("LLVM version")?, sysroot })
    }

    /// The name that pgo/rustc.sh looks for.
    fn profile(&self) -> String {
        format!("{}-{}-{}.profdata", self.host, self.release, self.llvm)
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
