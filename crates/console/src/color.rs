//! Colours, by fs_cli's names and by log level.

/// The SGR parameters of a colour; none for the terminal's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Color(&'static str);

/// fs_cli's names. Deviation: its `bold-` names paint the background; here they are bold.
const NAMES: &[(&str, &str)] = &[
    ("default", ""),
    ("black", "30"),
    ("red", "31"),
    ("green", "32"),
    ("yellow", "33"),
    ("blue", "34"),
    ("magenta", "35"),
    ("cyan", "36"),
    ("white", "37"),
    ("bold-black", "1;30"),
    ("bold-red", "1;31"),
    ("bold-green", "1;32"),
    ("bold-yellow", "1;33"),
    ("bold-blue", "1;34"),
    ("bold-magenta", "1;35"),
    ("bold-cyan", "1;36"),
    ("bold-white", "1;37"),
];

/// FreeSWITCH's colours for console, alert, crit, err, warning, notice, info and debug.
const LEVELS: [Color; 8] =
    [Color(""), Color("31"), Color("31"), Color("31"), Color("35"), Color("36"), Color("32"), Color("33")];

impl Color {
    /// The colour of that name, whatever its case.
    pub fn named(name: &str) -> Option<Self> {
        let row = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(Self(row.1))
    }

    /// The colour of a log line's level; a level there is not has the terminal's own.
    pub fn of_level(level: usize) -> Self {
        LEVELS.get(level).copied().unwrap_or_default()
    }

    /// The text in this colour. Line breaks at its end stay outside, so that no coloured row is begun.
    pub fn paint(self, text: &str) -> String {
        let line = text.trim_end_matches('\n');
        if self.0.is_empty() || line.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{}m{line}\x1b[0m{}", self.0, &text[line.len()..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_levels() {
        assert_eq!(Color::named("Bold-Red"), Some(Color("1;31")));
        assert_eq!(Color::named("pink"), None);
        assert_eq!(Color::of_level(3), Color("31"));
        assert_eq!(Color::of_level(8), Color(""));
    }

    #[test]
    fn the_colour_ends_with_the_line() {
        assert_eq!(Color("31").paint("a\nb\n"), "\x1b[31ma\nb\x1b[0m\n");
        assert_eq!(Color("31").paint("\n"), "\n");
        assert_eq!(Color("").paint("a\n"), "a\n");
    }
}
