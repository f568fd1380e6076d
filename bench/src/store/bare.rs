//! The least that keeping messages costs: appending them to a file, and syncing it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::error::BenchError;

use super::message;

/// Messages a second, so many a sync.
pub fn rate(path: &Path, messages: u32, batch: u32) -> Result<f64, BenchError> {
    let mut file = File::create(path).map_err(BenchError::system("make a file"))?;
    let row = message::octets(&message::kept(0));
    let started = Instant::now();
    let mut left = messages;
    while left > 0 {
        let now = left.min(batch.max(1));
        let octets = row.repeat(now as usize);
        let written = file.write_all(&octets).and_then(|()| file.sync_data());
        written.map_err(BenchError::system("write a file"))?;
        left -= now;
    }
    Ok(f64::from(messages) / started.elapsed().as_secs_f64())
}
