//! The API command trait and registry.
