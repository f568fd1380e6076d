//! Answers of the server's own apps.

mod fixture;

use fixture::Server;
use fixture::phone::{Phone, status};

/// The To that the test's own chat interface `echo` answers.
const ECHO: &str = "echo+bot+chat.test";

#[test]
fn a_reply_goes_to_each_binding_of_the_sender_once() {
    let server = Server::with("");
    let mut other = server.registered("1000");
    let mut sender = server.registered("1000");
    let answer = sender.message_while(ECHO, "ping", &mut [&mut other]);
    assert_eq!(status(&answer), 200);
    for phone in [&mut sender, &mut other] {
        assert!(phone.receive().ends_with(b"ping"));
        assert!(phone.is_quiet());
    }
}

#[test]
fn a_sender_without_a_binding_is_answered_where_it_came_from() {
    let server = Server::with("");
    for host in ["chat.test", "127.0.0.1"] {
        for mut sender in [server.phone("1000"), server.tcp_phone("1000")] {
            sender.from = format!("<sip:1000@{host}>");
            assert_eq!(status(&sender.message_while(ECHO, "ping", &mut [])), 200, "{host}");
            assert!(sender.receive().ends_with(b"ping"));
        }
    }
}

#[test]
fn a_sender_on_tcp_is_answered_on_its_connection() {
    let server = Server::with("");
    for registers in [true, false] {
        let mut sender = server.tcp_phone("1000");
        if registers {
            assert_eq!(status(&sender.register(600)), 200);
        }
        assert_eq!(status(&sender.message_while(ECHO, "over tcp", &mut [])), 200);
        assert!(sender.receive().ends_with(b"over tcp"));
        if registers {
            assert_eq!(status(&sender.register(0)), 200);
        }
    }
}

#[test]
fn a_reply_by_udp_does_not_go_down_the_connection_of_another_with_that_port() {
    let server = Server::with("");
    let free_for_udp = |phone: &Phone| std::net::UdpSocket::bind(phone.addr()).is_ok();
    let mut stranger = std::iter::repeat_with(|| server.tcp_phone("1001")).find(free_for_udp).unwrap();
    assert_eq!(status(&stranger.register(600)), 200);
    let mut sender = Phone::udp_at(stranger.addr(), "1000", server.addr());
    assert_eq!(status(&sender.message_while(ECHO, "by udp", &mut [])), 200);
    assert!(sender.receive().ends_with(b"by udp"));
    assert!(stranger.is_quiet());
}

#[test]
fn a_slow_app_pauses_its_own_message_alone() {
    let server = Server::with("");
    let mut stuck = server.phone("1001");
    let to = "sip:tar+x@chat.test";
    let challenge = stuck.transact(&stuck.request("MESSAGE", to, to, "", "x"));
    let credentials = stuck.credentials(&challenge, "MESSAGE", to).unwrap();
    let request = stuck.request("MESSAGE", to, to, &credentials, "x");
    stuck.send_raw(request.as_bytes());
    for _ in 0..8 {
        assert_eq!(status(&server.phone("1000").message("1002", "quick")), 202);
    }
}
