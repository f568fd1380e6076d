//! A folder in the shape of FreeSWITCH's vanilla configuration: no error, one warning for each module without meaning.

use std::path::Path;

use chappe_config::acl::AclLists;
use chappe_config::{MemoryFiles, load, modules};
use chappe_directory::Directory;
use expect_test::expect;

fn folder() -> MemoryFiles {
    let mut files = MemoryFiles::new()
        .with(
            "/etc/chappe/freeswitch.xml",
            r#"<?xml version="1.0"?>
<document type="freeswitch/xml">
  <!--#comment
      Directives such as <X-PRE-PROCESS cmd="set" data="domain=wrong"/> don't count in here.
  -->
  <X-PRE-PROCESS cmd="include" data="vars.xml"/>
  <section name="configuration" description="Various Configuration">
    <X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>
  </section>
  <section name="dialplan" description="Regex/XML Dialplan">
    <X-PRE-PROCESS cmd="include" data="dialplan/*.xml"/>
  </section>
  <section name="directory" description="User Directory">
    <X-PRE-PROCESS cmd="include" data="directory/*.xml"/>
  </section>
  <section name="languages" description="Languages">
    <X-NO-PRE-PROCESS cmd="include" data="lang/en/*.xml"/>
  </section>
</document>
"#,
        )
        .with(
            "/etc/chappe/vars.xml",
            r#"<include>
  <!-- $${...} in a comment is no matter -->
  <X-PRE-PROCESS cmd="set" data="default_password=1234"/>
  <X-PRE-PROCESS cmd="set" data="domain=$${local_ip_v4}"/>
  <!--<Z-PRE-PROCESS cmd="set" data="domain=other"/>-->
  <XX-PRE-PROCESS cmd="set" data="domain=other"/>
  <X-PRE-PROCESS cmd="stun-set" data="external_sip_ip=stun:stun.example.com"/>
  <X-PRE-PROCESS cmd="set" data="us-ring=%(2000,4000,440,480)"/>
</include>
"#,
        )
        .with(
            "/etc/chappe/autoload_configs/modules.conf.xml",
            r#"<configuration name="modules.conf" description="Modules">
  <modules>
    <load module="mod_console"/>
    <!-- <load module="mod_graylog2"/> -->
    <load module="mod_sofia"/>
    <load module="mod_conference"/>
    <load module="mod_syslog"/>
  </modules>
</configuration>
"#,
        )
        .with(
            "/etc/chappe/autoload_configs/acl.conf.xml",
            r#"<configuration name="acl.conf"><network-lists><list name="domains" default="deny">
<node type="allow" domain="$${domain}"/></list></network-lists></configuration>"#,
        )
        .with(
            "/etc/chappe/autoload_configs/conference.conf.xml",
            "<configuration name=\"conference.conf\"/>\n",
        )
        .with(
            "/etc/chappe/directory/default.xml",
            r#"<include>
  <domain name="$${domain}">
    <params><param name="dial-string" value="{^^:presence_id=${dialed_user}@${dialed_domain}}x"/></params>
    <groups>
      <group name="default">
        <users>
          <X-PRE-PROCESS cmd="include" data="default/*.xml"/>
        </users>
      </group>
      <group name="sales"><users><user id="1000" type="pointer"/></users></group>
    </groups>
  </domain>
</include>
"#,
        );
    for id in 1000..1003 {
        let user = format!(
            "<include>\n  <user id=\"{id}\" cidr=\"203.0.113.{}/32\">\n    <params>\n      \
             <param name=\"password\" value=\"$${{default_password}}\"/>\n    </params>\n  </user>\n</include>\n",
            id - 1000
        );
        files.insert(format!("/etc/chappe/directory/default/{id}.xml"), user);
    }
    files
}

#[test]
fn it_loads_with_a_warning_for_each_module_without_meaning() {
    let presets = [("local_ip_v4".to_owned(), "192.0.2.7".to_owned())];
    let loaded = load(Path::new("/etc/chappe/freeswitch.xml"), &folder(), &presets);
    let mut d = loaded.diagnostics;
    modules::read(&loaded.document, &mut d);
    modules::report_unread(&loaded.document, &["acl.conf"], &mut d);
    let directory = Directory::compile(&loaded.document, &mut d);
    let lists = AclLists::compile(&loaded.document, None, &|domain| directory.cidrs(domain), &mut d);
    expect![[r#"
        /etc/chappe/vars.xml:7: warning: stun-set: stun:stun.example.com is not asked; external_sip_ip is set to the local address `192.0.2.7`; write <X-PRE-PROCESS cmd="set" data="external_sip_ip=ADDRESS"/> instead
        /etc/chappe/autoload_configs/modules.conf.xml:6: warning: mod_conference has no meaning here: it is about calls, and only messages are routed
        /etc/chappe/autoload_configs/modules.conf.xml:7: warning: mod_syslog is not built in yet: events and configuration over its protocol
        /etc/chappe/directory/default/1000.xml:2: hint: the password is the one that FreeSWITCH ships with: user 1000 and 2 others of 192.0.2.7
    "#]]
    .assert_eq(&d.to_string());
    let user = directory.user("192.0.2.7", "1001").unwrap();
    assert_eq!(format!("{:?}", user.at), "/etc/chappe/directory/default/1001.xml:2:3");
    let verdict = lists.verdict("domains", "203.0.113.1".parse().unwrap(), 5060);
    assert_eq!((verdict.allowed, verdict.user), (true, Some("1001@192.0.2.7")));
}
