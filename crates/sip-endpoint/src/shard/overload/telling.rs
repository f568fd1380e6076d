//! What an operator is told of it.

/// What an operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Counted since the last time.
    Shedding { shed: u64, dropped: u64 },
    /// It has ended; counted since it began.
    Over { shed: u64, dropped: u64 },
}

/// What the operator was told so far.
#[derive(Default)]
pub struct Telling {
    before: (u64, u64),
    /// The counts when it began, while it lasts.
    began: Option<(u64, u64)>,
}

impl Telling {
    /// With the counts as they are.
    pub fn tell(&mut self, shed: u64, dropped: u64) -> Option<Told> {
        let before = std::mem::replace(&mut self.before, (shed, dropped));
        if before != self.before {
            self.began.get_or_insert(before);
            return Some(Told::Shedding { shed: shed - before.0, dropped: dropped - before.1 });
        }
        let began = self.began.take()?;
        Some(Told::Over { shed: shed - began.0, dropped: dropped - began.1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_told_while_it_lasts_and_when_it_is_over() {
        let mut telling = Telling::default();
        let told = [(0, 0), (5, 0), (5, 2), (5, 2), (5, 2), (6, 2)]
            .map(|(shed, dropped)| telling.tell(shed, dropped));
        let shedding = |shed, dropped| Some(Told::Shedding { shed, dropped });
        let over = Some(Told::Over { shed: 5, dropped: 2 });
        assert_eq!(told, [None, shedding(5, 0), shedding(0, 2), over, None, shedding(1, 0)]);
    }
}
