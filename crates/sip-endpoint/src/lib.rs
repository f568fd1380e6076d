//! Profiles: sockets, registrar, authentication, SIP to Event and back.
