//! From a folder to a document.

use std::path::Path;

use crate::preprocess::{Preprocessed, SourceMap, preprocess};
use crate::{Diagnostics, Document, Files, Severity, xml};

/// What came of reading a configuration folder.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// After an error: what could be read.
    pub document: Document,
    /// The global variables: the presets and what `X-PRE-PROCESS` set, in the order in which they were set last.
    pub globals: Vec<(String, String)>,
    pub diagnostics: Diagnostics,
}

/// Reads `freeswitch.xml` and all that it includes. `presets` are the global variables that are there before the first
/// line is read.
pub fn load(root: &Path, files: &dyn Files, presets: &[(String, String)]) -> Loaded {
    load_with(root, files, presets, &[])
}

/// As [`load`], with global variables that keep their value whatever the configuration sets.
pub fn load_with(
    root: &Path,
    files: &dyn Files,
    presets: &[(String, String)],
    overrides: &[(String, String)],
) -> Loaded {
    let Preprocessed { text, map, globals, mut diagnostics } = preprocess(root, files, presets, overrides);
    let document = if text.is_empty() && diagnostics.has_errors() {
        Document::default()
    } else {
        let document = xml::read(&text, &map, &mut diagnostics);
        check_sections(&document, &mut diagnostics);
        document
    };
    Loaded { document, globals, diagnostics }
}

/// Reads one XML text as it is, without preprocessing: a chatplan's `alt_path`, an answer over HTTP.
pub fn parse_fragment(text: &str, name: &str) -> (Document, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let map = SourceMap::of_one_file(name, text);
    let document = xml::read(text, &map, &mut diagnostics);
    (document, diagnostics)
}

/// The first section of a name counts, the first configuration too (FreeSWITCH switch_xml_locate).
fn check_sections(document: &Document, d: &mut Diagnostics) {
    let sections = document.root().children_named("section");
    second_ones("section", sections, d);
    second_ones("configuration", document.configurations(), d);
    if document.section("configuration").is_none() && !d.has_errors() {
        d.warning(
            &document.root().at,
            "there is no <section name=\"configuration\">: no module has its settings",
        );
    }
}

fn second_ones<'a>(what: &str, elements: impl Iterator<Item = &'a crate::Element>, d: &mut Diagnostics) {
    let mut seen: Vec<(&str, &crate::Location)> = Vec::new();
    for element in elements {
        let name = element.attr_or("name", "");
        match seen.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, first)) => {
                d.warning(&element.at, format!("{what} {name} is not read: it is there already at {first}"));
            }
            None => seen.push((name, &element.at)),
        }
    }
}

impl Loaded {
    /// Whether the configuration can be used.
    pub fn is_usable(&self) -> bool {
        self.diagnostics.of(Severity::Error).next().is_none()
    }
}
