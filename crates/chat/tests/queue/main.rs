//! Messages that can't be delivered at once, on virtual time.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod bounds;
mod copies;
mod offline;
mod receipts;
mod slow_apps;
mod times;
mod trouble;
mod world;
