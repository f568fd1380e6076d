//! Configuring anew, commands, and the end.

mod fixture;

use std::time::Duration;

use fixture::phone::status;
use fixture::{Server, param, profile};

fn internal(params: &str) -> String {
    profile("internal", &(params.to_owned() + &param("sip-ip", "127.0.0.1")))
}

#[test]
fn unchanged_profiles_keep_sockets_and_bindings() {
    let server = Server::profiles(&internal(""));
    let addr = server.addr();
    let mut callee = server.registered("1001");
    let applied = server.configure(&internal(""));
    assert_eq!(applied.unchanged, ["internal"]);
    let applied = server.configure(&internal(&param("messages-respond-200-ok", "true")));
    assert_eq!(applied.changed, ["internal"]);
    assert_eq!(server.addr(), addr);
    assert_eq!(status(&server.phone("1000").message("1002", "x")), 200);
    let applied = server.configure(&internal(&param("shards", "1")));
    assert_eq!(applied.restarted, ["internal"], "{:?}", applied.failed);
    let answer = server.phone("1000").message_while("1001", "still there", &mut [&mut callee]);
    assert_eq!(status(&answer), 200);
    let applied = server.configure("");
    assert_eq!(applied.stopped, ["internal"]);
    assert!(server.endpoint.listening().is_empty());
}

#[test]
fn a_profile_that_can_not_listen_leaves_the_others_alone() {
    let server = Server::profiles(&internal(""));
    let taken = server.addr().port().to_string();
    let second = profile("second", &(param("sip-ip", "127.0.0.1") + &param("sip-port", &taken)));
    let third = profile("third", &param("sip-ip", "127.0.0.1"));
    let applied = server.configure(&(internal("") + &second + &third));
    assert_eq!((applied.unchanged, applied.started), (vec!["internal".to_owned()], vec!["third".to_owned()]));
    let error = applied.failed[0].to_string();
    assert!(error.contains(&format!("second can't listen on udp 127.0.0.1:{taken}")), "{error}");
    assert_eq!(status(&server.phone("1000").register(60)), 200);
}

#[test]
fn the_commands_show_and_change_the_profiles() {
    let server = Server::profiles(&internal(""));
    let phone = server.registered("1001");
    let contact = format!("sofia/internal/{}", phone.contact());
    for command in
        ["sofia_contact internal/1001@chat.test", "sofia_contact */1001@chat.test", "sofia_contact 1001"]
    {
        assert_eq!(server.api(command), contact, "{command}");
    }
    assert_eq!(server.api("sofia_contact internal/1002@chat.test"), "error/user_not_registered");
    assert_eq!(server.api("sofia_count_reg internal/1001@chat.test"), "1");
    let status_text = server.api("sofia status");
    assert!(status_text.contains("internal\tprofile\t"), "{status_text}");
    assert!(status_text.ends_with("1 profile 2 aliases\n"), "{status_text}");
    let bindings = server.api("sofia status profile internal reg");
    assert!(bindings.contains("User:       \t1001@chat.test\n"), "{bindings}");
    assert!(bindings.contains("Total items returned: 1\n"), "{bindings}");
    assert!(
        server
            .api("sofia xmlstatus")
            .contains("<profile>\n<name>internal</name>\n<type>profile</type>\n<data>sip:mod_sofia@")
    );
    let xml = server.api("sofia xmlstatus profile internal reg");
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<profile>\n  <registrations>\n    <registration>\n        <call-id>"), "{xml}");
    assert!(xml.contains("        <user>1001@chat.test</user>\n        <contact>&lt;sip:1001@"), "{xml}");
    assert!(xml.ends_with("    </registration>\n  </registrations>\n</profile>\n"), "{xml}");
    assert!(
        server
            .api("sofia xmlstatus profile internal reg nowhere")
            .contains("<registrations>\n  </registrations>")
    );
    assert!(server.api("sofia xmlstatus profile internal").contains("    <name>internal</name>\n"));
    assert_eq!(server.api("sofia xmlstatus profile nope"), "Invalid Profile!\n");
    let dug = server.api("sofia_dig sip:127.0.0.1;transport=tcp");
    assert!(dug.ends_with("\n         1\t     1.000\t       tcp\t      5060\t 127.0.0.1\n"), "{dug}");
    assert!(
        server
            .api("sofia_dig xml sip:[::1]:5070")
            .contains("  <port>5070</port>\n  <address>::1</address>\n")
    );
    assert_eq!(server.api("sofia_dig sip:"), "-ERR sip: is no SIP URI\n");
    assert_eq!(server.api("sofia_dig"), "-USAGE: [xml] <url>\n");
    assert!(server.api("sofia status profile nope").contains("Invalid Profile!"));
    let flushed = server.api("sofia profile internal flush_inbound_reg 1001@chat.test");
    assert!(flushed.starts_with("+OK"), "{flushed}");
    assert_eq!(server.endpoint.registrations().len(), 0);
    assert_eq!(server.api("sofia profile internal restart"), "Reload XML [Success]\nrestarting: internal");
    assert_eq!(status(&server.phone("1000").register(60)), 200);
    server.api("sofia profile internal stop");
    assert!(server.endpoint.listening().is_empty());
    let started = server.api("sofia profile internal start");
    assert!(started.ends_with("internal started successfully\n"), "{started}");
    assert_eq!(status(&server.phone("1000").register(60)), 200);
}

#[test]
fn drain_finishes_what_is_under_way() {
    let server = Server::profiles(&internal(""));
    let mut callee = server.registered("1001");
    callee.answers = None;
    let mut caller = server.phone("1000");
    let request = caller.signed_message("1001", "x");
    caller.send_raw(request.as_bytes());
    callee.receive();
    let endpoint = server.endpoint.clone();
    let drained = server.runtime.spawn(async move { endpoint.drain(Duration::from_secs(20)).await });
    callee.answers = Some(200);
    callee.receive();
    assert_eq!(status(&caller.response_to(&request)), 200);
    server.runtime.block_on(drained).unwrap();
    assert!(server.endpoint.listening().is_empty());
}
