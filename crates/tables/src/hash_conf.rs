//! `hash.conf`.

use chappe_config::{Diagnostics, Document};

/// Reports what `hash.conf` says that nobody heeds.
pub fn check(document: &Document, diagnostics: &mut Diagnostics) {
    let Some(configuration) = document.configuration("hash.conf") else { return };
    for remote in configuration.listed("remotes", "remote") {
        diagnostics.warning(
            remote.at.clone(),
            format!(
                "the limits of {} are not heeded: each server counts for itself",
                remote.attr_or("name", "a remote")
            ),
        );
    }
}
