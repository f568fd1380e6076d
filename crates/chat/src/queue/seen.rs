//! What senders have sent lately and may send again: by the names they gave it themselves, and what was sent just before
//! the start.

use std::collections::{HashMap, VecDeque};

use chappe_store::Micros;

/// Names remembered; of more, the oldest go.
const MAX: usize = 100_000;

/// Messages whose sender gave them a Message-ID.
#[derive(Default)]
pub(super) struct Seen {
    names: HashMap<Box<str>, Before>,
    order: VecDeque<(Micros, Box<str>)>,
}

/// What is known of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Before {
    /// Nothing, or it was refused.
    Never,
    /// It is under way.
    UnderWay,
    /// Its sender had a 2xx.
    Taken,
}

impl Seen {
    pub fn look(&mut self, name: &str, now: Micros, window: Micros) -> Before {
        while self.order.front().is_some_and(|(at, _)| *at < now - window) || self.order.len() >= MAX {
            let Some((_, old)) = self.order.pop_front() else { break };
            self.names.remove(&old);
        }
        match self.names.get_mut(name) {
            Some(Before::Never) => {
                self.names.insert(name.into(), Before::UnderWay);
                Before::Never
            }
            Some(known) => *known,
            None => {
                self.names.insert(name.into(), Before::UnderWay);
                self.order.push_back((now, name.into()));
                Before::Never
            }
        }
    }

    /// A message that was dealt with before the start.
    pub fn remember(&mut self, name: &str, now: Micros) {
        if self.order.len() < MAX {
            self.names.insert(name.into(), Before::Taken);
            self.order.push_back((now, name.into()));
        }
    }

    pub fn is_taken(&self, name: &str) -> bool {
        self.names.get(name) == Some(&Before::Taken)
    }

    /// The message has ended; what was refused may come again.
    pub fn end(&mut self, name: &str, taken: bool) {
        if let Some(known) = self.names.get_mut(name) {
            *known = if taken { Before::Taken } else { Before::Never };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_once_in_its_window() {
        let mut seen = Seen::default();
        assert_eq!(seen.look("a", 0, 10), Before::Never);
        assert_eq!(seen.look("a", 1, 10), Before::UnderWay);
        seen.end("a", true);
        assert_eq!(seen.look("a", 10, 10), Before::Taken);
        assert_eq!(seen.look("a", 11, 10), Before::Never);
        seen.end("a", false);
        assert_eq!(seen.look("a", 12, 10), Before::Never);
    }
}
