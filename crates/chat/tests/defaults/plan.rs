use crate::world::{World, every, message};

/// What goes out for a message from 1004 to 1009, and the sender's answer.
fn check(extensions: &str, sent: &[&str], code: u16) {
    let world = World::with(extensions);
    let verdict = world.route(message("1009"));
    assert_eq!(world.sip.sent(), sent, "{extensions}");
    assert_eq!(verdict.code, code, "{extensions}");
}

#[test]
fn what_no_extension_matches_goes_point_to_point() {
    check("", &["1009: hello"], 200);
    check(
        "<extension><condition field=\"to\" expression=\"555\"><action application=\"reply\"/></condition></extension>",
        &["1009: hello"],
        200,
    );
}

#[test]
fn an_extension_that_matches_takes_the_message() {
    check(
        &every("<action application=\"reply\" data=\"you said ${body}\"/>"),
        &["1004: you said hello"],
        200,
    );
    check(&every(""), &[], 200);
    check(&every("<action application=\"set\" data=\"x=1\"/>"), &[], 200);
    check(&every("<action application=\"stop\"/><action application=\"reply\" data=\"x\"/>"), &[], 200);
}

#[test]
fn one_that_continues_takes_it_only_by_an_app_that_takes() {
    let continues = |actions: &str| every(actions).replace("name=\"e\"", "name=\"e\" continue=\"true\"");
    check(&continues("<action application=\"set\" data=\"x=1\"/>"), &["1009: hello"], 200);
    check(&continues("<action application=\"unset\" data=\"x\"/>"), &["1009: hello"], 200);
    check(&continues("<action application=\"info\"/>"), &["1009: hello"], 200);
    check(&continues("<action application=\"reply\" data=\"r\"/>"), &["1004: r"], 200);
    check(&continues("<action application=\"reply\" data=\"r\" inline=\"true\"/>"), &["1004: r"], 200);
    check(&continues("<action application=\"send\"/>"), &["1009: hello"], 200);
    check(&continues("<action application=\"fire\"/>"), &[], 200);
    check(&continues("<action application=\"final\"/>"), &[], 200);
}

#[test]
fn an_anti_action_takes_it_only_by_an_app_that_takes() {
    let fails = |anti: &str| {
        format!(
            "<extension><condition field=\"to\" expression=\"555\"><anti-action {anti}/></condition></extension>"
        )
    };
    check(&fails("application=\"set\" data=\"x=1\""), &["1009: hello"], 200);
    check(&fails("application=\"reply\" data=\"no\""), &["1004: no"], 200);
}

#[test]
fn send_delivers_one_copy_as_the_message_is_by_then() {
    check(
        &every("<action application=\"set\" data=\"to=1010@chat.test\"/><action application=\"send\"/>"),
        &["1010: hello"],
        200,
    );
    check(
        &every("<action application=\"send\" data=\"SIP\"/><action application=\"reply\" data=\"sent\"/>"),
        &["1009: hello", "1004: sent"],
        200,
    );
}

#[test]
fn what_send_comes_to_is_the_senders_answer() {
    check(
        &every("<action application=\"set\" data=\"to=busy@chat.test\"/><action application=\"send\"/>"),
        &["busy: hello"],
        486,
    );
    check(
        &every(
            "<action application=\"set\" data=\"to=busy@chat.test\"/><action application=\"send\"/>\
             <action application=\"set\" data=\"to=1010@chat.test\"/><action application=\"send\"/>",
        ),
        &["busy: hello", "1010: hello"],
        200,
    );
}

#[test]
fn without_mod_sms_messages_go_point_to_point() {
    let world = World::without_plan();
    assert_eq!(world.route(message("1009")).code, 200);
    assert_eq!(world.sip.sent(), ["1009: hello"]);
    assert_eq!(world.router.interfaces().len(), 1);
}

#[test]
fn replies_do_not_enter_the_chatplan() {
    for (name, value) in [("replying", "true"), ("skip_global_process", "true"), ("proto", "GLOBAL_SMS")] {
        let world = World::with(&every("<action application=\"reply\" data=\"r\"/>"));
        let mut reply = message("1009");
        reply.add(name, value);
        world.route(reply);
        assert_eq!(world.sip.sent(), ["1009: hello"], "{name}");
    }
}

#[test]
fn a_body_alias_gives_way_to_a_header() {
    check(
        &every(
            "<action application=\"set\" data=\"body=mine\"/><action application=\"reply\" data=\"${body} ${_body}\"/>",
        ),
        &["1004: mine hello"],
        200,
    );
}
