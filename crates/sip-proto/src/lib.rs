//! Transactions, digest and registrar bindings, without I/O.
