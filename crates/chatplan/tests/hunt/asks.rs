use crate::driver::{hunt, hunt_in, message, plan};

#[test]
fn api_commands_in_fields_and_expressions_are_asked_for() {
    let found = hunt(
        "<extension><condition field=\"${up(a${to_user})}\" expression=\"^${up(a)}(.*)$\">\
         <action application=\"x\" data=\"$1 ${up(b)}\"/></condition></extension>",
    );
    assert_eq!(found.asked, ["api up a", "api up a1009"]);
    assert_eq!(found.actions(), ["x(1009 ${up(b)})"]);
}

#[test]
fn what_an_inline_app_sets_is_seen_by_later_conditions() {
    let found = hunt(
        "<extension continue=\"true\"><condition><action application=\"set\" data=\"x=1\" inline=\"true\" loop=\"2\"/>\
         </condition></extension>\
         <extension><condition field=\"x\" expression=\"1\"><action application=\"seen\"/></condition></extension>",
    );
    assert_eq!(found.asked, ["run set(x=1)", "run set(x=1)"]);
    assert_eq!(found.actions(), ["seen(-)"]);
}

#[test]
fn a_message_may_name_another_file() {
    let nothing = plan("<context name=\"default\"/>");
    let mut elsewhere = message();
    elsewhere.add("alt_path", "/other.xml");
    let found = hunt_in(&nothing, elsewhere);
    assert_eq!(found.asked, ["file /other.xml"]);
    assert_eq!(found.actions(), ["found(-)"]);

    let mut nowhere = message();
    nowhere.add("alt_path", "/missing.xml");
    let found = hunt_in(&nothing, nowhere);
    assert!(!found.hunted.found);
    assert_eq!(found.lines.last().map(String::as_str), Some("[ERR] Open of [/missing.xml] failed"));
}
