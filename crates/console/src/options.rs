//! What is typed behind `chappe console`: fs_cli's letters and names.

use clap::{ArgAction, Args, value_parser};

/// The options as typed; what is not given comes from the profile.
///
/// An option that is given twice counts as given last, which is how fs_cli's wrappers override one another.
#[derive(Args, Debug, Clone, Default)]
#[command(disable_help_flag = true, args_override_self = true)]
pub struct Options {
    /// A profile of ~/.fs_cli_conf, else of /etc/fs_cli.conf [default: default]
    pub profile: Option<String>,
    /// The host to connect to [default: 127.0.0.1]
    #[arg(short = 'H', long)]
    pub host: Option<String>,
    /// The event socket's port [default: 8021]
    #[arg(short = 'P', long, value_parser = value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Log in as this user of the directory
    #[arg(short = 'u', long, value_name = "USER@DOMAIN")]
    pub user: Option<String>,
    /// The password [default: ClueCon]
    #[arg(short = 'p', long)]
    pub password: Option<String>,
    /// Let Ctrl-C end the console
    #[arg(short = 'i', long)]
    pub interrupt: bool,
    /// Run one API command, print its answer and end
    #[arg(short = 'x', long, value_name = "CMD", allow_hyphen_values = true)]
    pub execute: Option<String>,
    /// The level of the log lines to show: console, alert, crit, err, warning, notice, info or debug
    #[arg(short = 'l', long, value_name = "LEVEL")]
    pub loglevel: Option<String>,
    /// Begin each log line with the UUID it belongs to
    #[arg(short = 'U', long)]
    pub log_uuid: bool,
    /// As --log-uuid, with the UUID's first eight letters
    #[arg(short = 'S', long)]
    pub log_uuid_short: bool,
    /// Show only the log lines that belong to this UUID, and those that belong to none
    #[arg(short = 's', long, value_name = "UUID")]
    pub set_log_uuid: Option<String>,
    /// Show no log lines
    #[arg(short = 'q', long)]
    pub quiet: bool,
    /// Leave ~/.chappe_history alone
    #[arg(short = 'Q', long)]
    pub no_history_file: bool,
    /// Edit no lines and use no colours, as in a pipe
    #[arg(short = 'b', long)]
    pub batchmode: bool,
    /// Try for two minutes when the server is not there
    #[arg(short = 'r', long)]
    pub retry: bool,
    /// Connect again when the connection is lost
    #[arg(short = 'R', long)]
    pub reconnect: bool,
    /// At 7 show what is said on the event socket (0 to 7)
    #[arg(short = 'd', long, value_name = "LEVEL", value_parser = value_parser!(u8).range(0..=7))]
    pub debug: Option<u8>,
    /// Wait this many milliseconds for an API command's answer, 0 for as long as it takes
    #[arg(short = 't', long, value_name = "MS")]
    pub timeout: Option<u32>,
    /// Wait this many milliseconds for the server to let the console in
    #[arg(short = 'T', long, value_name = "MS")]
    pub connect_timeout: Option<u32>,
    /// Use no colours
    #[arg(short = 'n', long)]
    pub no_color: bool,
    /// Print this help
    #[arg(short = 'h', long, short_alias = '?', action = ArgAction::Help)]
    pub help: Option<bool>,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser, Debug)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Line::try_parse_from(std::iter::once("console").chain(line.split_whitespace()))
            .map(|line| line.options)
    }

    #[test]
    fn every_letter_of_fs_cli_is_taken() {
        let line = "-H h -P 1 -u u@d -p w -i -x cmd -l 7 -U -S -s id -q -Q -b -r -R -d 7 -t 5 -T 6 -n work";
        let options = parse(line).expect("options");
        assert_eq!((options.host.as_deref(), options.port), (Some("h"), Some(1)));
        assert_eq!((options.user.as_deref(), options.password.as_deref()), (Some("u@d"), Some("w")));
        assert_eq!((options.timeout, options.connect_timeout), (Some(5), Some(6)));
        assert_eq!(options.profile.as_deref(), Some("work"));
        let flags = [
            options.interrupt,
            options.log_uuid,
            options.log_uuid_short,
            options.quiet,
            options.no_history_file,
            options.batchmode,
            options.retry,
            options.reconnect,
            options.no_color,
        ];
        assert!(flags.iter().all(|&flag| flag), "{options:?}");
        let long = "--host h --port 1 --user u@d --password w --interrupt --execute c --loglevel 7 --log-uuid \
                    --log-uuid-short --set-log-uuid id --quiet --no-history-file --batchmode --retry --reconnect \
                    --debug 7 --timeout 5 --connect-timeout 6 --no-color";
        parse(long).expect("options");
    }

    #[test]
    fn the_last_one_counts() {
        assert_eq!(parse("-P 1 -P 2 --port=3").expect("options").port, Some(3));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in ["-P 0", "-P 65536", "-d 8", "-t soon", "-T -1", "one two"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
