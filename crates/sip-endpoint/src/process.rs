//! What is asked of the system once, before anything is opened.

use crate::transport::mmsg;

/// Raises the limit of open files as far as the system allows.
pub fn prepare() {
    match mmsg::raise_descriptors() {
        Ok((before, most)) if before < most => {
            tracing::info!("the limit of open files is raised from {before} to {most}");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files can't be raised"),
    }
}
