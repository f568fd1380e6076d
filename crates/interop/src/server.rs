//! A server of the test's own.

use crate::{Driven, Folder};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running `chappe serve`; ended when dropped.
pub struct Server {
    /// Its configuration folder.
    pub folder: Folder,
    /// The process, with its log.
    pub process: Driven,
}

impl Server {
    /// Starts the server on `folder` and waits until it says that it is ready.
    pub fn start(folder: Folder) -> Server {
        let process = Server::launch(folder.path());
        process.expect("ready\n");
        Server { folder, process }
    }

    /// Starts the server on the folder `conf`, and waits for nothing.
    pub fn launch(conf: &Path) -> Driven {
        let mut command = Command::new(binary());
        command.arg("serve").arg("--conf").arg(conf);
        Driven::start(command)
    }

    /// Ends the process as a power cut would, between any two instructions.
    pub fn kill(self) -> Folder {
        self.folder
    }

    /// Kills the process and starts another on the same folder and ports.
    pub fn start_again(self) -> Server {
        Server::start(self.kill())
    }

    /// The profile's address.
    pub fn sip(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.folder.sip_port))
    }

    /// `sip:USER@HOST:PORT` at this server.
    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.sip())
    }
}

/// The `chappe` binary, which the same build put beside the test executables.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let built = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST").join("chappe");
    assert!(built.is_file(), "{} is missing: build the workspace first", built.display());
    built
}
