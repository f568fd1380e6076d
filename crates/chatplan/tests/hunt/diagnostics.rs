use chappe_chatplan::Plan;

use crate::driver::document;

fn check(contexts: &str, expect: &[&str]) {
    let (plan, diagnostics) = Plan::parse(&document(contexts), "chatplan.xml");
    assert!(plan.is_some(), "{contexts}");
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    let seen: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(seen, expect, "{contexts}");
}

fn extension(inner: &str) -> String {
    format!("<context name=\"default\"><extension name=\"e\">\n{inner}\n</extension></context>")
}

#[test]
fn a_plan_that_is_right_has_none() {
    check(
        &extension(
            "<condition field=\"to\" expression=\"^(.*)$\" wday=\"mon-fri\" break=\"never\">\
             <action application=\"reply\" data=\"x\" inline=\"true\" loop=\"2\"/><anti-action application=\"stop\"/>\
             </condition><condition field=\"to\"><expression>x</expression></condition>",
        ),
        &[],
    );
}

#[test]
fn what_has_no_effect_is_said_with_what_was_meant() {
    check(
        &extension("<condition field=\"to\" expresion=\"x\"/>"),
        &["chatplan.xml:2: warning: <condition> has no attribute expresion; write expression instead"],
    );
    check(
        &extension("<conditon/>"),
        &["chatplan.xml:2: warning: <conditon> in <extension> is not read; write <condition> instead"],
    );
    check(
        &extension("<condition><action applicaton=\"x\" whatever=\"y\"/></condition>"),
        &[
            "chatplan.xml:2: warning: <action> has no attribute applicaton; write application instead",
            "chatplan.xml:2: warning: <action> has no attribute whatever",
        ],
    );
    check(
        &extension("<condition break=\"on-flase\"/>"),
        &[
            "chatplan.xml:2: warning: break=\"on-flase\" counts as on-false; write on-true, on-false, always or never instead",
        ],
    );
    check(
        "<context name=\"a\"/>\n<context name=\"A\"/>",
        &["chatplan.xml:2: warning: context A is there already, and this one is never looked at"],
    );
}

#[test]
fn a_bad_expression_is_said_with_its_place() {
    let (_, diagnostics) =
        Plan::parse(&document(&extension("<condition field=\"to\" expression=\"a(b\"/>")), "chatplan.xml");
    let text = diagnostics.to_string();
    assert!(
        text.starts_with("chatplan.xml:2: warning: the expression a(b does not compile at character 3"),
        "{text}"
    );
    assert!(text.trim_end().ends_with("it matches nothing"), "{text}");
}

#[test]
fn the_apps_are_listed_with_their_places() {
    let (plan, _) = Plan::parse(
        &document(&extension(
            "<condition><action application=\"a\"/>\n<anti-action application=\"b\"/></condition>",
        )),
        "chatplan.xml",
    );
    let plan = plan.expect("it can be read");
    let apps: Vec<_> = plan.apps().map(|(app, at)| format!("{app} {at}")).collect();
    assert_eq!(apps, ["a chatplan.xml:2", "b chatplan.xml:3"]);
}
