//! A configuration folder of the test's own.

use std::fmt::Write as _;
use std::path::Path;
use tempfile::TempDir;

/// The password of the users 1000 to 1019.
pub const PASSWORD: &str = "interop-4711";

const CHATPLAN: &str = r#"<context name="default">
  <extension name="echo">
    <condition field="to_user" expression="^echo$">
      <action application="reply" data="Hello, you said: ${body}"/>
    </condition>
  </extension>
</context>"#;

const FIRST_OF_PROFILE: &str = r#"<param name="context" value="default"/>"#;

/// A folder with one profile, the users 1000 to 1019 of the domain 127.0.0.1 and a chatplan; removed when dropped.
pub struct Folder {
    folder: TempDir,
    /// The profile's port, for UDP and TCP.
    pub sip_port: u16,
    /// The event socket's port.
    pub event_port: u16,
}

impl Folder {
    /// A folder in which a message to `echo` is answered and all others go point to point.
    pub fn new() -> Folder {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder { folder, sip_port: crate::free_port(), event_port: crate::free_port() };
        folder.write("freeswitch.xml", &folder.main());
        folder.write("chatplan/default.xml", &format!("<include>\n{CHATPLAN}\n</include>\n"));
        folder.write("directory/default.xml", &directory());
        folder
    }

    /// Writes the file `name` below the folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a writable folder");
        std::fs::write(path, text).expect("a writable folder");
    }

    /// What `sms.conf` says from the next start on.
    pub fn sms(&self, params: &[(&str, &str)]) {
        let params = as_params(params);
        self.write(
            "autoload_configs/sms.conf.xml",
            &format!("<configuration name=\"sms.conf\"><settings>\n{params}</settings></configuration>\n"),
        );
    }

    /// Params of the profile, besides those that it has.
    pub fn profile(&self, params: &[(&str, &str)]) {
        self.replace(FIRST_OF_PROFILE, &format!("{FIRST_OF_PROFILE}\n{}", as_params(params)));
    }

    /// Nobody needs a password.
    pub fn trust_all(&self) {
        self.profile(&[("auth-messages", "false"), ("accept-blind-reg", "true")]);
    }

    /// Writes `after` wherever `freeswitch.xml` has `before`.
    pub fn replace(&self, before: &str, after: &str) {
        let main = std::fs::read_to_string(self.path().join("freeswitch.xml")).expect("just written");
        assert!(main.contains(before), "{before} is not in {main}");
        self.write("freeswitch.xml", &main.replace(before, after));
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn main(&self) -> String {
        let (sip_port, event_port) = (self.sip_port, self.event_port);
        format!(
            r#"<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="modules.conf"><modules>
      <load module="mod_event_socket"/><load module="mod_sofia"/><load module="mod_commands"/><load module="mod_sms"/>
    </modules></configuration>
    <configuration name="switch.conf"><settings><param name="loglevel" value="debug"/></settings></configuration>
    <configuration name="console.conf"><settings><param name="loglevel" value="debug"/></settings></configuration>
    <configuration name="event_socket.conf"><settings>
      <param name="listen-ip" value="127.0.0.1"/>
      <param name="listen-port" value="{event_port}"/>
      <param name="password" value="ClueCon"/>
    </settings></configuration>
    <configuration name="sofia.conf"><profiles><profile name="internal">
      <domains><domain name="all" alias="true" parse="false"/></domains>
      <settings>
        <param name="context" value="default"/>
        <param name="sip-ip" value="127.0.0.1"/>
        <param name="sip-port" value="{sip_port}"/>
        <param name="force-register-domain" value="127.0.0.1"/>
        <param name="force-register-db-domain" value="127.0.0.1"/>
        <param name="multiple-registrations" value="contact"/>
        <param name="log-auth-failures" value="true"/>
      </settings>
    </profile></profiles></configuration>
    <X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>
  </section>
  <section name="chatplan">
    <X-PRE-PROCESS cmd="include" data="chatplan/*.xml"/>
  </section>
  <section name="directory">
    <X-PRE-PROCESS cmd="include" data="directory/*.xml"/>
  </section>
</document>
"#
        )
    }
}

impl Default for Folder {
    fn default() -> Folder {
        Folder::new()
    }
}

fn as_params(params: &[(&str, &str)]) -> String {
    params.iter().map(|(name, value)| format!("<param name=\"{name}\" value=\"{value}\"/>\n")).collect()
}

fn directory() -> String {
    let mut users = String::new();
    for id in 1000..1020 {
        let _ = write!(
            users,
            "<user id=\"{id}\"><params><param name=\"password\" value=\"{PASSWORD}\"/></params></user>\n    "
        );
    }
    format!("<include>\n  <domain name=\"127.0.0.1\">\n    {users}\n  </domain>\n</include>\n")
}
