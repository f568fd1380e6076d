//! Hosts that are ours, and hosts that are not.

mod fixture;

use fixture::phone::status;
use fixture::{Server, param};

#[test]
fn every_name_of_ours_leads_to_the_same_users() {
    let domain =
        param("force-register-domain", "chat.test") + &param("force-register-db-domain", "chat.test");
    let server = Server::with(&domain);
    let mut callee = server.registered("1001");
    for host in ["chat.test", "CHAT.test", "127.0.0.1", &server.addr().to_string()] {
        let to = format!("sip:%31001@{host}");
        let mut caller = server.phone("1000");
        let challenge = caller.transact(&caller.request("MESSAGE", &to, &to, "", "x"));
        let credentials = caller.credentials(&challenge, "MESSAGE", &to).unwrap_or_default();
        let request = caller.request("MESSAGE", &to, &to, &credentials, "x");
        caller.send_raw(request.as_bytes());
        callee.receive();
        assert_eq!(status(&caller.response_to(&request)), 200, "{host}");
    }
}

#[test]
fn a_local_user_is_not_found_under_a_foreign_host() {
    let server = Server::with(&param("force-register-db-domain", "chat.test"));
    let mut callee = server.registered("1001");
    let to = "sip:1001@192.0.2.1";
    let mut caller = server.phone("1000");
    // A socket of the loopback can't reach that network.
    assert_eq!(status(&caller.authenticated("MESSAGE", to, to, "", "x")), 202);
    assert!(callee.is_quiet());
}
