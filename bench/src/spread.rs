//! The middle of several figures, and how far they lie apart.

/// The middle of several figures, and the outermost; all 0 where there is none.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        match (figures.first(), figures.last()) {
            (Some(&least), Some(&most)) => {
                let (below, above) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
                Spread { median: (below + above) / 2.0, least, most }
            }
            _ => Spread::default(),
        }
    }

    /// All of them multiplied.
    pub fn times(self, factor: f64) -> Self {
        Self { median: factor * self.median, least: factor * self.least, most: factor * self.most }
    }

    /// The middle with its unit, and in brackets the least and the most where they differ.
    pub fn told(&self, digits: usize, unit: &str) -> String {
        let Self { median, least, most } = self;
        if least == most {
            return format!("{median:.digits$}{unit}");
        }
        format!("{median:.digits$}{unit} ({least:.digits$} to {most:.digits$})")
    }
}

/// The middle of several figures.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    Spread::of(figures).median
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_any_number_of_figures() {
        for (figures, expected) in [
            (&[][..], "0"),
            (&[7.0], "7"),
            (&[9.0, 1.0], "5 (1 to 9)"),
            (&[3.0, 9.0, 1.0], "3 (1 to 9)"),
            (&[4.0, 9.0, 2.0, 1.0], "3 (1 to 9)"),
        ] {
            assert_eq!(Spread::of(figures.iter().copied()).told(0, ""), expected);
        }
        assert_eq!(Spread::of([1.0, 2.5]).told(2, " µs"), "1.75 µs (1.00 to 2.50)");
    }
}
