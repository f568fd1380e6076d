//! Saying what is wrong in an XML text.

use super::decode::Flaw;
use crate::preprocess::SourceMap;
use crate::{Diagnostic, Diagnostics, Location, limits};

/// The diagnostics of one text, by offset.
pub(super) struct Reports<'t> {
    map: &'t SourceMap,
    diagnostics: &'t mut Diagnostics,
    errors: usize,
    hints: usize,
    /// Where hints go that nobody will read.
    surplus: Diagnostics,
}

impl<'t> Reports<'t> {
    pub fn new(map: &'t SourceMap, diagnostics: &'t mut Diagnostics) -> Self {
        Reports { map, diagnostics, errors: 0, hints: 0, surplus: Diagnostics::new() }
    }

    pub fn locate(&self, offset: usize) -> Location {
        self.map.locate(offset)
    }

    pub fn error(&mut self, offset: usize, text: impl Into<String>) -> &mut Diagnostic {
        self.error_at(self.locate(offset), text)
    }

    pub fn error_at(&mut self, at: Location, text: impl Into<String>) -> &mut Diagnostic {
        self.errors += 1;
        self.diagnostics.error(at, text)
    }

    pub fn warning(&mut self, offset: usize, text: impl Into<String>) -> &mut Diagnostic {
        let at = self.locate(offset);
        self.hints += 1;
        if self.hints > limits::XML_HINTS {
            self.surplus = Diagnostics::new();
            return self.surplus.warning(at, text);
        }
        self.diagnostics.warning(at, text)
    }

    /// What a strict reader would refuse in a text that starts at this offset.
    pub fn flaw(&mut self, start: usize, what: &str, flaw: Flaw<'_>) {
        self.hints += 1;
        if self.hints > limits::XML_HINTS {
            return;
        }
        let (offset, text, instead) = match flaw {
            Flaw::RawAmpersand(offset) => (offset, format!("raw & in {what}"), "&amp;".to_owned()),
            Flaw::RawLess(offset) => (offset, format!("raw < in {what}"), "&lt;".to_owned()),
            Flaw::UnknownEntity(offset, name) => {
                (offset, format!("unknown entity &{name} in {what} stays as it is"), format!("&amp;{name}"))
            }
            Flaw::TooLarge(offset) => {
                self.error(start + offset, format!("the entities in {what} grow too large"));
                return;
            }
        };
        self.diagnostics.hint(self.map.locate(start + offset), text).instead(instead);
    }

    pub fn any_error(&self) -> bool {
        self.errors > 0
    }

    pub fn too_many(&self) -> bool {
        self.errors >= limits::XML_ERRORS
    }

    /// Whether the elements that are still open say nothing new.
    pub fn gave_up(&self) -> bool {
        self.too_many()
    }
}
