//! `chappe send`: a SIP user agent that registers, sends one message and prints what became of it, so that a server can
//! be tried without a phone.

mod agent;
mod link;
mod user;

use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::cli::Send;
use agent::{Agent, Reply};
use link::Link;
use user::User;

/// After the first answer: how long to wait for a second one, of another device for instance.
const QUIET: Duration = Duration::from_millis(300);

/// Why there is no final status.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("{0} is no address: write HOST:PORT")]
    Address(String),
    #[error("failed to reach {server}: {error}; is the server running, and does it listen there?")]
    Network { server: SocketAddr, error: std::io::Error },
    #[error("no answer from {server} within {} s", .waited.as_secs())]
    Timeout { server: SocketAddr, waited: Duration },
    #[error("{0} closed the connection")]
    Closed(SocketAddr),
    #[error("registering {user} was refused: {status}; is the --password the one that the server printed?")]
    Refused { user: String, status: String },
    #[error("no randomness: {0}")]
    Random(getrandom::Error),
}

/// Does what the command line asks. Exit code 0 when the message got a 2xx, or when there was none to send.
pub fn run(options: &Send) -> ExitCode {
    match converse(options, &mut std::io::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chappe send: {error}");
            ExitCode::FAILURE
        }
    }
}

fn converse(options: &Send, out: &mut impl Write) -> Result<bool, SendError> {
    let server = resolve(&options.server)?;
    let from = User::parse(&options.from, &options.server);
    let to = User::parse(&options.to, &options.server);
    let link =
        Link::connect(options.transport, server).map_err(|error| SendError::Network { server, error })?;
    let mut agent = Agent::new(link, from, options.password.clone())?;

    let registered = agent.register()?;
    if !registered.is_success() {
        let user = agent.user().to_string();
        return Err(SendError::Refused { user, status: registered.to_string() });
    }
    let mut reply = None;
    if let Some(text) = &options.text {
        let status = agent.message(&to, text)?;
        print(out, format_args!("{status}"));
        reply = Some(status);
    }
    if let Some(wait) = options.wait {
        if options.text.is_none() {
            print(out, format_args!("waiting for messages to {}", agent.user()));
        }
        listen(&mut agent, wait, options.text.is_some(), out)?;
    }
    // The binding would expire by itself: whether this works makes no difference to the message.
    let _ = agent.unregister();
    Ok(reply.as_ref().is_none_or(Reply::is_success))
}

/// Prints what arrives for as long as `wait`; with `first_only` until shortly after the first message.
fn listen(
    agent: &mut Agent,
    wait: Duration,
    first_only: bool,
    out: &mut impl Write,
) -> Result<(), SendError> {
    let mut until = Instant::now() + wait;
    while let Some(message) = agent.next_message(until)? {
        print(out, format_args!("{}: {}", message.from, message.text));
        if first_only {
            until = until.min(Instant::now() + QUIET);
        }
    }
    Ok(())
}

/// A closed pipe is not worth a word: whoever reads has seen enough.
fn print(out: &mut impl Write, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn resolve(server: &str) -> Result<SocketAddr, SendError> {
    let port = |text: &str| text.to_socket_addrs().ok().and_then(|mut found| found.next());
    port(server)
        .or_else(|| port(&format!("{server}:5060")))
        .ok_or_else(|| SendError::Address(server.to_owned()))
}
