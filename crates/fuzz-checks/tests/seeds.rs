//! Every input that is kept holds, and every target has inputs, a file and a place in the manifest.

use std::path::{Path, PathBuf};

use chappe_fuzz_checks::TARGETS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}

fn run(check: fn(&[u8]), file: &Path) {
    let input = std::fs::read(file).expect("a file");
    let result = std::panic::catch_unwind(|| check(&input));
    assert!(result.is_ok(), "{}", file.display());
}

#[test]
fn the_seeds_hold() {
    for (name, check) in TARGETS {
        let seeds = files(root().join("fuzz/seeds").join(name));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|seed| run(check, seed));
    }
}

/// As datagrams, as a stream, and as what several of them would do.
#[test]
fn the_messages_of_rfc_4475_hold() {
    let messages = files(root().join("crates/sip-msg/tests/torture"));
    for name in ["parse", "framer", "transactions", "registrar"] {
        let (_, check) = TARGETS.into_iter().find(|target| target.0 == name).expect("a target");
        messages.iter().for_each(|message| run(check, message));
    }
}

#[test]
fn the_targets_are_the_table() {
    let names: Vec<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let targets: Vec<_> = files(root().join("fuzz/fuzz_targets")).into_iter().filter_map(stem).collect();
    assert_eq!(targets, names);
    let seeds: Vec<_> = files(root().join("fuzz/seeds")).into_iter().filter_map(stem).collect();
    assert_eq!(seeds, names);
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("a manifest");
    let bins = manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"));
    assert_eq!(bins.filter_map(|line| line.strip_suffix(".rs\"")).collect::<Vec<_>>(), names);
    let readme = std::fs::read_to_string(root().join("fuzz/README.md")).expect("a page");
    for name in &names {
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in fuzz/README.md");
    }
}
