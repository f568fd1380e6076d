//! The command line, as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A message router for SIP SIMPLE that speaks FreeSWITCH's chatplan, events and event socket.
#[derive(Parser, Debug)]
#[command(name = "chappe", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Configured,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the server (this is what happens without a subcommand, too)
    Serve(Configured),
    /// Register as a user, send one message, print what became of it
    Send(Send),
    /// Load the configuration and print everything that is wrong with it
    Check(Configured),
    /// Talk to a running server, or run one API command of it
    Console(chappe_console::Options),
    /// Print a reference page made from the tables in the code
    #[command(hide = true)]
    Reference { page: Page },
}

/// Which configuration.
#[derive(Args, Debug, Default, Clone)]
pub struct Configured {
    /// The folder that holds freeswitch.xml [default: /etc/chappe, else the sample built into this program]
    #[arg(long, value_name = "DIR")]
    pub conf: Option<PathBuf>,
    /// Set a global variable; it wins over the configuration's own
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub set: Vec<(String, String)>,
}

#[derive(Args, Debug)]
pub struct Send {
    /// What to send; may be left out with --wait
    #[arg(required_unless_present = "wait")]
    pub text: Option<String>,
    /// The user to send to, or user@domain
    #[arg(long, default_value = "echo", value_name = "USER")]
    pub to: String,
    /// The user to register as, or user@domain
    #[arg(long, default_value = "1000", value_name = "USER")]
    pub from: String,
    /// That user's password; the server prints the sample configuration's when it starts
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        env = "CHAPPE_PASSWORD",
        hide_env_values = true
    )]
    pub password: String,
    /// The server's address
    #[arg(long, default_value = "127.0.0.1:5060", value_name = "HOST:PORT")]
    pub server: String,
    #[arg(long, value_enum, default_value_t = Transport::Udp)]
    pub transport: Transport,
    /// Print messages that arrive, for as long as this; after a TEXT, until the first answer
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub wait: Option<Duration>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    Params,
    Apps,
    Api,
    Events,
    Scripts,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// A whole or broken number of seconds, at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("write a number of seconds from 0 to 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default() {
        let cli = Cli::try_parse_from(["chappe", "--conf", "/x", "--set", "sip_port=0"]).expect("parses");
        assert!(cli.command.is_none());
        assert_eq!(cli.serve.conf, Some(PathBuf::from("/x")));
        assert_eq!(cli.serve.set, [("sip_port".to_owned(), "0".to_owned())]);
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for arguments in [
            &["chappe", "--set", "novalue"][..],
            &["chappe", "--set", "=x"],
            &["chappe", "send"],
            &["chappe", "send", "--wait", "-1", "hello"],
            &["chappe", "send", "--wait", "1e9", "hello"],
            &["chappe", "send", "--transport", "carrier-pigeon", "hello"],
            &["chappe", "console", "-P", "0"],
        ] {
            assert!(Cli::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn waiting_needs_no_text() {
        let cli = Cli::try_parse_from(["chappe", "send", "--from", "1001", "--wait", "30"]).expect("parses");
        let Some(Command::Send(send)) = cli.command else { panic!("{cli:?}") };
        assert_eq!((send.text, send.wait), (None, Some(Duration::from_secs(30))));
    }
}
