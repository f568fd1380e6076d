//! `freeswitch.Dbh` on a PostgreSQL of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chappe_interop::{Agent, Folder, Server, free_port};
use tempfile::TempDir;

/// A cluster in a folder of its own, ended with the test.
struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// `None`, with a line that says why, where the machine has none.
    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        let postgres = Self { programs, folder: tempfile::tempdir().expect("a folder"), port: free_port() };
        let data = postgres.data();
        if is_root() {
            postgres.give_away();
        }
        postgres.run("initdb", &["-D", &data, "-U", "chappe", "--auth=trust", "--no-sync"]);
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off",
            postgres.port
        );
        postgres.run("pg_ctl", &["-D", &data, "-w", "-o", &options, "-l", &format!("{data}.log"), "start"]);
        Some(postgres)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_string_lossy().into_owned()
    }

    /// PostgreSQL refuses to run as root.
    fn give_away(&self) {
        let given = Command::new("chown").arg("nobody").arg(self.folder.path()).status();
        assert!(given.expect("chown is there").success());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--clear-groups", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let ended = command.status().expect("the program starts");
        assert!(ended.success(), "{}: {ended}", program.display());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }
}

/// The folder of the server's programs: Debian keeps them off the PATH.
fn programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(debian.map(|version| version.path().join("bin")));
    folders.into_iter().find(|folder| ["initdb", "pg_ctl"].iter().all(|name| folder.join(name).is_file()))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    Path::new("/proc/self").metadata().is_ok_and(|own| own.uid() == 0)
}

const SCRIPT: &str = r#"
local dbh = freeswitch.Dbh("pgsql://hostaddr=127.0.0.1 port=PORT dbname=postgres user=chappe")
assert(dbh:connected(), "not connected")
dbh:test_reactive("select * from numbers", "drop table numbers", "create table numbers (owner text, number text, rank int)")
dbh:query("delete from numbers")
assert(dbh:query("insert into numbers values ('1004', '+15551004', 1), ('1004', '+15559999', 2), ('1005', null, 3)"))
local inserted = dbh:affected_rows()
local seen = {}
dbh:query("select owner, number, rank from numbers order by rank", function(row)
  seen[#seen + 1] = row.owner .. "=" .. tostring(row.number) .. "/" .. row.rank
  if row.rank == "2" then return 1 end
end)
local failed = dbh:query("select nonsense")
local after = dbh:query("update numbers set number = 'žluťoučký' where rank = 3")
local changed = dbh:affected_rows()
dbh:release()
message:chat_execute("reply", inserted .. " " .. table.concat(seen, " ") .. " " .. tostring(failed) .. " " .. tostring(after) .. " " .. changed)
"#;

#[test]
fn a_script_asks_postgresql() {
    let Some(postgres) = Postgres::start() else { return };
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let modules = r#"<load module="mod_sms"/><load module="mod_lua"/>"#;
    folder.write("freeswitch.xml", &main.replace(r#"<load module="mod_sms"/>"#, modules));
    folder.write(
        "chatplan/default.xml",
        r#"<include>
<context name="default">
  <extension name="lua"><condition field="to_user" expression="^lua$">
    <action application="lua" data="numbers.lua"/>
  </condition></extension>
</context>
</include>
"#,
    );
    folder.write("scripts/numbers.lua", &SCRIPT.replace("PORT", &postgres.port.to_string()));
    let server = Server::start(folder);
    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    for _ in 0..2 {
        assert_eq!(sender.message(&server.uri("lua"), "text/plain", b"go"), 200);
        let expected = "3 1004=+15551004/1 1004=+15559999/2 false true 1";
        assert_eq!(sender.receive().text(), expected, "{}", server.process.printed());
    }
    server.process.expect("column \"nonsense\" does not exist");
}
