//! The `chappe` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    chappe_server::run()
}
