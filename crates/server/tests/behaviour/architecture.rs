//! ARCHITECTURE.md's arrows are the manifests' dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Crates that only test or measure; they may know anybody.
const OUTSIDE: [&str; 2] = ["fuzz-checks", "interop"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The `arrows` block: `from -> to to`, one crate a line.
fn drawn() -> Arrows {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let block =
        text.split("```arrows\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an arrows block");
    let line = |line: &str| {
        let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("no arrow in {line}"));
        (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
    };
    block.lines().filter(|text| !text.trim().is_empty()).map(line).collect()
}

/// The crates and which others each of them depends on, tests apart.
fn built() -> Arrows {
    let crates = std::fs::read_dir(root().join("crates")).expect("crates").flatten();
    let mut arrows = Arrows::new();
    for folder in crates {
        let name = folder.file_name().to_string_lossy().into_owned();
        if let Ok(manifest) = std::fs::read_to_string(folder.path().join("Cargo.toml")) {
            arrows.insert(name, dependencies(&manifest));
        }
    }
    arrows
}

fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut section = "";
    let mut found = BTreeSet::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        let ours = line.strip_prefix("chappe-").and_then(|rest| rest.split(['.', ' ', '=']).next());
        let counts = section == "[dependencies]"
            || (section.starts_with("[target.") && section.ends_with(".dependencies]"));
        found.extend(ours.filter(|_| counts).map(str::to_owned));
    }
    found
}

#[test]
fn the_arrows_are_the_manifests() {
    let mut built = built();
    built.retain(|name, _| !OUTSIDE.contains(&name.as_str()));
    let drawn = drawn();
    let names = |arrows: &Arrows| arrows.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&drawn), names(&built), "every crate has a line");
    for (name, to) in &built {
        assert_eq!(&drawn[name], to, "crates/{name}/Cargo.toml and ARCHITECTURE.md differ");
    }
}

#[test]
fn the_arrows_go_one_way() {
    let arrows = drawn();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    while done.len() < arrows.len() {
        let ready = arrows.iter().filter(|(_, to)| to.iter().all(|name| done.contains(name.as_str())));
        let next: Vec<&str> =
            ready.map(|(name, _)| name.as_str()).filter(|name| !done.contains(name)).collect();
        assert!(!next.is_empty(), "a circle among those that are not in {done:?}");
        done.extend(next);
    }
}

#[test]
fn a_manifest_is_read_by_section() {
    let manifest = "[package]\nname = \"chappe-x\"\n[dependencies]\nchappe-a.workspace = true\nchappe-b = { path = \"b\" }\n\
                    [dev-dependencies]\nchappe-c.workspace = true\n";
    assert_eq!(dependencies(manifest), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
}
