//! The configuration of a registrar: one profile, and users with passwords where those are asked for.

use std::fmt::Write as _;
use std::path::Path;

use crate::error::BenchError;
use crate::folder::{DOMAIN, PASSWORD};

/// What the registrar is to be like.
#[derive(Clone, Copy)]
pub struct Setup {
    pub port: u16,
    /// Users in the directory; with any, each REGISTER and MESSAGE has to be theirs by digest.
    pub known: usize,
    /// Whether its log says what it does, each message among it.
    pub tells: bool,
}

/// How a user of this number is called.
pub fn user(number: usize) -> String {
    format!("u{number:010}")
}

/// Writes `freeswitch.xml`.
pub fn write(folder: &Path, setup: Setup) -> Result<(), BenchError> {
    std::fs::write(folder.join("freeswitch.xml"), document(setup))
        .map_err(BenchError::system("write the configuration"))
}

fn document(Setup { port, known, tells }: Setup) -> String {
    let level = if tells { "info" } else { "warning" };
    let trust = match known {
        0 => {
            r#"<param name="accept-blind-reg" value="true"/><param name="auth-messages" value="false"/>
      <param name="apply-inbound-acl" value="loopback.auto"/>"#
        }
        _ => r#"<param name="auth-messages" value="true"/>"#,
    };
    let mut directory = String::new();
    for number in 0..known {
        let _ = writeln!(
            directory,
            r#"<user id="{}"><params><param name="password" value="{PASSWORD}"/></params></user>"#,
            user(number)
        );
    }
    format!(
        r#"<document type="freeswitch/xml">
<section name="configuration">
  <configuration name="switch.conf"><settings><param name="loglevel" value="{level}"/></settings></configuration>
  <configuration name="modules.conf"><modules>
    <load module="mod_sofia"/>
    <load module="mod_sms"/>
  </modules></configuration>
  <configuration name="acl.conf"><network-lists/></configuration>
  <configuration name="sofia.conf"><profiles><profile name="bench">
    <domains><domain name="{DOMAIN}" alias="true" parse="false"/></domains>
    <settings>
      <param name="sip-ip" value="127.0.0.1"/>
      <param name="sip-port" value="{port}"/>
      <param name="context" value="default"/>
      {trust}
      <param name="log-auth-failures" value="false"/>
      <param name="force-register-domain" value="{DOMAIN}"/>
      <param name="force-register-db-domain" value="{DOMAIN}"/>
      <param name="max-registrations" value="10000000"/>
      <param name="max-recv-requests-per-second" value="0"/>
    </settings>
  </profile></profiles></configuration>
</section>
<section name="directory"><domain name="{DOMAIN}"><groups><group name="default"><users>
{directory}</users></group></groups></domain></section>
<section name="chatplan"><context name="default"/></section>
</document>
"#
    )
}
