//! A server of the test's own: the real binary, on ports the system picked.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;

pub fn chappe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chappe"));
    command.stdin(Stdio::null());
    command
}

/// A running `chappe serve`; killed when dropped.
pub struct Running {
    process: Child,
    /// What it said until it was ready.
    pub banner: String,
    /// Where the sample keeps messages.
    _data: Option<TempDir>,
}

impl Running {
    /// The built-in sample.
    pub fn sample() -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let db_dir = format!("db_dir={}", data.path().display());
        let mut server =
            Self::start(&["--set", "sip_port=0", "--set", "event_socket_port=0", "--set", &db_dir]);
        server._data = Some(data);
        server
    }

    /// A folder's configuration.
    pub fn folder(folder: &Folder) -> Self {
        Self::start(&["--conf", &folder.path().to_string_lossy()])
    }

    fn start(arguments: &[&str]) -> Self {
        let mut command = chappe();
        command.arg("serve").args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("starts");
        let mut out = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut banner = String::new();
        while !banner.ends_with("\nready\n") {
            let read = out.read_line(&mut banner).expect("readable");
            assert!(read > 0, "the server ended after saying: {banner}");
        }
        Self { process, banner, _data: None }
    }

    /// The banner's line with `part` in it.
    pub fn line(&self, part: &str) -> &str {
        let line = self.banner.lines().find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("no {part} in {}", self.banner)).trim()
    }

    /// `HOST:PORT` of the profile, over UDP.
    pub fn sip(&self) -> String {
        let line = self.line("/udp");
        line.split_whitespace()
            .nth(1)
            .and_then(|word| word.strip_suffix("/udp"))
            .expect("an address")
            .to_owned()
    }

    fn event_socket_port(&self) -> &str {
        self.line("event socket").rsplit(':').next().expect("a port")
    }

    /// What an API command answers.
    pub fn api(&self, line: &str) -> String {
        let output =
            chappe().args(["console", "-P", self.event_socket_port(), "-x", line]).output().expect("runs");
        assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// `chappe send` as user 1000 with the password `secret`.
    pub fn send(&self, arguments: &[&str]) -> Output {
        let server = self.sip();
        chappe()
            .args(["send", "--server", &server, "--password", "secret"])
            .args(arguments)
            .output()
            .expect("runs")
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    pub fn wait(mut self) -> ExitStatus {
        self.process.wait().expect("ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A configuration folder: one profile, the users 1000 and 1001 of chat.test with the password `secret`, and a
/// chatplan that can be changed. Removed when dropped.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        folder.write("freeswitch.xml", MAIN);
        folder.answer("first");
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path
    }

    /// From here on the chatplan answers every message to `echo` with this text.
    pub fn answer(&self, text: &str) {
        self.write(
            "chatplan.xml",
            &format!(
                "<include>\n<context name=\"default\"><extension name=\"echo\">\n\
                 <condition field=\"to_user\" expression=\"^echo$\">\n\
                 <action application=\"reply\" data=\"{text}\"/></condition></extension></context>\n</include>\n"
            ),
        );
    }
}

pub const MAIN: &str = r#"<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="modules.conf"><modules>
      <load module="mod_commands"/><load module="mod_event_socket"/><load module="mod_sofia"/><load module="mod_sms"/>
    </modules></configuration>
    <configuration name="event_socket.conf"><settings>
      <param name="listen-ip" value="127.0.0.1"/>
      <param name="listen-port" value="0"/>
      <param name="password" value="ClueCon"/>
    </settings></configuration>
    <configuration name="sofia.conf"><profiles><profile name="internal"><settings>
      <param name="context" value="default"/>
      <param name="sip-ip" value="127.0.0.1"/>
      <param name="sip-port" value="0"/>
      <param name="force-register-domain" value="chat.test"/>
      <param name="force-register-db-domain" value="chat.test"/>
    </settings></profile></profiles></configuration>
  </section>
  <section name="chatplan">
    <X-PRE-PROCESS cmd="include" data="chatplan.xml"/>
  </section>
  <section name="directory"><domain name="chat.test">
    <params><param name="password" value="secret"/></params>
    <user id="1000"><variables><variable name="user_context" value="default"/></variables></user>
    <user id="1001"><variables><variable name="user_context" value="default"/></variables></user>
  </domain></section>
</document>
"#;

/// What a command printed, both ways.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Starts a command and reads its first line.
pub fn first_line(command: &mut Command) -> (Child, String, BufReader<impl Read + use<>>) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("readable");
    (child, line, out)
}
