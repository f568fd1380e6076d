use chappe_config::{Diagnostics, Document};

use crate::Directory;

pub fn compile(_document: &Document, _d: &mut Diagnostics) -> Directory {
    todo!()
}
