//! The params of a profile.

use std::time::Duration;

use crate::color::Color;

/// How many function keys can be given a command.
pub const FUNCTION_KEYS: usize = 12;

/// How many letters of a UUID `log-uuid-short` shows.
pub const SHORT_UUID: usize = 8;

/// fs_cli's own commands for F1 to F12.
const KEYS: [&str; FUNCTION_KEYS] = [
    "help",
    "status",
    "show channels",
    "show calls",
    "sofia status",
    "reloadxml",
    "/log console",
    "/log debug",
    "sofia status profile internal",
    "fsctl pause",
    "fsctl resume",
    "version",
];

/// What a profile says about a server and the console.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    pub name: String,
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub password: String,
    /// 0 to 7; at 7 what is said on the event socket is shown.
    pub debug: u8,
    pub loglevel: Option<String>,
    pub log_uuid: bool,
    /// How many letters of the UUID are shown, 0 for all.
    pub log_uuid_length: usize,
    pub quiet: bool,
    pub history: bool,
    pub batch: bool,
    pub prompt_color: Color,
    pub input_color: Color,
    pub output_color: Color,
    pub prompt: Option<String>,
    /// How long an API command's answer is awaited; `None`: as long as it takes.
    pub timeout: Option<Duration>,
    pub connect_timeout: Option<Duration>,
    pub keys: [String; FUNCTION_KEYS],
    /// What a key says every second time.
    pub toggles: [Option<String>; FUNCTION_KEYS],
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "default".into(),
            host: "127.0.0.1".into(),
            port: 8021,
            user: None,
            password: "ClueCon".into(),
            debug: 6,
            loglevel: None,
            log_uuid: false,
            log_uuid_length: 0,
            quiet: false,
            history: true,
            batch: false,
            prompt_color: Color::default(),
            input_color: Color::default(),
            output_color: Color::default(),
            prompt: None,
            timeout: None,
            connect_timeout: None,
            keys: KEYS.map(str::to_owned),
            toggles: std::array::from_fn(|_| None),
        }
    }
}

/// Where a param's value goes, and by that what it may be.
enum Field {
    /// Any text.
    Text(fn(&mut Profile) -> &mut String),
    /// A text that is not empty.
    Name(fn(&mut Profile) -> &mut String),
    Maybe(fn(&mut Profile) -> &mut Option<String>),
    Flag(fn(&mut Profile) -> &mut bool),
    /// A flag whose param says the contrary.
    Not(fn(&mut Profile) -> &mut bool),
    Color(fn(&mut Profile) -> &mut Color),
    /// Milliseconds; 0 is no limit.
    Millis(fn(&mut Profile) -> &mut Option<Duration>),
    Length(fn(&mut Profile) -> &mut usize),
    Port,
    Debug,
    ShortUuid,
}

/// The params, in the words of fs_cli.conf. The function keys are not in here: they carry a number.
const ROWS: &[(&str, Field)] = &[
    ("host", Field::Name(|profile| &mut profile.host)),
    ("port", Field::Port),
    ("user", Field::Maybe(|profile| &mut profile.user)),
    ("password", Field::Text(|profile| &mut profile.password)),
    ("debug", Field::Debug),
    ("loglevel", Field::Maybe(|profile| &mut profile.loglevel)),
    ("log-uuid", Field::Flag(|profile| &mut profile.log_uuid)),
    ("log-uuid-short", Field::ShortUuid),
    ("log-uuid-length", Field::Length(|profile| &mut profile.log_uuid_length)),
    ("quiet", Field::Flag(|profile| &mut profile.quiet)),
    ("no-history-file", Field::Not(|profile| &mut profile.history)),
    ("batchmode", Field::Flag(|profile| &mut profile.batch)),
    ("batch-mode", Field::Flag(|profile| &mut profile.batch)),
    ("prompt-color", Field::Color(|profile| &mut profile.prompt_color)),
    ("input-text-color", Field::Color(|profile| &mut profile.input_color)),
    ("output-text-color", Field::Color(|profile| &mut profile.output_color)),
    ("prompt-string", Field::Maybe(|profile| &mut profile.prompt)),
    ("timeout", Field::Millis(|profile| &mut profile.timeout)),
    ("connect-timeout", Field::Millis(|profile| &mut profile.connect_timeout)),
];

impl Field {
    fn set(&self, profile: &mut Profile, value: &str) -> Result<(), String> {
        match self {
            Self::Text(field) => value.clone_into(field(profile)),
            Self::Name(field) => *field(profile) = some(value)?,
            Self::Maybe(field) => *field(profile) = Some(some(value)?),
            Self::Flag(field) => *field(profile) = flag(value)?,
            Self::Not(field) => *field(profile) = !flag(value)?,
            Self::Color(field) => *field(profile) = color(value)?,
            Self::Millis(field) => *field(profile) = millis(number(value)?),
            Self::Length(field) => *field(profile) = number(value)? as usize,
            Self::Port => profile.port = port(value)?,
            Self::Debug => profile.debug = debug(value)?,
            Self::ShortUuid => {
                profile.log_uuid = flag(value)?;
                profile.log_uuid_length = if profile.log_uuid { SHORT_UUID } else { 0 };
            }
        }
        Ok(())
    }
}

impl Profile {
    /// Sets a param; false when there is none of that name.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<bool, String> {
        let told = |text: String| format!("{name}: {text}");
        if let Some(key) = after(name, "key_toggle_f") {
            self.toggles[index(key).map_err(told)?] = Some(value.to_owned());
        } else if let Some(key) = after(name, "key_f") {
            self.keys[index(key).map_err(told)?] = value.to_owned();
        } else if let Some((_, field)) = ROWS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            field.set(self, value).map_err(told)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// A number of milliseconds; 0 is no limit.
pub fn millis(number: u32) -> Option<Duration> {
    (number > 0).then(|| Duration::from_millis(number.into()))
}

/// What to say about a name that no row has.
pub(super) fn unknown(name: &str) -> String {
    let near = ROWS.iter().map(|(known, _)| (distance(known, name), *known)).min();
    match near {
        Some((..=2, known)) => format!("{name}: unknown, did you mean `{known}`?"),
        _ => format!("{name}: unknown, and left alone"),
    }
}

/// The words with commas between, or `none`.
pub(super) fn list(words: &[&str]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn after<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let head = name.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &name[prefix.len()..])
}

fn index(key: &str) -> Result<usize, String> {
    match key.parse::<usize>() {
        Ok(number @ 1..=FUNCTION_KEYS) => Ok(number - 1),
        _ => Err(format!("there are the function keys 1 to {FUNCTION_KEYS}")),
    }
}

fn some(value: &str) -> Result<String, String> {
    if value.is_empty() { Err("write a value".into()) } else { Ok(value.to_owned()) }
}

fn port(value: &str) -> Result<u16, String> {
    value.parse().ok().filter(|&port| port > 0).ok_or_else(|| "write a number from 1 to 65535".into())
}

fn debug(value: &str) -> Result<u8, String> {
    value.parse().ok().filter(|&level| level <= 7).ok_or_else(|| "write a number from 0 to 7".into())
}

fn number(value: &str) -> Result<u32, String> {
    value.parse().map_err(|_| "write a number".into())
}

fn color(value: &str) -> Result<Color, String> {
    Color::named(value).ok_or_else(|| {
        "write black, red, green, yellow, blue, magenta, cyan or white, bold- before or not".into()
    })
}

/// ESL esl.h esl_true, and its contrary.
fn flag(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "enabled" | "active" => Ok(true),
        "no" | "off" | "false" | "disabled" | "inactive" => Ok(false),
        other => other.parse::<i64>().map(|number| number != 0).map_err(|_| "write true or false".into()),
    }
}

/// How many letters differ, at least about: those that no longer match once both are sorted.
fn distance(one: &str, other: &str) -> usize {
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.to_ascii_lowercase().chars().collect();
        letters.sort_unstable();
        letters
    };
    let (one, mut other) = (sorted(one), sorted(other));
    let mut missing = 0;
    for letter in one {
        match other.iter().position(|&known| known == letter) {
            Some(at) => drop(other.remove(at)),
            None => missing += 1,
        }
    }
    missing.max(other.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rows: &[(&str, &str)]) -> Profile {
        let mut profile = Profile::default();
        for (name, value) in rows {
            assert_eq!(profile.set(name, value), Ok(true), "{name}");
        }
        profile
    }

    #[test]
    fn every_row_sets_something() {
        let values = ["7", "true", "red", "/x"];
        for (name, _) in ROWS {
            let changed = values.iter().any(|value| {
                let mut profile = Profile::default();
                profile.set(name, value).is_ok_and(|known| known) && profile != Profile::default()
            });
            assert!(changed, "{name}");
        }
    }

    #[test]
    fn function_keys_and_their_toggles() {
        let profile = set(&[("key_f1", "status"), ("KEY_F12", "/log 7"), ("key_toggle_f2", "nolog")]);
        assert_eq!((profile.keys[0].as_str(), profile.keys[11].as_str()), ("status", "/log 7"));
        assert_eq!(profile.toggles[1].as_deref(), Some("nolog"));
        for name in ["key_f0", "key_f13", "key_fx", "key_toggle_f99"] {
            assert!(Profile::default().set(name, "x").is_err(), "{name}");
        }
    }

    #[test]
    fn short_uuids() {
        let profile = set(&[("log-uuid-short", "true")]);
        assert_eq!((profile.log_uuid, profile.log_uuid_length), (true, SHORT_UUID));
    }

    #[test]
    fn no_time_is_no_limit() {
        assert_eq!(set(&[("timeout", "0")]).timeout, None);
        assert_eq!(set(&[("timeout", "1500")]).timeout, Some(Duration::from_millis(1500)));
    }

    #[test]
    fn values_that_can_t_be() {
        for (name, value) in [
            ("port", "65536"),
            ("debug", "8"),
            ("timeout", "-1"),
            ("quiet", "perhaps"),
            ("prompt-color", "pink"),
            ("host", ""),
        ] {
            assert!(Profile::default().set(name, value).is_err(), "{name}");
        }
    }

    #[test]
    fn the_nearest_name() {
        assert!(unknown("pasword").contains("`password`"));
        assert!(unknown("favourite-dish").contains("left alone"));
    }
}
