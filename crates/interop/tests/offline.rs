//! Messages to users who are not there: accepted with 202, kept through restarts, delivered when a device comes, reported.

mod offline {
    mod bad_luck;
    mod clients;
    mod deferred;
    mod devices;
    mod kept;
    mod reports;
}

use chappe_interop::{Agent, EventSocket, Folder, Heard, Server};

/// A server on `folder` that tries again every second.
fn server(folder: Folder, sms: &[(&str, &str)]) -> Server {
    folder.sms(&[&[("retry-intervals", "1")], sms].concat());
    Server::start(folder)
}

fn registered(server: &Server, user: &str) -> Agent {
    let mut agent = Agent::udp(server.sip(), user);
    assert_eq!(agent.register(), 200);
    agent
}

/// Hears what becomes of messages.
fn reports(server: &Server) -> EventSocket {
    let mut socket = EventSocket::connect(server.folder.event_port);
    socket.subscribe("CUSTOM SMS::DELIVERY_REPORT");
    socket
}

/// The next report on a message to `user`.
fn report(socket: &mut EventSocket, user: &str) -> Heard {
    socket.hear_where(|event| event.header("to").starts_with(&format!("{user}@")))
}
