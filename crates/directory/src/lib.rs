//! Domains, groups and users.
