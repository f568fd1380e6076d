//! One connection: a reader that runs commands in their order, and a writer that empties the outbox.

use std::sync::Arc;
use std::time::Duration;

use chappe_event::Event;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::hub::{Hub, Member};
use super::{EventSocketDeps, calling, job, strikes, writer};
use crate::EventSocketConfig;
use crate::command::{Command, Limits, ParseError, Parser};
use crate::frame;
use crate::session::{Output, Session};

const READ_OCTETS: usize = 16 * 1024;

/// How long a client that is being disconnected has to take its last frames.
const GOODBYE_TIME: Duration = Duration::from_secs(5);

/// How long what such a client still sends is read and thrown away.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// What a connection works with.
pub(super) struct Connection {
    pub(super) deps: EventSocketDeps,
    pub(super) config: Arc<EventSocketConfig>,
    pub(super) hub: Arc<Hub>,
    /// Given back as soon as the client said the password.
    pub(super) unauthenticated: Option<OwnedSemaphorePermit>,
    /// One for each job that may run at the same time.
    pub(super) jobs: Arc<Semaphore>,
}

/// The connection is to end.
struct Ended;

impl Connection {
    pub(super) async fn run(mut self, stream: TcpStream, member: Arc<Member>) {
        let (mut reader, socket) = stream.into_split();
        let new_uuid = Box::new(|| uuid::Uuid::new_v4().to_string());
        let mut session =
            Session::new(self.config.password.clone(), new_uuid).with_accounts(self.deps.accounts.clone());
        member.outbox.reply(session.greeting()).await;
        let writing = tokio::spawn(writer::write(socket, member.clone(), self.deps.clone()));
        tokio::pin!(writing);
        let client_ends = tokio::select! {
            () = self.read(&mut reader, &mut session, &member) => true,
            _ = &mut writing => false,
        };
        self.hub.remove(&member);
        self.refresh();
        member.outbox.close(None);
        if client_ends {
            if timeout(GOODBYE_TIME, &mut writing).await.is_err() {
                writing.abort();
            }
            // Closing on octets nobody read would take the last frames from the client again.
            let _ = timeout(LINGER_TIME, discard(&mut reader)).await;
        }
        tracing::debug!(peer = %member.peer, "event socket connection closed");
    }

    /// Reads and obeys until the connection is to end.
    async fn read(&mut self, reader: &mut OwnedReadHalf, session: &mut Session, member: &Arc<Member>) {
        let mut incoming = Incoming::new(reader, Instant::now() + self.config.auth_timeout);
        let lost = loop {
            match incoming.command().await {
                Ok(command) => {
                    if self.obey(&command, session, member).await.is_err() {
                        return;
                    }
                }
                Err(lost) => break lost,
            }
            if session.is_authenticated() {
                incoming.trust();
            }
        };
        if let Lost::Unreadable(error) = lost {
            tracing::warn!(peer = %member.peer, %error, "event socket client disconnected");
            member.outbox.reply(frame::reply("-ERR command parse error.")).await;
        } else if let Lost::TooLate = lost {
            tracing::warn!(peer = %member.peer, "event socket client said no password in time");
        }
        member.outbox.reply(frame::disconnect_notice(frame::GOODBYE)).await;
    }

    async fn obey(
        &mut self,
        command: &Command,
        session: &mut Session,
        member: &Arc<Member>,
    ) -> Result<(), Ended> {
        let mut outputs = Vec::new();
        session.handle(command, &mut outputs);
        for output in outputs {
            match output {
                Output::Reply(frame) => member.outbox.reply(frame).await,
                Output::Api { line, console } => {
                    let text = self.api(&line, console).await;
                    member.outbox.reply(frame::api_response(&text)).await;
                }
                Output::Job { job, line } => self.start_job(job, line).await,
                Output::Fire(event) => self.fire(*event),
                Output::Authenticated => self.welcome(member),
                Output::AuthFailed { user } => {
                    self.auth_failed(member, user.as_deref());
                    tokio::time::sleep(self.config.failed_auth_delay).await;
                }
                Output::Stranger => {
                    tracing::warn!(peer = %member.peer, "event socket client speaks another protocol");
                }
                Output::Subscribed => {
                    member.subscribe(session.subscription.clone());
                    self.deps.bus.refresh();
                }
                Output::Log(level) => {
                    member.set_log_level(level);
                    self.deps.log_bus.refresh();
                }
                Output::FlushEvents => member.outbox.flush(true),
                Output::FlushLogs => member.outbox.flush(false),
                Output::Close(frame) => {
                    member.outbox.reply(frame).await;
                    return Err(Ended);
                }
            }
        }
        Ok(())
    }

    async fn api(&self, line: &str, console: bool) -> String {
        let registry = &self.deps.registry;
        let answer = if console { registry.execute_for_console(line) } else { registry.execute(line, None) };
        answer.text().await
    }

    /// Waits while this client has too many jobs.
    async fn start_job(&self, job: String, line: String) {
        let permit = self.jobs.clone().acquire_owned().await;
        let (bus, registry) = (self.deps.bus.clone(), self.deps.registry.clone());
        tokio::spawn(async move {
            job::run(bus, registry, job, line).await;
            drop(permit);
        });
    }

    fn welcome(&mut self, member: &Arc<Member>) {
        self.unauthenticated = None;
        tracing::debug!(peer = %member.peer, "event socket client authenticated");
    }

    /// In the words that fail2ban's filter for FreeSWITCH looks for.
    fn auth_failed(&self, member: &Member, user: Option<&str>) {
        let (user, peer) = (printable(user.unwrap_or("event_socket")), member.peer);
        tracing::warn!(
            file = "sofia_reg.c",
            "SIP auth failure (REGISTER) on sofia profile 'event_socket' for [{user}] from ip {peer}"
        );
        if self.hub.strikes.strike(peer, Instant::now()) {
            let seconds = strikes::WINDOW.as_secs();
            tracing::warn!(%peer, "event socket keeps an address out for {seconds} s: {} wrong passwords", strikes::MOST);
        }
    }

    fn fire(&self, mut event: Event) {
        self.deps.bus.prepare(&mut event, calling("parse_command", line!()));
        self.deps.bus.fire(event);
    }

    fn refresh(&self) {
        self.deps.bus.refresh();
        self.deps.log_bus.refresh();
    }
}

/// A name that a stranger chose, fit for a line of the log: nothing in it ends the brackets around it.
fn printable(name: &str) -> String {
    let fit = |letter: char| if letter.is_control() || matches!(letter, '[' | ']') { '?' } else { letter };
    name.chars().take(128).map(fit).collect()
}

/// Commands as they arrive.
struct Incoming<'a> {
    reader: &'a mut OwnedReadHalf,
    parser: Parser,
    buffer: Vec<u8>,
    /// Until when the client has to be authenticated.
    deadline: Option<Instant>,
}

/// Why there are no more commands.
enum Lost {
    Closed,
    Unreadable(ParseError),
    TooLate,
}

impl<'a> Incoming<'a> {
    fn new(reader: &'a mut OwnedReadHalf, deadline: Instant) -> Self {
        let parser = Parser::new(Limits::BEFORE_AUTH);
        Self { reader, parser, buffer: vec![0; READ_OCTETS], deadline: Some(deadline) }
    }

    /// The client is authenticated: it may take its time, and say more.
    fn trust(&mut self) {
        self.deadline = None;
        self.parser.set_limits(Limits::AFTER_AUTH);
    }

    async fn command(&mut self) -> Result<Command, Lost> {
        loop {
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Lost::TooLate);
            }
            if let Some(command) = self.parser.take().map_err(Lost::Unreadable)? {
                return Ok(command);
            }
            let reading = self.reader.read(&mut self.buffer);
            let read = match self.deadline {
                Some(deadline) => timeout_at(deadline, reading).await.map_err(|_| Lost::TooLate)?,
                None => reading.await,
            };
            match read {
                Ok(octets) if octets > 0 => self.parser.push(&self.buffer[..octets]),
                _ => return Err(Lost::Closed),
            }
        }
    }
}

async fn discard(reader: &mut OwnedReadHalf) {
    let mut buffer = vec![0; READ_OCTETS];
    while matches!(reader.read(&mut buffer).await, Ok(1..)) {}
}
