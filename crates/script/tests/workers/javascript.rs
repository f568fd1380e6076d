//! JavaScript scripts.
