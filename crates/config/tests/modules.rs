//! `modules.conf` and the table of FreeSWITCH's modules.

use std::collections::HashSet;

use chappe_config::modules::{Standing, find, read, report_unread, table};
use chappe_config::parse_fragment;
use expect_test::expect;

fn document(content: &str) -> chappe_config::Document {
    parse_fragment(
        &format!("<document><section name=\"configuration\">{content}</section></document>"),
        "m.xml",
    )
    .0
}

#[test]
fn the_modules_that_are_asked_for_in_order() {
    let document = document(
        "<configuration name=\"post_load_modules.conf\"><modules><load module=\"mod_sms\"/></modules></configuration>\n\
         <configuration name=\"modules.conf\"><modules>\n\
         <load module=\"mod_console\"/>\n<load module=\"/usr/lib/mod_sofia.so\"/>\n<load module=\"mod_opus\"/>\n\
         <load module=\"mod_java\"/>\n<load module=\"mod_evnt_socket\"/>\n<load module=\"mod_console\"/>\n<load/>\n\
         </modules></configuration>",
    );
    let mut d = chappe_config::Diagnostics::new();
    let asked = read(&document, &mut d);
    let provided: Vec<&str> =
        asked.iter().filter(|asked| asked.is_provided()).map(|asked| asked.name).collect();
    assert_eq!(provided, ["mod_console", "mod_sofia", "mod_sms"]);
    expect![[r#"
        m.xml:5: warning: mod_opus has no meaning here: it is a codec, and only messages are routed
        m.xml:6: warning: mod_java has no meaning here: no scripts in its language are planned
        m.xml:7: warning: unknown module mod_evnt_socket; write mod_event_socket instead
        m.xml:8: hint: mod_console is loaded already at m.xml:3
        m.xml:9: warning: <load> names no module; write <load module="mod_sms"/> instead
    "#]]
    .assert_eq(&d.to_string());
}

#[test]
fn configurations_that_no_module_reads() {
    let document = document(
        "<configuration name=\"modules.conf\"/>\n<configuration name=\"conference.conf\"/>\n\
         <configuration name=\"sofa.conf\"/>\n<configuration name=\"mine.conf\"/>\n",
    );
    let mut d = chappe_config::Diagnostics::new();
    report_unread(&document, &["mine.conf"], &mut d);
    expect![[r#"
        m.xml:3: warning: sofa.conf has no meaning here: no module reads it; write sofia.conf instead
    "#]]
    .assert_eq(&d.to_string());
    let unread: Vec<&str> =
        document.unread_configurations(&["modules.conf"]).filter_map(|c| c.attr("name")).collect();
    assert_eq!(unread, ["conference.conf", "sofa.conf", "mine.conf"]);
}

#[test]
fn the_table_names_each_module_once() {
    let names: HashSet<&str> = table().iter().map(|row| row.name).collect();
    assert_eq!(names.len(), table().len());
    for row in table() {
        assert!(row.name.starts_with("mod_"), "{}", row.name);
        assert!(row.configurations.iter().all(|name| name.ends_with(".conf")), "{}", row.name);
    }
    assert_eq!(find("MOD_SMS").map(|row| row.standing), Some(Standing::Provided));
    assert_eq!(find("mod_smss"), None);
}
