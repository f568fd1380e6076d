//! What a chatplan does on FreeSWITCH, recorded, against the router with a chat interface that pretends to be `sip`:
//! the trace, the messages that go out, the events. What the SIP endpoint, the configuration and the scripts do is
//! theirs to test.

mod case;
mod fake_sip;
mod log;
mod world;

use std::path::Path;

use case::Case;
use world::World;

#[test]
fn recorded_cases_are_met() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/golden/cases");
    let mut run = 0;
    let mut wrong = Vec::new();
    for file in ["generated", "handwritten", "xml-and-scripts"] {
        let text =
            std::fs::read_to_string(folder.join(file).with_extension("json")).expect("the cases are there");
        let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("they are JSON");
        for case in cases.iter().map(Case::of).filter(Case::is_ours) {
            run += 1;
            wrong.extend(World::new().run(&case));
        }
    }
    assert!(wrong.is_empty(), "{} differ in {run} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run > 330, "only {run} cases were run");
}
