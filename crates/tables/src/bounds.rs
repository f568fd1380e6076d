//! How much may be kept. What goes beyond is refused with an error that says so; nothing kept is lost for it.

/// Octets of a realm and a key together.
pub const MAX_NAME: usize = 1_024;

/// Octets of a value.
pub const MAX_VALUE: usize = 65_536;

/// Entries of a [`HashTable`](crate::HashTable).
pub const MAX_ENTRIES: usize = 1_000_000;

/// Octets of a [`HashTable`](crate::HashTable)'s keys and values together.
pub const MAX_OCTETS: usize = 256 << 20;

/// Resources that [`Counters`](crate::Counters) count at a time.
pub const MAX_COUNTERS: usize = 100_000;

/// Octets of a [`Database`](crate::Database)'s file.
pub(crate) const MAX_FILE: i64 = 1 << 30;

/// Questions to a [`Database`](crate::Database) that wait for their turn.
pub(crate) const MAX_WAITING: usize = 1_024;

/// Rows that one answer of a [`Database`](crate::Database) has.
pub(crate) const MAX_ROWS: i64 = 10_000;
