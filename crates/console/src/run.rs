//! From the options to the exit code.

use std::env;
use std::io::{self, BufReader, IsTerminal as _};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chappe_event_socket::client::{Client, ClientError};
use rustix::process::{Signal, getpid, kill_process};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::editor::{Leaving, Style, Terminal};
use crate::execute::execute;
use crate::profile::{Chosen, Problem};
use crate::prompt::{Names, prompt};
use crate::screen::{Screen, Texts, screen, to_stdout};
use crate::session::{End, Handle, Inputs, Session};
use crate::settings::{Settings, Surroundings};
use crate::{Options, files, lines, printable, show};

/// Exit codes; those of fs_cli where it has one.
const DONE: u8 = 0;
const FAILED: u8 = 1;
const TIMED_OUT: u8 = 254;
const NO_CONNECTION: u8 = 255;

/// Letters of a server's name that a prompt shows.
const MAX_NAME: usize = 64;

/// How often a line editor is told that the session is over, until it noticed.
const WAKING: Duration = Duration::from_millis(50);

/// Why there was no conversation.
#[derive(Debug, Error)]
enum ConsoleError {
    #[error("read {path}: {source}", path = .0.display(), source = .1)]
    Profiles(PathBuf, io::Error),
    #[error("{}", lines_of(.0))]
    Profile(Vec<Problem>),
    #[error("reach {0}: {1}")]
    Reach(String, ClientError),
    #[error("ask {0}: {1}")]
    Ask(String, ClientError),
    #[error("start: {0}")]
    Start(#[from] io::Error),
}

/// Does what the options say, and gives the exit code: 255 when the server could not be reached or was lost, 254 when it did
/// not answer in time, 1 when a command failed or nothing could be begun. Blocks, and must not be called on an asynchronous
/// runtime.
pub fn run(options: &Options) -> u8 {
    begin(options).unwrap_or_else(|error| {
        eprintln!("chappe console: failed to {error}");
        match error {
            ConsoleError::Ask(_, ClientError::TimedOut(_)) => TIMED_OUT,
            ConsoleError::Ask(_, ClientError::LineBreak) => FAILED,
            ConsoleError::Reach(..) | ConsoleError::Ask(..) => NO_CONNECTION,
            _ => FAILED,
        }
    })
}

fn begin(options: &Options) -> Result<u8, ConsoleError> {
    let profiles = files::profiles().map_err(|(path, error)| ConsoleError::Profiles(path, error))?;
    let chosen = profiles.choose(options.profile.as_deref()).map_err(ConsoleError::Profile)?;
    let Chosen { profile, warnings } = chosen;
    for warning in warnings {
        eprintln!("chappe console: {warning}");
    }
    let settings = Settings::new(options, profile, surroundings());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        let mut client = reach(&settings).await?;
        match &settings.execute {
            Some(command) => command_alone(&settings, &mut client, command).await,
            None => conversation(&settings, client).await,
        }
    });
    // A thread that reads standard input may sit there until the next line, and is not waited for.
    runtime.shutdown_background();
    code
}

fn surroundings() -> Surroundings {
    Surroundings {
        stdin_is_terminal: io::stdin().is_terminal(),
        stdout_is_terminal: io::stdout().is_terminal(),
        no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
    }
}

async fn reach(settings: &Settings) -> Result<Client, ConsoleError> {
    let target = settings.target();
    let told = |error: &ClientError| {
        eprintln!("chappe console: failed to reach {}: {error}; trying again", target.address);
    };
    let reached = target.connect_again(settings.at_start(), told).await;
    reached.map_err(|error| ConsoleError::Reach(target.address.clone(), error))
}

/// Deviation: fs_cli ends with 0 when the answer is a failure. A script that cares need not read the text here.
async fn command_alone(settings: &Settings, client: &mut Client, command: &str) -> Result<u8, ConsoleError> {
    let answer = execute(client, command, settings.timeout())
        .await
        .map_err(|error| ConsoleError::Ask(settings.target().address, error))?;
    let text = if settings.raw { answer.clone() } else { show::ended(&answer) };
    // A closed pipe has read enough.
    let _ = to_stdout(&text);
    Ok(if answer.starts_with("-ERR") { FAILED } else { DONE })
}

async fn conversation(settings: &Settings, mut client: Client) -> Result<u8, ConsoleError> {
    let names = names(settings, &mut client)
        .await
        .map_err(|error| ConsoleError::Reach(settings.target().address, error))?;
    let (handle, requests) = Handle::new();
    let (screen, texts) = screen();
    let (front, interrupts) = front(settings, handle, &names, texts)?;
    let mut inputs = Inputs { requests, interrupts };
    let ended = hold(settings, screen, client, &mut inputs).await;
    drop(inputs);
    let leaving = front.end(&ended).await;
    Ok(match ended {
        End::Left if leaving == Leaving::ByWill => DONE,
        End::Left | End::Interrupted => {
            let _ = to_stdout("Interrupted.\n");
            FAILED
        }
        End::Lost(error) => {
            eprintln!("chappe console: {}: {error}", settings.target().address);
            NO_CONNECTION
        }
    })
}

async fn hold(settings: &Settings, mut screen: Screen, client: Client, inputs: &mut Inputs) -> End {
    if settings.editor {
        let address = settings.target().address;
        screen.show(format!(
            "Connected to {address}. /help lists the console's commands, help the server's.\n"
        ));
    }
    Session::new(settings, screen).run(client, settings.log_command().as_deref(), inputs).await
}

/// The names for the prompt; a server that tells none is called by its address. One that does not answer at all is of no
/// use: its answer, come late, would be taken for the next command's.
async fn names(settings: &Settings, client: &mut Client) -> Result<Names, ClientError> {
    let profile = &settings.profile;
    let template = profile.prompt.as_deref().unwrap_or("%s");
    let mut ask = async |sign: &str, command: &str| -> Result<String, ClientError> {
        let told = if template.contains(sign) { client.api(command).await? } else { String::new() };
        let name = printable::word(&told, MAX_NAME);
        Ok(if name.is_empty() || name.starts_with("-ERR") { profile.host.clone() } else { name })
    };
    Ok(Names {
        switch: ask("%s", "switchname").await?,
        switch_host: ask("%H", "hostname").await?,
        own_host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        profile: profile.name.clone(),
        host: profile.host.clone(),
        port: profile.port,
    })
}

/// The threads that type and print.
enum Front {
    /// A line editor, which has to be waked when the session is over, so that it leaves the terminal as it was.
    Editor(JoinHandle<Leaving>),
    /// Plain lines; the thread that reads them may wait for one that never comes.
    Lines { printer: JoinHandle<()>, failed: mpsc::Receiver<io::Error> },
}

fn front(
    settings: &Settings,
    handle: Handle,
    names: &Names,
    texts: Texts,
) -> Result<(Front, mpsc::Receiver<()>), ConsoleError> {
    let prompt = prompt(settings.profile.prompt.as_deref(), names);
    if settings.editor
        && let Some((terminal, printer)) = terminal(settings, handle.clone(), &prompt)
    {
        // Before the editor puts its own handler in this one's place, and takes it away after each line.
        let interrupts = interrupts()?;
        thread::Builder::new().name("print".into()).spawn(move || texts.print(printer))?;
        let typing = thread::Builder::new().name("type".into()).spawn(move || terminal.converse())?;
        return Ok((Front::Editor(typing), interrupts));
    }
    let prompt = settings.prompts.then_some(prompt);
    let (failing, failed) = mpsc::channel(1);
    thread::Builder::new().name("type".into()).spawn(move || {
        let input = BufReader::new(io::stdin());
        if let Err(error) = lines::converse(input, &handle, prompt.as_deref(), to_stdout) {
            // Nobody cares once the session is over.
            let _ = failing.try_send(error);
        }
    })?;
    let print = || texts.print(|text| to_stdout(&text));
    let printer = thread::Builder::new().name("print".into()).spawn(print)?;
    // Ctrl-C ends the process here, as it ends any other in a pipe.
    Ok((Front::Lines { printer, failed }, mpsc::channel(1).1))
}

/// A line editor and what prints above its line; `None` on a terminal where no line can be edited.
fn terminal(
    settings: &Settings,
    handle: Handle,
    prompt: &str,
) -> Option<(Terminal, impl FnMut(String) -> io::Result<()> + Send + use<>)> {
    let profile = &settings.profile;
    let style = Style {
        prompt: (prompt.to_owned(), profile.prompt_color.paint(prompt)),
        input: profile.input_color,
        output: profile.output_color,
        colors: settings.colors,
        history: files::history().filter(|_| profile.history),
        interrupt: settings.interrupt,
    };
    let mut terminal = Terminal::new(handle, profile, style).ok()?;
    let printer = terminal.printer().ok()?;
    Some((terminal, printer))
}

/// Ctrl-C while no line is edited.
fn interrupts() -> io::Result<mpsc::Receiver<()>> {
    let mut signals = signal(SignalKind::interrupt())?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        // One that waits is enough; when nobody listens any more, the signal goes unheard.
        while signals.recv().await.is_some() {
            let _ = sender.try_send(());
        }
    });
    Ok(receiver)
}

impl Front {
    async fn end(self, ended: &End) -> Leaving {
        match self {
            Self::Editor(typing) => {
                while !typing.is_finished() {
                    if !matches!(ended, End::Left) {
                        // The editor takes this for Ctrl-C, and sees then that the session is over.
                        let _ = kill_process(getpid(), Signal::INT);
                    }
                    sleep(WAKING).await;
                }
                typing.join().unwrap_or(Leaving::ByWill)
            }
            Self::Lines { printer, mut failed } => {
                // The session took its end of the screen with it: what waits is printed, and then the thread ends.
                let _ = printer.join();
                if let Ok(error) = failed.try_recv().map(|error| (error.kind(), error))
                    && error.0 != io::ErrorKind::BrokenPipe
                {
                    eprintln!("chappe console: {}", error.1);
                }
                Leaving::ByWill
            }
        }
    }
}

fn lines_of(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    format!("read the profile:\n{}", lines.join("\n"))
}
