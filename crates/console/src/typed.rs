//! What a line means: a command of the console's own, one of the event socket, or an API command.

/// A line, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Typed {
    Nothing,
    Help,
    Leave,
    /// A command of the event socket, without the slash.
    Socket(String),
    LogFilter(Option<String>),
    Uuid(Option<String>),
    Debug(Option<u8>),
    Unknown(String),
    /// An API command. `loglevel` is what this console's own log is to follow.
    Api {
        command: String,
        loglevel: Option<String>,
    },
}

/// A command that begins with a slash.
struct Row {
    names: &'static [&'static str],
    syntax: &'static str,
    doc: &'static str,
    /// What may follow the name; completion offers it.
    words: &'static [&'static str],
    make: fn(&str, &str) -> Typed,
}

const LEVELS: &[&str] = &["console", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// fs_cli's commands, in the order of the help.
const ROWS: &[Row] = &[
    row(&["help"], "", "This list", &[], |_, _| Typed::Help),
    row(&["exit", "quit", "bye"], "", "Leave; `...` and Ctrl-D do, too", &[], |_, _| Typed::Leave),
    row(&["log"], "[LEVEL]", "Show log lines up to a level (a name, or 0 to 7)", LEVELS, socket),
    row(&["nolog"], "", "Show no log lines", &[], socket),
    row(
        &["logfilter"],
        "[TEXT]",
        "Show only log lines with this text in them; without one, all",
        &[],
        log_filter,
    ),
    row(
        &["uuid", "id"],
        "[UUID]",
        "Show only log lines of this UUID and of none; chappe has no calls, and few lines have one",
        &[],
        |_, rest| Typed::Uuid(some(rest)),
    ),
    row(
        &["event"],
        "plain|json|xml NAME...",
        "Show these events; `all` for every one",
        &["plain", "json", "xml"],
        socket,
    ),
    row(&["noevents"], "", "Show no events", &[], socket),
    row(&["nixevent"], "NAME...", "Show these events no longer", &[], socket),
    row(
        &["filter"],
        "[delete] HEADER [VALUE]",
        "Show only events whose header has this value",
        &["delete"],
        socket,
    ),
    row(&["debug"], "0-7", "At 7, show what is said on the event socket", &[], |_, rest| {
        Typed::Debug(rest.parse().ok().filter(|&level| level <= 7))
    }),
];

const fn row(
    names: &'static [&'static str],
    syntax: &'static str,
    doc: &'static str,
    words: &'static [&'static str],
    make: fn(&str, &str) -> Typed,
) -> Row {
    Row { names, syntax, doc, words, make }
}

impl Typed {
    /// FreeSWITCH fs_cli.c process_command. Deviation: there a name may go on (`/logX` is `logX` to the server).
    pub fn parse(line: &str) -> Self {
        let line = line.trim();
        if line.is_empty() {
            return Self::Nothing;
        }
        if line == "..." {
            return Self::Leave;
        }
        let Some(own) = line.strip_prefix('/') else {
            return Self::Api { command: line.to_owned(), loglevel: loglevel(line) };
        };
        let (name, rest) = own.split_once(' ').map_or((own, ""), |(name, rest)| (name, rest.trim()));
        match find(name) {
            Some(row) => (row.make)(own, rest),
            None => Self::Unknown(own.to_owned()),
        }
    }
}

/// The list that `/help` shows.
pub fn help() -> String {
    let mut text = String::new();
    for row in ROWS {
        let names: Vec<String> = row.names.iter().map(|name| format!("/{name}")).collect();
        let left = format!("{} {}", names.join(", "), row.syntax);
        text += &format!("{:<32} {}\n", left.trim_end(), row.doc);
    }
    text + "Everything else is an API command; `help` lists them.\n"
}

/// What may stand in the place of the last word of a line that begins with a slash.
pub fn completions(line: &str) -> Vec<String> {
    let own = line.trim_start().trim_start_matches('/');
    let Some((name, rest)) = own.split_once(' ') else {
        let names = ROWS.iter().flat_map(|row| row.names.iter().map(move |name| (row, name)));
        let fitting = names.filter(|(_, name)| name.starts_with(own));
        return fitting
            .map(|(row, name)| format!("/{name}{}", if row.syntax.is_empty() { "" } else { " " }))
            .collect();
    };
    let words = find(name).map(|row| row.words).unwrap_or_default();
    let rest = rest.trim_start();
    words.iter().filter(|word| word.starts_with(rest)).map(|word| format!("{word} ")).collect()
}

fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

fn socket(line: &str, _: &str) -> Typed {
    Typed::Socket(line.trim_end().to_owned())
}

fn log_filter(_: &str, rest: &str) -> Typed {
    Typed::LogFilter(some(rest))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// FreeSWITCH fs_cli.c process_command: `console loglevel X` is for this console's own log, too.
fn loglevel(line: &str) -> Option<String> {
    let rest = line.strip_prefix("console loglevel ")?.trim();
    some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(command: &str) -> Typed {
        Typed::Api { command: command.into(), loglevel: None }
    }

    #[test]
    fn lines_and_their_meaning() {
        for (line, expected) in [
            ("", Typed::Nothing),
            ("   ", Typed::Nothing),
            ("/help", Typed::Help),
            ("...", Typed::Leave),
            (" /EXIT ", Typed::Leave),
            ("/bye", Typed::Leave),
            ("/quit", Typed::Leave),
            ("/log 7", Typed::Socket("log 7".into())),
            ("/nolog", Typed::Socket("nolog".into())),
            ("/event plain all", Typed::Socket("event plain all".into())),
            ("/filter delete all", Typed::Socket("filter delete all".into())),
            ("/logfilter  sip: 200", Typed::LogFilter(Some("sip: 200".into()))),
            ("/logfilter", Typed::LogFilter(None)),
            ("/id abc", Typed::Uuid(Some("abc".into()))),
            ("/uuid", Typed::Uuid(None)),
            ("/debug 7", Typed::Debug(Some(7))),
            ("/debug 8", Typed::Debug(None)),
            ("/auth secret", Typed::Unknown("auth secret".into())),
            ("  sofia status ", api("sofia status")),
            ("....", api("....")),
            (
                "console loglevel 3",
                Typed::Api { command: "console loglevel 3".into(), loglevel: Some("3".into()) },
            ),
        ] {
            assert_eq!(Typed::parse(line), expected, "{line:?}");
        }
    }

    #[test]
    fn slash_commands_are_completed_here() {
        assert_eq!(completions("/no"), ["/nolog", "/noevents"]);
        assert_eq!(completions("/log d"), ["debug "]);
        assert_eq!(completions("/event "), ["plain ", "json ", "xml "]);
        assert!(completions("/nosuch x").is_empty());
    }

    #[test]
    fn the_help_names_every_command() {
        let help = help();
        for name in ROWS.iter().flat_map(|row| row.names) {
            assert!(help.contains(&format!("/{name}")), "{name}");
        }
    }
}
