//! A virtual clock and a seeded lossy network, for tests.
