//! The server's configuration folder, as small as it can be.

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::Path;

use crate::certificates::certificates;
use crate::error::BenchError;
use crate::transport::{Transport, is_encrypted};

/// The one profile.
pub const PROFILE: &str = "bench";
/// The one domain.
pub const DOMAIN: &str = "bench.test";
/// The user that the chatplan's one extension answers for.
pub const ECHO: &str = "echo";
/// The user that a Lua script answers for.
pub const LUA: &str = "lua";
/// What the script is.
const SCRIPT: &str = "message:chat_execute('reply', 'Hello, you said: ' .. message:getBody())\n";
/// The user that a Python script answers for.
pub const PYTHON: &str = "python";
/// What the module is.
const MODULE: &str = "def chat(message, args):
    message.chat_execute('reply', 'Hello, you said: ' + message.getBody())
";
/// The user that a Python script answers for which sleeps in every tenth message.
pub const SLEEPER: &str = "sleeper";
/// What that module is.
const SLEEPS: &str = "import time
count = 0
def chat(message, args):
    global count
    count += 1
    if count % 10 == 0:
        time.sleep(1)
    message.chat_execute('reply', 'Hello, you said: ' + message.getBody())
";
/// Everybody's password.
pub const PASSWORD: &str = "bench";

/// Events that may wait for a client: the server's default.
pub const MAX_QUEUE_LEN: u64 = 20_000;
/// The password of the event socket.
pub const EVENT_PASSWORD: &str = "bench";

/// What a server is to be like.
#[derive(Clone, Copy)]
pub struct Setup {
    /// From 1000 on.
    pub users: u32,
    pub event_socket: bool,
    /// Params of sms.conf.
    pub sms: &'static [(&'static str, &'static str)],
    /// Further params of the profile.
    pub profile: &'static [(&'static str, &'static str)],
    /// Each MESSAGE needs credentials.
    pub digest: bool,
    /// Threads that have a socket of the port.
    pub shards: u32,
    /// What it listens for besides UDP.
    pub transport: Transport,
    /// Nobody needs a password to register.
    pub blind: bool,
    /// The chatplan: so many extensions, each for one [`extension_user`]; without, one for each of [`ECHO`] and so on.
    pub extensions: Option<u32>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            users: 0,
            event_socket: false,
            sms: &[],
            profile: &[],
            digest: false,
            shards: 1,
            transport: Transport::Udp,
            blind: false,
            extensions: None,
        }
    }
}

/// Whom the extension of this number answers for.
pub fn extension_user(number: u32) -> String {
    format!("service{number:05}")
}

/// Where the server listens.
#[derive(Clone, Copy)]
pub struct Ports {
    pub sip: u16,
    /// Of the transport besides UDP; that of UDP and TCP without one.
    pub connections: u16,
    /// Of the event socket, if it is measured.
    pub events: Option<u16>,
}

/// Writes `freeswitch.xml`, and the scripts.
pub fn write(folder: &Path, setup: Setup) -> Result<Ports, BenchError> {
    let port = || free_port().map_err(BenchError::system("find a free port"));
    let sip = port()?;
    let ports = Ports {
        sip,
        connections: if matches!(setup.transport, Transport::Udp | Transport::Tcp) { sip } else { port()? },
        events: if setup.event_socket { Some(port()?) } else { None },
    };
    if is_encrypted(setup.transport) {
        let certs = folder.join("certs");
        std::fs::create_dir_all(&certs)
            .and_then(|()| std::fs::write(certs.join("agent.pem"), &certificates().agent))
            .map_err(BenchError::system("write a certificate"))?;
    }
    std::fs::write(folder.join("freeswitch.xml"), document(folder, ports, setup))
        .map_err(BenchError::system("write the configuration"))?;
    let scripts = folder.join("scripts");
    std::fs::create_dir_all(&scripts).map_err(BenchError::system("make a folder"))?;
    std::fs::write(scripts.join("reply.lua"), SCRIPT).map_err(BenchError::system("write a script"))?;
    std::fs::write(scripts.join("reply.py"), MODULE).map_err(BenchError::system("write a script"))?;
    std::fs::write(scripts.join("sleeps.py"), SLEEPS).map_err(BenchError::system("write a script"))?;
    Ok(ports)
}

/// A port that is free for UDP and TCP.
pub fn free_port() -> std::io::Result<u16> {
    loop {
        let port = UdpSocket::bind(("127.0.0.1", 0))?.local_addr()?.port();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
}

/// Its module, and its configuration.
fn event_socket(port: u16) -> (&'static str, String) {
    let conf = format!(
        r#"<configuration name="event_socket.conf"><settings>
    <param name="listen-ip" value="127.0.0.1"/>
    <param name="listen-port" value="{port}"/>
    <param name="password" value="{EVENT_PASSWORD}"/>
    <param name="max-queue-len" value="{MAX_QUEUE_LEN}"/>
  </settings></configuration>"#
    );
    (r#"<load module="mod_event_socket"/>"#, conf)
}

fn document(folder: &Path, ports: Ports, setup: Setup) -> String {
    let port = ports.sip;
    let params = |params: &[(&str, &str)]| -> String {
        params.iter().map(|(name, value)| format!(r#"<param name="{name}" value="{value}"/>"#)).collect()
    };
    let (sms, profile) = (params(setup.sms), params(setup.profile));
    let trust = match setup.digest {
        true => r#"<param name="auth-messages" value="true"/>"#,
        false => {
            r#"<param name="auth-messages" value="false"/><param name="apply-inbound-acl" value="loopback.auto"/>"#
        }
    };
    let shards = setup.shards;
    let blind = setup.blind;
    let transport = listen(folder, ports.connections, setup.transport);
    let chatplan = setup.extensions.map_or_else(named_extensions, many_extensions);
    let (module, events) = ports.events.map(event_socket).unwrap_or_default();
    let mut directory = String::new();
    for user in 1000..1000 + setup.users {
        let _ = writeln!(
            directory,
            r#"<user id="{user}"><params><param name="password" value="{PASSWORD}"/></params></user>"#
        );
    }
    format!(
        r#"<document type="freeswitch/xml">
<section name="configuration">
  <configuration name="switch.conf"><settings><param name="loglevel" value="warning"/></settings></configuration>
  <configuration name="modules.conf"><modules>
    <load module="mod_commands"/>
    {module}
    <load module="mod_sofia"/>
    <load module="mod_sms"/>
    <load module="mod_lua"/>
    <load module="mod_python3"/>
  </modules></configuration>
  <configuration name="python.conf"><settings><param name="workers" value="4"/></settings></configuration>
  <configuration name="sms.conf"><settings>{sms}</settings></configuration>
  <configuration name="acl.conf"><network-lists/></configuration>
  {events}
  <configuration name="sofia.conf"><profiles><profile name="{PROFILE}">
    <domains><domain name="{DOMAIN}" alias="true" parse="false"/></domains>
    <settings>
      <param name="sip-ip" value="127.0.0.1"/>
      <param name="sip-port" value="{port}"/>
      <param name="context" value="default"/>
      <param name="auth-calls" value="true"/>
      {trust}
      {transport}
      {profile}
      <param name="accept-blind-reg" value="{blind}"/>
      <param name="shards" value="{shards}"/>
      <param name="force-register-domain" value="{DOMAIN}"/>
      <param name="force-register-db-domain" value="{DOMAIN}"/>
      <param name="max-recv-requests-per-second" value="0"/>
    </settings>
  </profile></profiles></configuration>
</section>
<section name="directory"><domain name="{DOMAIN}"><groups><group name="default"><users>
{directory}</users></group></groups></domain></section>
<section name="chatplan"><context name="default">
{chatplan}</context></section>
</document>
"#
    )
}

/// The params that have a profile listen for it.
fn listen(folder: &Path, port: u16, transport: Transport) -> String {
    let certs = folder.join("certs");
    let certs = format!(r#"<param name="tls-cert-dir" value="{}"/>"#, certs.display());
    match transport {
        Transport::Udp | Transport::Tcp => String::new(),
        Transport::Tls => {
            format!(r#"<param name="tls" value="true"/><param name="tls-sip-port" value="{port}"/>{certs}"#)
        }
        Transport::Ws => format!(r#"<param name="ws-binding" value="127.0.0.1:{port}"/>"#),
        Transport::Wss => format!(r#"<param name="wss-binding" value="127.0.0.1:{port}"/>{certs}"#),
    }
}

fn named_extensions() -> String {
    format!(
        r#"  <extension name="echo">
    <condition field="to" expression="^{ECHO}@">
      <action application="reply" data="Hello, you said: ${{_body}}"/>
    </condition>
  </extension>
  <extension name="lua">
    <condition field="to" expression="^{LUA}@">
      <action application="lua" data="reply.lua"/>
    </condition>
  </extension>
  <extension name="python">
    <condition field="to" expression="^{PYTHON}@">
      <action application="python" data="reply"/>
    </condition>
  </extension>
  <extension name="sleeper">
    <condition field="to" expression="^{SLEEPER}@">
      <action application="python" data="sleeps"/>
    </condition>
  </extension>
"#
    )
}

fn many_extensions(count: u32) -> String {
    let extension = |number| {
        let user = extension_user(number);
        format!(
            r#"  <extension name="{user}">
    <condition field="to" expression="^{user}@">
      <action application="reply" data="Hello, you said: ${{_body}}"/>
    </condition>
  </extension>
"#
        )
    };
    (0..count).map(extension).collect()
}
