//! The elements and attributes that a chatplan may have.

use chappe_config::{Diagnostics, Element, nearest};

use crate::date_time;

/// An element's name, its attributes, and what may stand in it.
pub(crate) struct Known {
    attributes: &'static [&'static str],
    more_attributes: &'static [&'static str],
    children: &'static [&'static str],
}

pub(crate) const SECTION: Known =
    Known { attributes: &["name", "description"], more_attributes: &[], children: &["context"] };
pub(crate) const CONTEXT: Known =
    Known { attributes: &["name"], more_attributes: &[], children: &["extension"] };
pub(crate) const EXTENSION: Known =
    Known { attributes: &["name", "continue"], more_attributes: &[], children: &["condition"] };
pub(crate) const CONDITION: Known = Known {
    attributes: &["field", "expression", "break"],
    more_attributes: &date_time::ATTRIBUTES,
    children: &["expression", "action", "anti-action", "condition"],
};
pub(crate) const ACTION: Known =
    Known { attributes: &["application", "data", "loop", "inline"], more_attributes: &[], children: &[] };

impl Known {
    /// Warns of each attribute and child that has no effect.
    pub(crate) fn check(&self, element: &Element, diagnostics: &mut Diagnostics) {
        for attribute in &element.attributes {
            if !self.attributes().any(|known| known == attribute.name) {
                let found = diagnostics
                    .warning(&element.at, format!("<{}> has no attribute {}", element.name, attribute.name));
                if let Some(meant) = nearest(&attribute.name, self.attributes()) {
                    found.instead(meant);
                }
            }
        }
        for child in &element.children {
            if !self.children.contains(&child.name.as_str()) {
                let found = diagnostics
                    .warning(&child.at, format!("<{}> in <{}> is not read", child.name, element.name));
                if let Some(meant) = nearest(&child.name, self.children.iter().copied()) {
                    found.instead(format!("<{meant}>"));
                }
            }
        }
    }

    fn attributes(&self) -> impl Iterator<Item = &'static str> {
        self.attributes.iter().chain(self.more_attributes).copied()
    }
}
