//! The event socket: protocol, listener and client.
