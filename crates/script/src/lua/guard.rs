//! The time that a script may take.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use mlua::{Error, HookTriggers, Lua, Result, VmState, WeakLua};

use crate::World;

/// Lua's instructions between two looks at the clock.
const LOOK: u32 = 10_000;

/// Ends scripts that take too long.
///
/// The hook raises an error once the time is over. A script could catch it, so from then on each instruction raises one,
/// until nothing of the script is left to catch them.
#[derive(Clone)]
pub(super) struct Guard(Rc<Inner>);

struct Inner {
    lua: WeakLua,
    world: Arc<World>,
    until: Cell<Option<Instant>>,
    /// The time was over, and each instruction is stopped.
    over: Cell<bool>,
}

impl Guard {
    /// Watches over all that runs in this state from here on.
    pub(super) fn install(lua: &Lua, world: Arc<World>) -> Result<Self> {
        let guard =
            Self(Rc::new(Inner { lua: lua.weak(), world, until: Cell::new(None), over: Cell::new(false) }));
        guard.arm(lua, LOOK)?;
        Ok(guard)
    }

    /// A run begins.
    pub(super) fn begin(&self, until: Option<Instant>) {
        self.0.until.set(until);
        self.0.over.set(false);
    }

    /// Whether the script was stopped.
    pub(super) fn is_over(&self) -> bool {
        self.0.over.get()
    }

    /// An error when the time is over; from then on each instruction raises one.
    pub(super) fn look(&self) -> Result<()> {
        let late = || self.0.until.get().is_some_and(|until| Instant::now() >= until);
        if !self.0.over.get() && !late() && !self.0.world.is_stopping() {
            return Ok(());
        }
        if !self.0.over.replace(true)
            && let Some(lua) = self.0.lua.try_upgrade()
        {
            self.arm(&lua, 1)?;
        }
        Err(Error::runtime("the script took too long"))
    }

    fn arm(&self, lua: &Lua, every: u32) -> Result<()> {
        let guard = self.clone();
        lua.set_global_hook(HookTriggers::new().every_nth_instruction(every), move |lua, _| {
            let looked = guard.look();
            if looked.is_err() && every != 1 {
                // Another coroutine may have been the first.
                guard.arm(lua, 1)?;
            }
            looked.map(|()| VmState::Continue)
        })
    }
}
