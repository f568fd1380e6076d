//! mod_sms's apps, one a file.

mod final_app;
mod fire;
mod info;
mod reply;
mod send;
mod set;
mod stop;
mod system;
mod unset;

use std::sync::Arc;

use crate::{App, AppRow};

/// The module that brings them.
const MODULE: &str = "mod_sms";

/// All of them.
pub fn all() -> [Arc<dyn App>; 9] {
    [
        Arc::new(final_app::Final),
        Arc::new(fire::Fire),
        Arc::new(info::Info),
        Arc::new(reply::Reply),
        Arc::new(send::Send),
        Arc::new(set::Set),
        Arc::new(stop::Stop),
        Arc::new(system::System),
        Arc::new(unset::Unset),
    ]
}

/// Their rows: from these come help and `show chat_app`.
pub fn rows() -> [AppRow; 9] {
    all().map(|app| *app.row())
}
