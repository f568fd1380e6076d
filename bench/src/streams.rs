//! A load over connections: each client has one, registers over it, sends or receives over it.

mod connection;
mod epoll;
mod websocket;

use std::net::SocketAddrV4;
use std::time::Duration;

pub use self::connection::Connection;
use self::epoll::Epoll;
use crate::error::BenchError;
use crate::register::register_over;
use crate::transport::{Here, Transport};
use crate::wire::{Take, Wire};

/// Octets a read.
const READ: usize = 64 * 1024;
/// While the system takes no more of what is to go out, it is asked again this soon.
const BLOCKED: Duration = Duration::from_millis(1);

/// The senders' connections, and as many receivers'.
pub struct Streams {
    connections: Vec<Connection>,
    epoll: Epoll,
    /// Those that have something to send.
    waiting: Vec<usize>,
    buffer: Vec<u8>,
    /// A message before it is framed.
    message: Vec<u8>,
}

impl Streams {
    /// Connects and registers these users, the senders first.
    pub fn open(transport: Transport, server: SocketAddrV4, users: &[String]) -> Result<Self, BenchError> {
        let epoll = Epoll::new().map_err(BenchError::system("make an epoll"))?;
        let mut connections = Vec::new();
        for (place, user) in users.iter().enumerate() {
            let mut connection = Connection::open(transport, server)?;
            register_over(&mut connection, user)?;
            connection.begin()?;
            epoll.add(&connection, place).map_err(BenchError::system("watch a connection"))?;
            connections.push(connection);
        }
        Ok(Self { connections, epoll, waiting: Vec::new(), buffer: vec![0; READ], message: Vec::new() })
    }

    /// Where the sender at this place is.
    pub fn here(&self, place: usize) -> Here {
        self.connections[place % (self.connections.len() / 2)].here
    }

    fn flush(&mut self) -> Result<(), BenchError> {
        let connections = &mut self.connections;
        let mut outcome = Ok(());
        self.waiting.retain(|&place| match connections[place].flush() {
            Ok(is_all) => !is_all,
            Err(error) => {
                outcome = Err(error);
                false
            }
        });
        outcome
    }
}

impl Wire for Streams {
    fn sends_again(&self) -> bool {
        false
    }

    fn send(&mut self, place: usize, write: &mut dyn FnMut(&mut Vec<u8>)) {
        let place = place % (self.connections.len() / 2);
        self.message.clear();
        write(&mut self.message);
        if self.connections[place].queue(&self.message) {
            self.waiting.push(place);
        }
    }

    fn exchange(&mut self, take: Take<'_>) -> Result<usize, BenchError> {
        self.flush()?;
        let mut came = 0;
        for &place in
            self.epoll.ready().map_err(BenchError::system("ask which connections have something"))?
        {
            let connection = &mut self.connections[place];
            let was_waiting = connection.is_waiting();
            came += connection.receive(&mut self.buffer, &mut self.message, &mut *take)?;
            if connection.is_waiting() && !was_waiting {
                self.waiting.push(place);
            }
        }
        self.flush()?;
        Ok(came)
    }

    fn wait(&mut self, at_most: Duration) -> Result<(), BenchError> {
        let at_most = if self.waiting.is_empty() { at_most } else { at_most.min(BLOCKED) };
        self.epoll.wait(at_most).map_err(BenchError::system("wait for connections"))
    }
}
