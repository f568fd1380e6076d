//! The `chappe` binary.

use std::process::ExitCode;

/// ARCHITECTURE.md says why.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    chappe_server::run()
}
