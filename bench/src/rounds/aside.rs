//! What goes on beside a row.

use super::bench::Bench;
use crate::error::BenchError;
use crate::fleet;
use crate::listeners::Listeners;
use crate::row::{Beside, Row};
use crate::sleeper::{Sender, Sleeper};

/// A load beside the one that is measured.
pub enum Aside {
    Nothing,
    Sleeper(Sleeper),
    Listeners(Listeners),
}

impl Aside {
    pub fn begin(bench: &mut Bench<'_>, row: &Row) -> Result<Self, BenchError> {
        let server = bench.fleet.get(row.server)?;
        Ok(match row.beside {
            Beside::Nothing => Aside::Nothing,
            Beside::Listeners(count) => {
                let address = server.events.expect("the server of such a row has an event socket");
                Aside::Listeners(Listeners::start(address, count)?)
            }
            Beside::Sleeper => {
                let sender = match bench.sleeps.take() {
                    Some(sender) => sender,
                    None => Sender::register(server.address, fleet::beside(bench.options))?,
                };
                bench.run += 1;
                Aside::Sleeper(Sleeper::start(sender, bench.run, bench.options.size as usize))
            }
        })
    }

    /// Ends it; a line says what became of it, so that nobody takes a script that did not run for one that does no harm.
    pub fn end(self, bench: &mut Bench<'_>) -> Result<(), BenchError> {
        match self {
            Aside::Nothing => {}
            Aside::Listeners(listeners) => eprintln!("  the clients have heard {} events", listeners.end()?),
            Aside::Sleeper(sleeper) => {
                let (sender, counts) = sleeper.end()?;
                bench.sleeps = Some(sender);
                eprintln!(
                    "  the script that sleeps: {} sent, {} answered so far",
                    counts.sent, counts.answered
                );
            }
        }
        Ok(())
    }
}
