//! Profiles as fs_cli's configuration files hold them: sections of `name => value`.
//!
//! In: a file's text. Out: what the profiles set. Nothing is read here.

use thiserror::Error;

pub use self::params::{FUNCTION_KEYS, Profile, SHORT_UUID, millis};

mod params;

/// What can't be used, and what to write instead.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Problem {
    #[error("{file}:{line}: {text}")]
    Line { file: String, line: usize, text: String },
    #[error("{file}: there is no profile `{name}`; there is {known}")]
    NoProfile { file: String, name: String, known: String },
}

/// A configuration file, as written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProfileFile {
    name: String,
    sections: Vec<Section>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Section {
    name: String,
    entries: Vec<Entry>,
    problems: Vec<(usize, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    line: usize,
    name: String,
    value: String,
}

/// A profile, and the lines that name nothing known (which fs_cli leaves alone, too).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    pub profile: Profile,
    pub warnings: Vec<Problem>,
}

impl ProfileFile {
    /// Reads `name => value` and `name = value` under `[profile]`. `;` and `#` begin a comment, `;;` ends a line's value,
    /// `__END__` ends the file. ESL esl_config.c esl_config_next_pair.
    pub fn parse(name: &str, text: &str) -> Self {
        let mut file = Self { name: name.to_owned(), sections: Vec::new() };
        for (at, line) in text.lines().enumerate() {
            if line.starts_with("__END__") {
                break;
            }
            file.line(at + 1, line.trim());
        }
        file
    }

    fn line(&mut self, number: usize, line: &str) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            return;
        }
        if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            self.sections.push(Section { name: name.trim().to_owned(), ..Section::default() });
            return;
        }
        if self.sections.is_empty() {
            // What stands before the first profile belongs to all of them, and so does what is wrong with it.
            self.sections.push(Section::default());
        }
        let Some(section) = self.sections.last_mut() else { return };
        if section.name.is_empty() {
            section
                .problems
                .push((number, "write [default] or another profile's name above this line".into()));
            return;
        }
        let line = line.split_once(";;").map_or(line, |(before, _)| before);
        match line.split_once('=') {
            Some((name, value)) => section.entries.push(Entry {
                line: number,
                name: name.trim().to_owned(),
                value: value.strip_prefix('>').unwrap_or(value).trim().to_owned(),
            }),
            None => section.problems.push((number, format!("write `name => value` instead of `{line}`"))),
        }
    }

    /// The profile of that name; without a name `default`, else the first one. FreeSWITCH fs_cli.c main.
    ///
    /// Everything that is wrong with it comes at once. Deviation: fs_cli connects to another server when the profile that
    /// was asked for is not there.
    pub fn choose(&self, name: Option<&str>) -> Result<Chosen, Vec<Problem>> {
        let named = |name: &str| self.sections.iter().find(|section| section.name == name);
        let section = match name {
            Some(name) => Some(named(name).ok_or_else(|| self.unknown(name))?),
            None => {
                named("default").or_else(|| self.sections.iter().find(|section| !section.name.is_empty()))
            }
        };
        let orphans = self.sections.iter().filter(|section| section.name.is_empty());
        let mut errors: Vec<(usize, String)> =
            orphans.chain(section).flat_map(|section| section.problems.clone()).collect();
        let mut warnings = Vec::new();
        let mut profile = Profile::default();
        if let Some(section) = section {
            profile.name.clone_from(&section.name);
            for entry in &section.entries {
                match profile.set(&entry.name, &entry.value) {
                    Ok(true) => {}
                    Ok(false) => warnings.push((entry.line, params::unknown(&entry.name))),
                    Err(text) => errors.push((entry.line, text)),
                }
            }
        }
        if errors.is_empty() {
            Ok(Chosen { profile, warnings: self.problems(warnings) })
        } else {
            errors.sort_by_key(|&(line, _)| line);
            Err(self.problems(errors))
        }
    }

    fn unknown(&self, name: &str) -> Vec<Problem> {
        let known: Vec<&str> = self
            .sections
            .iter()
            .map(|section| section.name.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        let file = self.name.clone();
        vec![Problem::NoProfile { file, name: name.to_owned(), known: params::list(&known) }]
    }

    fn problems(&self, rows: Vec<(usize, String)>) -> Vec<Problem> {
        rows.into_iter().map(|(line, text)| Problem::Line { file: self.name.clone(), line, text }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "; a comment\n[default]\nhost => 10.0.0.1\nport=8022 ;; not 8021\npassword => a;b=c\n# another\n\
                        [lab]\nhost => lab\ncolour => red\nport => 0\nno sense\n__END__\nalso no sense\n";

    fn wrong(name: Option<&str>, text: &str) -> Vec<String> {
        let errors = ProfileFile::parse("f", text).choose(name).expect_err("problems");
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_profile_is_read() {
        let chosen = ProfileFile::parse("f", TEXT).choose(None).expect("a profile");
        assert!(chosen.warnings.is_empty());
        let profile = chosen.profile;
        assert_eq!((profile.host.as_str(), profile.port), ("10.0.0.1", 8022));
        assert_eq!(profile.password, "a;b=c");
    }

    #[test]
    fn everything_wrong_is_told_with_its_line() {
        assert_eq!(
            wrong(Some("lab"), TEXT),
            [
                "f:10: port: write a number from 1 to 65535",
                "f:11: write `name => value` instead of `no sense`"
            ]
        );
        assert_eq!(wrong(Some("work"), TEXT), ["f: there is no profile `work`; there is default, lab"]);
        assert_eq!(
            wrong(None, "host => x\n[default]\n"),
            ["f:1: write [default] or another profile's name above this line"]
        );
    }

    #[test]
    fn what_is_unknown_is_a_warning() {
        let chosen = ProfileFile::parse("f", "[a]\nhsot => b\n").choose(None).expect("a profile");
        let warnings: Vec<_> = chosen.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, ["f:2: hsot: unknown, did you mean `host`?"]);
        assert_eq!(chosen.profile.name, "a");
    }

    #[test]
    fn without_a_file_there_are_defaults() {
        let profile = ProfileFile::default().choose(None).expect("a profile").profile;
        assert_eq!(profile, Profile::default());
        assert_eq!(
            (profile.host.as_str(), profile.port, profile.password.as_str()),
            ("127.0.0.1", 8021, "ClueCon")
        );
    }
}
