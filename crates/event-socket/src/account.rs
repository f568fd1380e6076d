//! Users of the directory who may use the event socket, and what each may do there.

use std::collections::BTreeSet;
use std::sync::Arc;

use chappe_event::EventName;

/// What the directory says of a user. FreeSWITCH mod_event_socket.c parse_command, `userauth`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// `esl-password`; without one nobody gets in.
    pub password: Option<String>,
    /// `esl-allowed-events`: names, after CUSTOM subclasses, commas or blanks between them. `None`: all.
    pub events: Option<String>,
    /// `esl-allowed-api`: names of API commands. `None`: all.
    pub api: Option<String>,
    /// `esl-allowed-log`
    pub log: bool,
}

/// Finds a user by name and domain.
pub type Accounts = Arc<dyn Fn(&str, &str) -> Option<Account> + Send + Sync>;

/// What a client may do.
#[derive(Clone, Debug)]
pub struct Permissions {
    events: Option<Events>,
    api: Option<BTreeSet<String>>,
    pub log: bool,
}

#[derive(Clone, Debug, Default)]
struct Events {
    all: bool,
    names: Vec<EventName>,
    subclasses: BTreeSet<String>,
}

impl Permissions {
    /// Whoever said the password of the event socket itself.
    pub const ALL: Self = Self { events: None, api: None, log: true };

    pub fn of(account: &Account) -> Self {
        Self {
            events: account.events.as_deref().map(Events::read),
            api: account.api.as_deref().map(|names| words(names).map(str::to_owned).collect()),
            log: account.log,
        }
    }

    pub fn allows_event(&self, name: EventName) -> bool {
        self.events.as_ref().is_none_or(|events| events.all || events.names.contains(&name))
    }

    pub fn allows_subclass(&self, subclass: &str) -> bool {
        self.events.as_ref().is_none_or(|events| events.all || events.subclasses.contains(subclass))
    }

    /// Whether the API command may be run, and each one that it would run in turn.
    ///
    /// Deviation: FreeSWITCH looks at what `eval` and its like begin with; here `${name(...)}` anywhere counts, too.
    pub fn allows_api(&self, line: &str) -> bool {
        let Some(allowed) = &self.api else { return true };
        let allows = |name: &str| allowed.contains(name);
        leading(line).all(allows) && expanded(line).all(allows)
    }
}

impl Events {
    fn read(text: &str) -> Self {
        let mut events = Self::default();
        let mut custom = false;
        for word in words(text) {
            if custom {
                events.subclasses.insert(word.to_owned());
            } else if let Some(name) = EventName::parse(word) {
                events.all |= name == EventName::All;
                custom = name == EventName::Custom;
                events.names.push(name);
            }
        }
        events
    }
}

/// Blanks are between the names where there is one, else commas.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let between = if text.contains(' ') { ' ' } else { ',' };
    text.split(between).filter(|word| !word.is_empty())
}

/// The command, and while it is one that runs the rest of its line, that one too.
fn leading(line: &str) -> impl Iterator<Item = &str> {
    const RUN_OTHERS: [&str; 6] = ["bgapi", "sched_api", "eval", "expand", "xml_wrap", "json"];
    let mut rest = Some(line.trim_start());
    std::iter::from_fn(move || {
        let (name, after) = match rest? {
            "" => return None,
            line => line.split_once(' ').unwrap_or((line, "")),
        };
        let runs_others = RUN_OTHERS.iter().any(|other| other.eq_ignore_ascii_case(name));
        rest = runs_others.then(|| after.trim_start());
        Some(name)
    })
}

/// The commands in `${name(...)}` and `${name ...}`.
fn expanded(line: &str) -> impl Iterator<Item = &str> {
    line.split("${").skip(1).filter_map(|text| {
        let end = text.find(['(', ' ', '}', ':', '$'])?;
        text[end..].starts_with(['(', ' ']).then(|| &text[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(events: Option<&str>, api: Option<&str>) -> Permissions {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Permissions::of(&Account { events: text(events), api: text(api), ..Account::default() })
    }

    #[test]
    fn events() {
        for (allowed, name, expected) in [
            (None, "MESSAGE", true),
            (Some("MESSAGE,HEARTBEAT"), "HEARTBEAT", true),
            (Some("MESSAGE HEARTBEAT"), "HEARTBEAT", true),
            (Some("MESSAGE,HEARTBEAT"), "API", false),
            (Some("MESSAGE"), "ALL", false),
            (Some("all"), "API", true),
            (Some("nonsense"), "API", false),
            (Some(""), "API", false),
        ] {
            let name = EventName::parse(name).expect("a name");
            assert_eq!(permissions(allowed, None).allows_event(name), expected, "{allowed:?} {name}");
        }
        for (allowed, subclass, expected) in [
            (None, "a::b", true),
            (Some("MESSAGE CUSTOM a::b c::d"), "c::d", true),
            (Some("MESSAGE CUSTOM a::b"), "c::d", false),
            (Some("a::b"), "a::b", false),
            (Some("all"), "a::b", true),
        ] {
            assert_eq!(
                permissions(allowed, None).allows_subclass(subclass),
                expected,
                "{allowed:?} {subclass}"
            );
        }
    }

    #[test]
    fn api_commands() {
        let some = Some("status,eval,bgapi,show");
        for (allowed, line, expected) in [
            (None, "system rm", true),
            (some, "status", true),
            (some, "show registrations as json", true),
            (some, "system id", false),
            (some, "STATUS", false),
            (some, "bgapi status", true),
            (some, "bgapi system id", false),
            (some, "bgapi eval show", true),
            (some, "bgapi  eval  system", false),
            (some, "eval", true),
            (some, "eval ${system(id)}", false),
            (some, "show ${system id}", false),
            (some, "show ${name}", true),
            (some, "expand status", false),
            (Some(""), "status", false),
        ] {
            assert_eq!(permissions(None, allowed).allows_api(line), expected, "{allowed:?} {line}");
        }
    }
}
