//! Whether changes are refused, and why.

use parking_lot::Mutex;

use crate::StoreError;

#[derive(Default)]
pub struct Health {
    trouble: Mutex<Option<StoreError>>,
}

impl Health {
    pub fn trouble(&self) -> Option<StoreError> {
        self.trouble.lock().clone()
    }

    /// Something is wrong; told once for each kind of wrong.
    pub fn begin(&self, error: StoreError) {
        let mut trouble = self.trouble.lock();
        if trouble.as_ref() != Some(&error) {
            tracing::error!("no message can be stored: {error}");
        }
        *trouble = Some(error);
    }

    pub fn over(&self) {
        if self.trouble.lock().take().is_some() {
            tracing::info!("messages can be stored again");
        }
    }
}
