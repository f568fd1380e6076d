use chappe_chatplan::limits::{MAX_ACTIONS, MAX_EXPANDED, MAX_LOOP};

use crate::driver::hunt;

#[test]
fn a_loop_counts_to_its_limit() {
    for (times, expect) in [("0", 0), ("-3", 0), ("3", 3), ("4000000000", MAX_LOOP as usize), ("x", 0)] {
        let found = hunt(&format!(
            "<extension><condition><action application=\"x\" loop=\"{times}\"/></condition></extension>"
        ));
        assert_eq!(found.hunted.actions.len(), expect, "{times}");
        assert!(found.hunted.found);
    }
}

#[test]
fn a_message_brings_about_a_bounded_number_of_actions() {
    let extension = "<extension><condition><action application=\"x\" loop=\"600\"/></condition></extension>";
    let found = hunt(&extension.repeat(3));
    assert!(found.hunted.cut);
    assert_eq!(found.hunted.actions.len(), MAX_ACTIONS);
}

#[test]
fn an_expanded_text_is_cut() {
    let doubling = "<extension continue=\"true\"><condition field=\"${x}${x}${x}${x}\" expression=\"^(.*)$\">\
                    <action application=\"set\" data=\"x=a$1$1\" inline=\"true\"/></condition></extension>";
    let found = hunt(&doubling.repeat(12));
    let grown = found.message.get("x").expect("it was set").len();
    assert!(grown > MAX_EXPANDED / 8 && grown <= 4 * MAX_EXPANDED, "{grown}");
}
