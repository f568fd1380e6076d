//! Other names for command lines, and what a console's line becomes by them.

use std::sync::Arc;

use arc_swap::ArcSwap;

/// How many aliases there may be; one more is refused.
pub(crate) const MAX_ALIASES: usize = 1_000;

/// How many commands one line may become. FreeSWITCH takes as many apart.
const MAX_PARTS: usize = 128;

/// How often an alias may stand for another. FreeSWITCH's switch_console_execute stops there too.
const MAX_DEPTH: usize = 100;

/// What stands between the commands of one line.
const BETWEEN: &str = ";;";

/// A word, or a whole line, that stands for a command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alias {
    /// It was added by `stickyadd`.
    pub sticky: bool,
    pub alias: String,
    pub command: String,
}

/// All aliases, sorted by name. Looking one up takes no lock; adding copies the list.
#[derive(Default)]
pub struct Aliases {
    list: ArcSwap<Vec<Alias>>,
}

/// A piece of what a console's line becomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// Text for whoever asked.
    Say(String),
    /// A command line.
    Run(String),
}

impl Aliases {
    /// Adds an alias in the place of one of the same name; false when there are too many.
    pub fn add(&self, alias: Alias) -> bool {
        let mut fits = true;
        self.list.rcu(|list| {
            let mut list = Vec::clone(list);
            let place = list.binary_search_by(|known| known.alias.cmp(&alias.alias));
            fits = place.is_ok() || list.len() < MAX_ALIASES;
            match place {
                Ok(at) => list[at] = alias.clone(),
                Err(at) if fits => list.insert(at, alias.clone()),
                Err(_) => {}
            }
            list
        });
        fits
    }

    pub fn remove(&self, alias: &str) {
        self.list.rcu(|list| list.iter().filter(|known| known.alias != alias).cloned().collect::<Vec<_>>());
    }

    pub fn clear(&self) {
        self.list.store(Arc::default());
    }

    /// Sorted by name.
    pub fn list(&self) -> Arc<Vec<Alias>> {
        self.list.load_full()
    }

    /// What `line` stands for; FreeSWITCH switch_console.c switch_console_expand_alias. The alias is the line's first
    /// word, the rest being kept, or the whole line.
    fn expand(&self, line: &str) -> Option<String> {
        let list = self.list.load();
        let find = |alias: &str| list.iter().find(|known| known.alias == alias);
        let (word, rest) = line.split_once(' ').map_or((line, None), |(word, rest)| (word, Some(rest)));
        match (find(word), rest) {
            (Some(known), Some(rest)) => Some(format!("{} {rest}", known.command)),
            (Some(known), None) => Some(known.command.clone()),
            (None, _) => find(line).map(|known| known.command.clone()),
        }
    }

    /// The commands that a console's line means, in order: those between `;;`, each alias put in.
    pub(crate) fn parts(&self, line: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        self.unfold(line, 0, &mut parts);
        parts
    }

    fn unfold(&self, line: &str, depth: usize, parts: &mut Vec<Part>) {
        let line = line.trim_start_matches(' ');
        // What an alias stands for may hold several commands.
        let whole = line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("alias"));
        let commands: Vec<&str> = if whole { vec![line] } else { line.split(BETWEEN).collect() };
        let several = commands.len() > 1;
        for command in commands {
            let command = command.trim_matches(' ');
            let command = command.split(['\r', '\n']).next().unwrap_or_default();
            if several && command.is_empty() {
                continue;
            }
            if parts.len() >= MAX_PARTS || depth > MAX_DEPTH {
                return;
            }
            match self.expand(command) {
                Some(expanded) => {
                    let word = command.split(' ').next().unwrap_or_default();
                    parts.push(Part::Say(format!("\nExpand Alias [{word}]->[{expanded}]\n\n")));
                    self.unfold(&expanded, depth + 1, parts);
                }
                None => parts.push(Part::Run(command.to_owned())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(all: &[(&str, &str)]) -> Aliases {
        let aliases = Aliases::default();
        for (alias, command) in all {
            let added = aliases.add(Alias {
                sticky: false,
                alias: (*alias).to_owned(),
                command: (*command).to_owned(),
            });
            assert!(added);
        }
        aliases
    }

    fn runs(aliases: &Aliases, line: &str) -> Vec<String> {
        let run = |part| match part {
            Part::Run(line) => Some(line),
            Part::Say(_) => None,
        };
        aliases.parts(line).into_iter().filter_map(run).collect()
    }

    #[test]
    fn a_line_becomes_commands() {
        let aliases = aliases(&[("s", "sofia"), ("up", "status;;s status"), ("s it", "version"), ("a", "b")]);
        for (line, expected) in [
            ("status", vec!["status"]),
            ("s status", vec!["sofia status"]),
            ("s", vec!["sofia"]),
            ("up", vec!["status", "sofia status"]),
            ("echo x;; version", vec!["echo x", "version"]),
            ("alias add x y;;z", vec!["alias add x y;;z"]),
            ("S", vec!["S"]),
            ("echo s", vec!["echo s"]),
        ] {
            assert_eq!(runs(&aliases, line), expected, "{line}");
        }
        let said = aliases.parts("s status");
        assert_eq!(said[0], Part::Say("\nExpand Alias [s]->[sofia status]\n\n".to_owned()));
    }

    #[test]
    fn a_whole_line_can_be_an_alias() {
        assert_eq!(runs(&aliases(&[("two words", "version")]), "two words"), ["version"]);
    }

    #[test]
    fn circles_end() {
        assert_eq!(runs(&aliases(&[("a", "b"), ("b", "a")]), "a"), Vec::<String>::new());
        let doubling = aliases(&[("a", "b;;b"), ("b", "a;;a")]);
        assert!(doubling.parts("a").len() <= MAX_PARTS);
    }

    #[test]
    fn there_is_a_limit() {
        let aliases = aliases(&[]);
        let alias = |n: usize| Alias { sticky: false, alias: n.to_string(), command: "x".to_owned() };
        assert!((0..MAX_ALIASES).all(|n| aliases.add(alias(n))));
        assert!(!aliases.add(alias(MAX_ALIASES)));
        assert!(aliases.add(alias(1)), "one that is there may change");
        assert_eq!(aliases.list().len(), MAX_ALIASES);
    }
}
