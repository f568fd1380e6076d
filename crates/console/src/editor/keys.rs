//! The function keys, each with a command of the profile's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use rustyline::history::History;
use rustyline::{
    Cmd, ConditionalEventHandler, Editor, Event, EventContext, EventHandler, Helper, KeyCode, KeyEvent,
    Modifiers, RepeatCount,
};

use crate::profile::{FUNCTION_KEYS, Profile};

/// What the keys say, and which one was pressed.
pub(super) struct Keys {
    commands: [String; FUNCTION_KEYS],
    toggles: [Option<String>; FUNCTION_KEYS],
    /// A bit a key: whether its toggle comes next.
    toggled: AtomicU32,
    /// The key that ended the line, from 1; 0 when none did.
    pressed: AtomicUsize,
}

/// One key's.
struct Key {
    number: usize,
    keys: Arc<Keys>,
}

/// Lets the keys end the line that is being typed.
pub(super) fn bind<H: Helper, I: History>(editor: &mut Editor<H, I>, keys: &Arc<Keys>) {
    for (number, code) in (1..=FUNCTION_KEYS).zip(1_u8..) {
        let key = Key { number, keys: Arc::clone(keys) };
        let handler = EventHandler::Conditional(Box::new(key));
        editor.bind_sequence(KeyEvent(KeyCode::F(code), Modifiers::NONE), handler);
    }
}

impl Keys {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            commands: profile.keys.clone(),
            toggles: profile.toggles.clone(),
            toggled: AtomicU32::new(0),
            pressed: AtomicUsize::new(0),
        }
    }

    /// The command of the key that ended the line, if one did. FreeSWITCH fs_cli.c console_fnkey_pressed.
    pub(super) fn pressed(&self) -> Option<String> {
        let index = self.pressed.swap(0, Ordering::Relaxed).checked_sub(1)?;
        let Some(toggle) = &self.toggles[index] else { return Some(self.commands[index].clone()) };
        let bit = 1 << index;
        let before = self.toggled.fetch_xor(bit, Ordering::Relaxed);
        Some(if before & bit == 0 { self.commands[index].clone() } else { toggle.clone() })
    }
}

impl ConditionalEventHandler for Key {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        self.keys.pressed.store(self.number, Ordering::Relaxed);
        Some(Cmd::AcceptLine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_its_command_and_its_toggle() {
        let mut profile = Profile::default();
        profile.toggles[1] = Some("/nolog".into());
        let keys = Keys::new(&profile);
        let press = |number| {
            keys.pressed.store(number, Ordering::Relaxed);
            keys.pressed()
        };
        assert_eq!(keys.pressed(), None);
        assert_eq!(press(1).as_deref(), Some("help"));
        assert_eq!([press(2), press(2), press(2)].map(Option::unwrap), ["status", "/nolog", "status"]);
        assert_eq!(keys.pressed(), None);
    }
}
