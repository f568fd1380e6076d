//! Ordered headers and a body; their plain, JSON and XML forms; expansion; the bus.
