use crate::driver::{hunt, hunt_in, message, plan};

/// The actions found, and whether the message counts as matched.
fn check(extensions: &str, actions: &[&str], matched: bool) {
    let found = hunt(extensions);
    assert_eq!(found.actions(), actions, "{extensions}");
    assert_eq!(found.hunted.matched, matched, "{extensions}");
}

/// One extension with one condition of these attributes and the actions `yes` and anti-action `no`.
fn condition(attributes: &str) -> String {
    format!(
        "<extension name=\"e\"><condition {attributes}><action application=\"yes\" data=\"$1\"/>\
         <anti-action application=\"no\" data=\"$1\"/></condition></extension>"
    )
}

#[test]
fn a_field_is_a_header_or_a_text() {
    check(&condition(r#"field="to" expression="^(\d+)@""#), &["yes(1009)"], true);
    check(&condition(r#"field="TO_USER" expression="^(1009)$""#), &["yes(1009)"], true);
    check(&condition(r#"field="_body" expression="^hello (.*)$""#), &["yes(there)"], true);
    check(&condition(r#"field="${from_user}-${to_user}" expression="^1004-(.*)$""#), &["yes(1009)"], true);
    check(&condition(r#"field="cost$" expression="(cost)""#), &["yes(cost)"], true);
    check(&condition(r#"field="missing" expression="^$""#), &["yes($1)"], true);
    check(&condition(r#"field="missing" expression="x""#), &["no($1)"], false);
    check(&condition(r#"field="to" expression="""#), &["yes($1)"], true);
    check(&condition(r#"field="to_user" expression="^(${to_user})$""#), &["yes(1009)"], true);
    check(&condition(r#"field="to_user" expression="(""#), &["no($1)"], false);
}

#[test]
fn a_condition_without_a_field_holds_and_matches_nothing() {
    check(&condition(""), &["yes($1)"], false);
    check(&condition(r#"year="2026""#), &["yes($1)"], false);
    check(&condition(r#"year="1999""#), &["no($1)"], false);
    check(&condition(r#"year="1999" field="to_user" expression="^(1009)$""#), &["yes(1009)"], true);
    check(&condition(r#"year="2026" field="to_user" expression="^(555)$""#), &["yes(-)"], false);
}

#[test]
fn breaks_leave_the_extension() {
    let two = |first: &str| {
        format!(
            "<extension name=\"e\"><condition field=\"to_user\" {first}><action application=\"a\"/>\
             <anti-action application=\"b\"/></condition>\
             <condition field=\"from_user\" expression=\"1004\"><action application=\"c\"/></condition></extension>"
        )
    };
    check(&two(r#"expression="1009""#), &["a(-)", "c(-)"], true);
    check(&two(r#"expression="555""#), &["b(-)"], false);
    check(&two(r#"expression="1009" break="on-true""#), &["a(-)"], true);
    check(&two(r#"expression="555" break="on-true""#), &["b(-)", "c(-)"], true);
    check(&two(r#"expression="1009" break="always""#), &["a(-)"], true);
    check(&two(r#"expression="555" break="NEVER""#), &["b(-)", "c(-)"], true);
}

#[test]
fn an_extension_ends_the_hunt_unless_it_continues() {
    let two = |first: &str| {
        format!(
            "<extension name=\"one\" {first}><condition field=\"to_user\" expression=\"1009\">\
             <action application=\"a\"/></condition></extension>\
             <extension><condition field=\"to_user\" expression=\"1009\"><action application=\"b\"/></condition></extension>"
        )
    };
    check(&two(""), &["a(-)"], true);
    check(&two("continue=\"false\""), &["a(-)"], true);
    check(&two("continue=\"true\""), &["a(-)", "b(-)"], true);
    let continues_to_the_end =
        two("continue=\"true\"").replace("<extension><", "<extension continue=\"yes\"><");
    check(&continues_to_the_end, &["a(-)", "b(-)"], false);
}

#[test]
fn captures_are_told_to_the_message() {
    let found = hunt(&condition(r#"field="to" expression="^(\d+)@([a-z]+)""#));
    assert_eq!(found.message.get("DP_MATCH"), Some("chat"));
    let found = hunt(&condition(r#"field="to" expression="1009""#));
    assert_eq!(found.message.get("DP_MATCH"), None);
}

#[test]
fn a_context_falls_back_to_global() {
    let extension = "<extension><condition><action application=\"x\" data=\"HERE\"/></condition></extension>";
    let context =
        |name: &str| format!("<context name=\"{name}\">{}</context>", extension.replace("HERE", name));
    let plan = plan(&format!("{}{}", context("sales"), context("global")));
    for (name, expect) in [("sales", "x(sales)"), ("SALES", "x(sales)"), ("other", "x(global)")] {
        let mut message = message();
        message.add("context", name);
        assert_eq!(hunt_in(&plan, message).actions(), [expect], "{name}");
    }
    assert_eq!(hunt_in(&plan, message()).actions(), ["x(global)"]);
}

#[test]
fn without_a_context_nothing_is_found() {
    let found = hunt_in(&plan("<context name=\"sales\"/>"), message());
    assert!(!found.hunted.found);
    assert_eq!(
        found.lines,
        [
            "[INFO] Processing text message 1004->1009 in context default",
            "[WARNING] Context default not found"
        ]
    );
}

#[test]
fn nested_conditions_end_the_hunt_in_freeswitch_words() {
    let found = hunt(
        "<extension name=\"e\"><condition field=\"to\"><condition field=\"to\"/></condition></extension>\
         <extension name=\"f\"><condition><action application=\"x\"/></condition></extension>",
    );
    assert!(!found.hunted.found && !found.hunted.matched);
    assert_eq!(found.lines.last().map(String::as_str), Some("[ERR] Nested conditions are not allowed!"));
}

#[test]
fn the_trace_is_in_freeswitch_words() {
    let found = hunt(
        "<extension><condition field=\"to_user\" expression=\"^(.*)$\" wday=\"1\" break=\"never\">\
         <action application=\"set\" data=\"x=$1\" inline=\"true\"/><action application=\"reply\" data=\"$1 ${x}\"/>\
         </condition><condition field=\"x\" expression=\"555\"><anti-action application=\"stop\"/></condition></extension>",
    );
    assert_eq!(
        found.lines,
        [
            "[INFO] Processing text message 1004->1009 in context default",
            "Chatplan: 1009 parsing [default->UNKNOWN] continue=false",
            "Chatplan: 1009@chat.test Date/Time Match (PASS) [_anon_] break=never",
            "Chatplan: 1009@chat.test Regex (PASS) [_anon_] to_user(1009) =~ /^(.*)$/ break=never",
            "Chatplan: 1009@chat.test Action set(x=1009) INLINE",
            "Chatplan: 1009@chat.test Action reply(1009 ${x}) ",
            "Chatplan: 1009@chat.test Regex (FAIL) [_anon_] x(1009) =~ /555/ break=on-false",
            "Chatplan: 1009@chat.test ANTI-Action stop() ",
        ]
    );
    assert_eq!(found.actions(), ["reply(1009 ${x})", "stop(-)"]);
    assert_eq!(found.asked, ["run set(x=1009)"]);
}
