//! The real clients that crates/interop talks to: installed when this machine lets us, named when it does not.

pub mod apt;
mod npm;
mod pip;
mod unpacked;

use std::path::PathBuf;

use crate::step::Summary;

/// What the interop tests will find.
#[derive(Default)]
pub struct Clients {
    /// The Python that has the packages of [`pip`].
    pub python: Option<PathBuf>,
    /// The folder whose `node_modules` has those of [`npm`].
    pub node: Option<PathBuf>,
    /// One line a client that is not there: its tests pass without having run.
    pub missing: Vec<String>,
}

pub fn prepare(summary: &mut Summary) -> Clients {
    let mut clients = Clients::default();
    apt::install(summary, &mut clients.missing);
    unpacked::unpack(summary, &mut clients.missing);
    clients.python = pip::install(summary, &mut clients.missing);
    clients.node = npm::install(summary, &mut clients.missing);
    clients
}

fn installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
