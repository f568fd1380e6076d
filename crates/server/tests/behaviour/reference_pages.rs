//! docs/reference is what the tables in the code say.

use std::path::Path;

use crate::harness::chappe;

#[test]
fn the_pages_are_up_to_date() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference"));
    for page in ["params", "apps", "api", "events", "scripts"] {
        let output = chappe().args(["reference", page]).output().expect("runs");
        let written = std::fs::read_to_string(folder.join(format!("{page}.md"))).unwrap_or_default();
        let made = String::from_utf8(output.stdout).expect("text");
        assert!(written == made, "docs/reference/{page}.md is not what the code says: run cargo xtask docs");
    }
}
