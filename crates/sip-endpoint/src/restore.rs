//! A profile's bindings of an earlier run, read from the store when it starts.
//!
//! The reading is a thread of its own, for which the start waits a moment: nearly always everything is there before the
//! first datagram is looked at. A store that takes longer holds up nobody: the profile listens, those who are not back yet
//! count as not registered, and the queue is told of everybody in the end. What REGISTERs say in the meantime counts, and
//! what they have decided is not put back. Nobody is told of a registration that is put back: it is none that happens.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use chappe_store::KeptBinding;

use crate::kept::{self, Moment, Unreadable};
use crate::push::masked;
use crate::registrar::Registrar;
use crate::world::World;

/// How long a start waits: RFC 3261 §17.1.1.1's T1, after which those whose request waits send it once more.
const PATIENCE: Duration = Duration::from_millis(500);
/// Pieces of what is kept that are read ahead.
const PIECES: usize = 4;
/// So many rows that can't be read are told of one by one.
const TOLD: usize = 10;

/// Begins to read and returns when everything is there, or after [`PATIENCE`].
pub fn start(registrar: &Arc<Registrar>, world: &Arc<World>) -> io::Result<()> {
    let keeper = registrar.keeper();
    let name = keeper.profile.clone();
    let profile = name.clone();
    let now = keeper.now();
    let (piece, pieces) = mpsc::sync_channel(PIECES);
    let reading = keeper.read(now, Box::new(move |rows| piece.send(rows).is_ok()));
    registrar.begin_restore();
    let (ended, end) = mpsc::channel::<()>();
    let (registrar, world) = (Arc::downgrade(registrar), world.clone());
    thread::Builder::new().name(format!("{profile}/restore")).spawn(move || {
        let reading = world.deps.runtime.spawn(reading);
        put_back(&registrar, pieces, now);
        if let Ok(Err(error)) = world.deps.runtime.block_on(reading) {
            tracing::error!("the registrations of profile {profile} can't be read: {error}");
        }
        if let Some(registrar) = registrar.upgrade() {
            registrar.end_restore(&world);
        }
        drop(ended);
    })?;
    if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        tracing::info!("profile {name} listens while registrations of an earlier run are still being read");
    }
    Ok(())
}

fn put_back(registrar: &Weak<Registrar>, pieces: Receiver<Vec<KeptBinding>>, now: Moment) {
    let (mut restored, mut unreadable) = (0_usize, 0_usize);
    for mut rows in pieces {
        // The profile may be gone before all is read.
        let Some(registrar) = registrar.upgrade() else { return };
        // A user's rows are neighbours. What runs out last was most likely refreshed last.
        rows.chunk_by_mut(|one, next| one.aor == next.aor)
            .filter(|of_user| of_user.len() > 1)
            .for_each(|of_user| of_user.sort_by_key(|row| row.expires));
        for row in rows {
            match kept::binding(&row, now) {
                Ok((aor, binding)) => restored += usize::from(registrar.restore(now.instant, &aor, binding)),
                Err(why) => {
                    unreadable += 1;
                    if unreadable <= TOLD {
                        tell(&row, why);
                    }
                }
            }
        }
    }
    if let Some(registrar) = registrar.upgrade().filter(|_| restored + unreadable > 0) {
        let profile = &registrar.keeper().profile;
        tracing::info!(
            "profile {profile} has {restored} registrations of an earlier run; {unreadable} can't be read"
        );
    }
}

fn tell(row: &KeptBinding, why: Unreadable) {
    let (aor, contact, profile) = (&*row.aor, masked(&row.contact), &*row.profile);
    tracing::error!("a registration of {aor:?} at {contact:?} in profile {profile} is left out: {why}");
}
