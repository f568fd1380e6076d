//! What the documents say of each other and of the configuration is so.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).to_owned()
}

/// The Markdown files of the repository's root and of docs, as paths in the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/reference"] {
        let entries = std::fs::read_dir(root().join(folder)).expect("a folder").flatten();
        let names = entries.map(|entry| entry.file_name()).filter(|name| {
            Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"))
        });
        found.extend(names.map(|name| Path::new(folder).join(name)));
    }
    found.sort();
    found
}

/// Where a document's links go, those to other sites and into the page itself left aside.
fn links(document: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(root().join(document)).expect("readable");
    let folder = document.parent().unwrap_or(Path::new(""));
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let inside = targets.map(|target| target.split('#').next().unwrap_or_default());
    inside
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .map(|target| chappe_config::tidy(&folder.join(target)))
        .collect()
}

#[test]
fn no_link_is_broken() {
    let documents = documents();
    assert!(documents.contains(&PathBuf::from("README.md")), "{documents:?}");
    for document in &documents {
        for link in links(document) {
            assert!(root().join(&link).exists(), "{}: {}", document.display(), link.display());
        }
    }
}

#[test]
fn every_page_is_found_from_the_index() {
    let linked = links(Path::new("docs/README.md"));
    for page in documents().iter().filter(|page| page.starts_with("docs") && !page.ends_with("README.md")) {
        assert!(linked.contains(page), "{} is in no link of docs/README.md", page.display());
    }
}

/// The params that the page for newcomers from FreeSWITCH names are those of the tables.
#[test]
fn the_settings_named_are_there() {
    let read = |name: &str| std::fs::read_to_string(root().join("docs").join(name)).expect("readable");
    let (page, params) = (read("coming-from-freeswitch.md"), read("reference/params.md"));
    for name in [
        "accept-after",
        "allow-system",
        "freeswitch-quirks",
        "inbound-reg-force-matching-username",
        "log-auth-failures",
        "max-recv-requests-per-second",
        "system-timeout",
    ] {
        assert!(page.contains(&format!("`{name}`")), "{name}");
        assert!(params.contains(&format!("\n| `{name}` |")), "{name}");
    }
}
