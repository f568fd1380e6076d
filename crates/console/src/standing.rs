//! What the server was asked for once and for all: a new connection has to ask again.

/// Lines that are remembered. Further ones count until the connection is lost, and no longer.
const MAX_LINES: usize = 256;

/// The commands that have a new connection send what the old one sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    lines: Vec<String>,
}

impl Standing {
    /// Takes in a command that the server accepted.
    pub fn accepted(&mut self, line: &str) {
        match verb(line).as_str() {
            "log" => {
                self.forget(&["log"]);
                self.remember(line);
            }
            "nolog" => self.forget(&["log"]),
            "noevents" => self.forget(&["event", "nixevent"]),
            "filter" if line.split_whitespace().skip(1).eq(["delete", "all"]) => self.forget(&["filter"]),
            "event" | "nixevent" | "filter" => {
                self.lines.retain(|known| known != line);
                self.remember(line);
            }
            _ => {}
        }
    }

    /// In the order in which they were given.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    fn remember(&mut self, line: &str) {
        if self.lines.len() < MAX_LINES {
            self.lines.push(line.to_owned());
        }
    }

    fn forget(&mut self, verbs: &[&str]) {
        self.lines.retain(|line| !verbs.contains(&verb(line).as_str()));
    }
}

fn verb(line: &str) -> String {
    line.split(' ').next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: &[&str]) {
        let mut standing = Standing::default();
        for line in lines {
            standing.accepted(line);
        }
        assert_eq!(standing.lines(), expected, "{lines:?}");
    }

    #[test]
    fn the_last_log_level_stands() {
        check(&["log 7", "log 3"], &["log 3"]);
        check(&["log 7", "nolog"], &[]);
    }

    #[test]
    fn events_and_filters() {
        check(&["event plain all", "nixevent HEARTBEAT"], &["event plain all", "nixevent HEARTBEAT"]);
        check(&["event plain all", "filter a b", "noevents"], &["filter a b"]);
        check(&["filter a b", "filter delete all", "log 1"], &["log 1"]);
        check(&["event plain A", "event plain B", "event plain A"], &["event plain B", "event plain A"]);
        check(&["exit"], &[]);
    }

    #[test]
    fn there_is_an_end() {
        let mut standing = Standing::default();
        for number in 0..2 * MAX_LINES {
            standing.accepted(&format!("filter a {number}"));
        }
        assert_eq!(standing.lines().len(), MAX_LINES);
    }
}
