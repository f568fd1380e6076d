use crate::world::{World, every, message};

#[test]
fn a_message_brings_about_a_bounded_number_of_messages() {
    let world = World::with(&every("<action application=\"reply\" data=\"r\" loop=\"900\"/>"));
    assert_eq!(world.route(message("1009")).code, 500);
    assert_eq!(world.sip.sent().len(), 100);
}

#[test]
fn a_header_that_doubles_itself_is_cut() {
    let world = World::with(&every(
        "<action application=\"set\" data=\"x=a${x}${x}\" loop=\"60\"/>\
         <action application=\"reply\" data=\"${x}\"/>",
    ));
    assert_eq!(world.route(message("1009")).code, 200);
    let sent = world.sip.sent();
    assert!(sent[0].len() > 100_000 && sent[0].len() < 300_000, "{}", sent[0].len());
}

#[test]
fn an_expression_that_explodes_is_cut() {
    let world = World::with(
        "<extension><condition field=\"_body\" expression=\"^(a+)+$\"><action application=\"stop\"/></condition></extension>",
    );
    let mut bomb = message("1009");
    bomb.set_body(Some(format!("{}b", "a".repeat(60_000)).into()));
    assert_eq!(world.route(bomb).code, 200);
    assert_eq!(world.sip.sent().len(), 1);
}

#[test]
fn replies_to_those_who_never_answer_are_bounded() {
    let world = World::with(&every("<action application=\"reply\" data=\"r\" loop=\"90\"/>")).watched();
    for _ in 0..200 {
        let mut slow_sender = message("1009");
        slow_sender.add("from", "slow@chat.test");
        assert_eq!(world.route(slow_sender).code, 200);
    }
    assert_eq!(world.sip.sent().len(), 16_384);
    let refused = world.events.reports().iter().filter(|report| **report == "Failure 503 -").count();
    assert_eq!(refused, 200 * 90 - 16_384);
}
