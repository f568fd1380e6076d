//! Requests with a Route: the first value leads here, the next one on.

mod fixture;

use chappe_sip_msg::HeaderName;
use fixture::phone::status;
use fixture::upstream::Upstream;
use fixture::{Server, param};

#[test]
fn a_route_behind_us_is_followed_for_those_whom_we_know() {
    let next = Upstream::new();
    let server = Server::with("").accept_after(4000);
    let mut phone = server.phone("1000");
    let to = "sip:bob@elsewhere.test";
    let behind = format!("<sip:{};lr>", next.addr());
    let route = format!("Route: <sip:{};lr>, {behind}\r\nRoute: <sip:last.test;lr>\r\n", server.addr());
    let first = phone.transact(&phone.request("MESSAGE", to, to, &route, "x"));
    let credentials = phone.credentials(&first, "MESSAGE", to).unwrap();
    let request = phone.request("MESSAGE", to, to, &format!("{route}{credentials}"), "x");
    phone.send_raw(request.as_bytes());
    let asked = next.receive();
    assert_eq!(asked.line(), "MESSAGE sip:bob@elsewhere.test SIP/2.0");
    let message = fixture::phone::parsed(&asked.bytes);
    let values: Vec<_> = message.values(HeaderName::Route).map(|v| String::from_utf8_lossy(v)).collect();
    assert_eq!(values, [behind.as_str(), "<sip:last.test;lr>"]);
    next.answer(&asked, 200, &[]);
    assert_eq!(status(&phone.response_to(&request)), 200);
}

#[test]
fn a_route_changes_nothing_for_users_of_ours_and_helps_no_stranger() {
    let next = Upstream::new();
    let server = Server::with(&param("auth-messages", "false"));
    let mut callee = server.registered("1001");
    let mut phone = server.phone("1000");
    let route = format!("Route: <sip:{};lr>, <sip:{};lr>\r\n", server.addr(), next.addr());
    let to = "sip:1001@chat.test";
    let request = phone.request("MESSAGE", to, to, &route, "x");
    phone.send_raw(request.as_bytes());
    assert!(callee.receive().ends_with(b"x"));
    assert_eq!(status(&phone.response_to(&request)), 200);
    let to = "sip:bob@elsewhere.test";
    assert_eq!(status(&phone.transact(&phone.request("MESSAGE", to, to, &route, "x"))), 403);
    assert!(next.try_receive(std::time::Duration::from_millis(100)).is_none());
}
