//! TCP connections that the server makes, and those that go.

mod fixture;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use chappe_sip_msg::ResponseWriter;
use fixture::Server;
use fixture::phone::{parsed, status};

#[test]
fn a_contact_on_tcp_is_connected_to_and_the_connection_used_again() {
    let server = Server::with("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let contact = format!("sip:1001@{};transport=tcp", listener.local_addr().unwrap());
    let mut phone = server.phone("1001");
    assert_eq!(status(&phone.register_contacts(&format!("Contact: <{contact}>\r\n"))), 200);
    let device = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for _ in 0..2 {
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).unwrap();
            let mut answer = Vec::new();
            ResponseWriter::to(&parsed(&request[..length]), None, 200, "", "d", &mut answer).finish();
            stream.write_all(&answer).unwrap();
        }
    });
    for _ in 0..2 {
        assert_eq!(status(&server.phone("1000").message("1001", "by tcp")), 200);
    }
    device.join().unwrap();
}

#[test]
fn a_device_that_refuses_connections_gave_no_answer() {
    let server = Server::with("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let contact = format!("sip:1001@{};transport=tcp", listener.local_addr().unwrap());
    drop(listener);
    let mut phone = server.phone("1001");
    assert_eq!(status(&phone.register_contacts(&format!("Contact: <{contact}>\r\n"))), 200);
    assert_eq!(status(&server.phone("1000").message("1001", "x")), 202);
}

#[test]
fn a_device_whose_connection_went_is_not_waited_for() {
    let server = Server::with("");
    let mut device = server.tcp_phone("1001");
    assert_eq!(status(&device.register(600)), 200);
    drop(device);
    // The contact's port takes no connections.
    assert_eq!(status(&server.phone("1000").message("1001", "x")), 202);
}
