//! What was typed, what the profile says and where this process runs, made one.

use std::time::Duration;

use chappe_event_socket::client::ANSWER_TIME;

use crate::connection::{Retry, Target};
use crate::options::Options;
use crate::profile::{Profile, SHORT_UUID, millis};
use crate::show::LogView;

/// What matters of the process's surroundings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Surroundings {
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    /// `NO_COLOR` is set, to anything but nothing.
    pub no_color: bool,
}

/// Everything a console needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    pub profile: Profile,
    /// The command to run instead of a conversation.
    pub execute: Option<String>,
    /// Whether Ctrl-C ends the console.
    pub interrupt: bool,
    pub retry: bool,
    pub reconnect: bool,
    pub uuid: Option<String>,
    pub colors: bool,
    /// Whether lines are edited, with history and completion.
    pub editor: bool,
    /// Whether a prompt is printed where no line is edited.
    pub prompts: bool,
    /// Whether answers are printed as they came: what reads them is a program.
    pub raw: bool,
}

impl Settings {
    pub fn new(options: &Options, mut profile: Profile, surroundings: Surroundings) -> Self {
        let Surroundings { stdin_is_terminal, stdout_is_terminal, no_color } = surroundings;
        overlay(options, &mut profile);
        let batch = profile.batch;
        Self {
            execute: options.execute.clone(),
            interrupt: options.interrupt,
            retry: options.retry,
            reconnect: options.reconnect,
            uuid: options.set_log_uuid.clone(),
            colors: stdout_is_terminal && !batch && !no_color && !options.no_color,
            editor: stdin_is_terminal && stdout_is_terminal && !batch,
            prompts: stdin_is_terminal && stdout_is_terminal,
            raw: !stdout_is_terminal,
            profile,
        }
    }

    pub fn target(&self) -> Target {
        let Profile { host, port, user, password, connect_timeout, .. } = &self.profile;
        Target {
            address: if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") },
            user: user.clone(),
            password: password.clone(),
            time: connect_timeout.unwrap_or(ANSWER_TIME),
        }
    }

    /// How often the server is tried at the start. FreeSWITCH fs_cli.c main.
    pub fn at_start(&self) -> Retry {
        Retry { tries: if self.retry { Retry::LONG.tries + 1 } else { 1 }, ..Retry::LONG }
    }

    pub fn log_view(&self) -> LogView {
        LogView {
            filter: None,
            uuid: self.uuid.clone(),
            with_uuid: self.profile.log_uuid,
            uuid_length: self.profile.log_uuid_length,
            colors: self.colors,
        }
    }

    /// The command that asks for log lines at the start. Deviation: fs_cli mixes the log with the answers that a pipe reads,
    /// too; here a pipe has to ask for it, by --loglevel or --batchmode.
    pub fn log_command(&self) -> Option<String> {
        let level = self.profile.loglevel.as_deref();
        let wanted = level.is_some() || self.editor || self.prompts || self.profile.batch;
        (wanted && !self.profile.quiet).then(|| format!("log {}", level.unwrap_or("debug")))
    }

    /// How long an API command's answer is awaited.
    pub fn timeout(&self) -> Option<Duration> {
        self.profile.timeout
    }
}

fn overlay(options: &Options, profile: &mut Profile) {
    if let Some(host) = &options.host {
        profile.host.clone_from(host);
    }
    if let Some(port) = options.port {
        profile.port = port;
    }
    if let Some(user) = &options.user {
        profile.user = Some(user.clone());
    }
    if let Some(password) = &options.password {
        profile.password.clone_from(password);
    }
    if let Some(debug) = options.debug {
        profile.debug = debug;
    }
    if let Some(timeout) = options.timeout {
        profile.timeout = millis(timeout);
    }
    if let Some(timeout) = options.connect_timeout {
        profile.connect_timeout = millis(timeout);
    }
    if let Some(level) = &options.loglevel {
        profile.loglevel = Some(level.clone());
        profile.quiet = false;
    }
    profile.quiet |= options.quiet;
    profile.batch |= options.batchmode;
    profile.history &= !options.no_history_file;
    profile.log_uuid |= options.log_uuid | options.log_uuid_short;
    if options.log_uuid_short {
        profile.log_uuid_length = SHORT_UUID;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Surroundings =
        Surroundings { stdin_is_terminal: true, stdout_is_terminal: true, no_color: false };

    fn settings(change: impl FnOnce(&mut Options, &mut Profile), surroundings: Surroundings) -> Settings {
        let (mut options, mut profile) = (Options::default(), Profile::default());
        change(&mut options, &mut profile);
        Settings::new(&options, profile, surroundings)
    }

    #[test]
    fn options_win_over_the_profile() {
        let made = settings(
            |options, profile| {
                profile.host = "from-profile".into();
                profile.timeout = millis(1);
                profile.log_uuid = true;
                options.host = Some("::1".into());
                options.port = Some(9);
                options.timeout = Some(0);
                options.log_uuid_short = true;
            },
            TERMINAL,
        );
        assert_eq!(made.target().address, "[::1]:9");
        assert_eq!(made.timeout(), None);
        assert_eq!(made.log_view().uuid_length, SHORT_UUID);
    }

    #[test]
    fn who_gets_colours_and_an_editor() {
        let pipe = Surroundings { stdin_is_terminal: false, ..TERMINAL };
        let file = Surroundings { stdout_is_terminal: false, ..TERMINAL };
        let no_color = Surroundings { no_color: true, ..TERMINAL };
        for (surroundings, batch, expected) in [
            (TERMINAL, false, (true, true)),
            (TERMINAL, true, (false, false)),
            (pipe, false, (true, false)),
            (file, false, (false, false)),
            (no_color, false, (false, true)),
        ] {
            let made = settings(|options, _| options.batchmode = batch, surroundings);
            assert_eq!((made.colors, made.editor), expected, "{surroundings:?} {batch}");
        }
        assert!(!settings(|options, _| options.no_color = true, TERMINAL).colors);
    }

    #[test]
    fn who_gets_the_log() {
        let pipe = Surroundings::default();
        let log = |change: fn(&mut Options, &mut Profile), surroundings| {
            settings(change, surroundings).log_command()
        };
        assert_eq!(log(|_, _| {}, TERMINAL).as_deref(), Some("log debug"));
        assert_eq!(log(|_, _| {}, pipe), None);
        assert_eq!(log(|options, _| options.loglevel = Some("3".into()), pipe).as_deref(), Some("log 3"));
        assert_eq!(log(|options, _| options.batchmode = true, pipe).as_deref(), Some("log debug"));
        assert_eq!(log(|options, _| options.quiet = true, TERMINAL), None);
        let louder: fn(&mut Options, &mut Profile) = |options, profile| {
            profile.quiet = true;
            options.loglevel = Some("err".into());
        };
        assert_eq!(log(louder, TERMINAL).as_deref(), Some("log err"));
    }
}
