//! The `chappe` binary.

use std::process::ExitCode;

/// A message is some twenty allocations; with the system's allocator they are a tenth of what it costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    chappe_server::run()
}
