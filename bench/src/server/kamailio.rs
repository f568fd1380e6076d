//! Kamailio as the peer: a stateful relay, a script that answers, a store for those who are away. Its registrations are in
//! memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::Server;
use crate::error::BenchError;
use crate::folder::{self, DOMAIN};
use crate::row::Peer;

/// Megabytes of shared memory. The default fills with finished transactions in a second, and the rest is refused.
const SHARED: &str = "4096";

/// What msilo wants to find (its module's documentation; version 8 of the table).
const SILO: &str = "
    CREATE TABLE version (table_name VARCHAR(32) NOT NULL, table_version INTEGER NOT NULL);
    INSERT INTO version VALUES ('silo', 8);
    CREATE TABLE silo (
        id INTEGER PRIMARY KEY, src_addr VARCHAR(255) NOT NULL DEFAULT '', dst_addr VARCHAR(255) NOT NULL DEFAULT '',
        username VARCHAR(64) NOT NULL DEFAULT '', domain VARCHAR(64) NOT NULL DEFAULT '',
        inc_time INTEGER NOT NULL DEFAULT 0, exp_time INTEGER NOT NULL DEFAULT 0,
        snd_time INTEGER NOT NULL DEFAULT 0, ctype VARCHAR(255) NOT NULL DEFAULT 'text/plain',
        body BLOB NOT NULL DEFAULT '', extra_hdrs TEXT NOT NULL DEFAULT '', callid VARCHAR(128) NOT NULL DEFAULT '',
        status INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX account ON silo (username, domain);";

/// The reply goes to where the sender is registered, in a transaction of its own.
const SCRIPT: &str = r#"
function reply()
    KSR.tm.t_newtran()
    local sender, recipient, body = KSR.pv.get("$fu"), KSR.pv.get("$ru"), KSR.pv.get("$rb")
    if KSR.registrar.lookup_uri("location", sender) < 0 then
        KSR.tm.t_reply(404, "Not Found")
        return 1
    end
    KSR.pv.sets("$uac_req(method)", "MESSAGE")
    KSR.pv.sets("$uac_req(ruri)", KSR.pv.get("$ru"))
    KSR.pv.sets("$uac_req(furi)", recipient)
    KSR.pv.sets("$uac_req(turi)", sender)
    KSR.pv.sets("$uac_req(hdrs)", "Content-Type: text/plain\r\n")
    KSR.pv.sets("$uac_req(body)", "Hello, you said: " .. body)
    KSR.uac.uac_req_send()
    KSR.tm.t_reply(200, "OK")
    return 1
end
"#;

impl Server {
    /// Starts it with its children on one core, and waits until it answers.
    pub fn kamailio(program: &Path, core: usize, peer: Peer) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let port = folder::free_port().map_err(BenchError::system("find a free port"))?;
        let file = folder.path().join("kamailio.cfg");
        std::fs::write(&file, configuration(folder.path(), port, peer))
            .and_then(|()| std::fs::write(folder.path().join("reply.lua"), SCRIPT))
            .map_err(BenchError::system("write the configuration"))?;
        if peer == Peer::Msilo {
            rusqlite::Connection::open(folder.path().join("silo.db"))
                .and_then(|silo| silo.execute_batch(SILO))
                .map_err(|error| BenchError::NotStarted(format!("the table for msilo: {error}")))?;
        }
        let mut command = Command::new(program);
        command.arg("-f").arg(file).args(["-DD", "-E", "-m", SHARED, "-M", "16", "-Y"]).arg(folder.path());
        command.stdout(Stdio::null());
        let mut server = Self::spawn_in(Arc::new(folder), command, &[core], port, libc::SIGTERM)?;
        server.wait_until_it_answers()?;
        Ok(server)
    }
}

fn configuration(folder: &Path, port: u16, peer: Peer) -> String {
    let folder = folder.display();
    // SQLite lets one write at a time, and db_sqlite does not wait for another's turn: with two, most are answered 503.
    let children = if peer == Peer::Msilo { 1 } else { 2 };
    let (modules, away, message) = match peer {
        Peer::Relay => (String::new(), NOT_FOUND, ""),
        Peer::Lua => (
            format!(
                r#"loadmodule "uac.so"
loadmodule "app_lua.so"
modparam("uac", "restore_mode", "none")
modparam("app_lua", "load", "{folder}/reply.lua")
"#
            ),
            NOT_FOUND,
            r#"lua_run("reply"); exit;"#,
        ),
        Peer::Msilo => (
            format!(
                r#"loadmodule "db_sqlite.so"
loadmodule "msilo.so"
modparam("msilo", "db_url", "sqlite:///{folder}/silo.db")
"#
            ),
            r#"if (!t_newtran()) { exit; }
        if (m_store("$ru")) { t_reply("202", "Accepted"); } else { t_reply("503", "Service Unavailable"); }"#,
            "",
        ),
    };
    format!(
        r#"debug=0
log_stderror=yes
children={children}
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
{modules}
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{ save("location"); exit; }}
    {message}
    if (!lookup("location")) {{
        {away}
        exit;
    }}
    t_relay();
}}
"#
    )
}

/// What is said about those who are away, where nothing is kept for them.
const NOT_FOUND: &str = r#"sl_send_reply("404", "Not Found");"#;
