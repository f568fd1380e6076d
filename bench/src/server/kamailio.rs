//! Kamailio as the peer: a stateful relay with its registrations in memory.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Server;
use crate::error::BenchError;
use crate::folder::{self, DOMAIN};

/// Megabytes of shared memory. The default fills with finished transactions in a second, and the rest is refused.
const SHARED: &str = "4096";

impl Server {
    /// Starts it with two workers on its one core, and waits until it answers.
    pub fn kamailio(program: &Path, core: usize) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let port = folder::free_port().map_err(BenchError::system("find a free port"))?;
        let file = folder.path().join("kamailio.cfg");
        std::fs::write(&file, configuration(port)).map_err(BenchError::system("write the configuration"))?;
        let mut command = Command::new(program);
        command.arg("-f").arg(file).args(["-DD", "-E", "-m", SHARED, "-M", "16", "-Y"]).arg(folder.path());
        command.stdout(Stdio::null());
        let mut server = Self::spawn_in(std::sync::Arc::new(folder), command, &[core], port)?;
        server.wait_until_it_answers()?;
        Ok(server)
    }
}

fn configuration(port: u16) -> String {
    format!(
        r#"debug=0
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
alias={DOMAIN}
listen=udp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "siputils.so"
loadmodule "textops.so"
modparam("usrloc", "db_mode", 0)
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{ save("location"); exit; }}
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
}}
"#
    )
}
