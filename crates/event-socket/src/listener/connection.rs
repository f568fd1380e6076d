//! One connection: a reader that runs commands in their order, and a writer that empties the outbox.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chappe_event::{Calling, Event, EventName, LogLevel, LogLine};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use super::EventSocketDeps;
use super::hub::{Hub, Member};
use super::outbox::Next;
use crate::EventSocketConfig;
use crate::command::{Command, Limits, Parser};
use crate::frame;
use crate::session::{Output, Session};

/// Frames are joined up to this many octets before they are written.
const WRITE_OCTETS: usize = 64 * 1024;

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
}

/// The connection is to end.
struct Ended;

impl Connection {
    pub(super) async fn run(mut self, stream: TcpStream, member: Arc<Member>) {
        let (mut reader, writer) = stream.into_split();
        let new_uuid = Box::new(|| uuid::Uuid::new_v4().to_string());
        let mut session = Session::new(self.config.password.clone(), new_uuid);
        member.outbox.reply(session.greeting()).await;
        let writing = tokio::spawn(write(writer, member.clone(), self.deps.clone()));
        tokio::pin!(writing);
        let drain = tokio::select! {
            () = self.read(&mut reader, &mut session, &member) => true,
            _ = &mut writing => false,
        };
        self.hub.remove(&member);
        self.refresh();
        member.outbox.close(false);
        if drain {
            if timeout(GOODBYE_TIME, &mut writing).await.is_err() {
                writing.abort();
            }
            // Closing on octets nobody read would take the last frames from the client again.
            let _ = timeout(LINGER_TIME, discard(&mut reader)).await;
        }
        tracing::debug!(peer = %member.peer, "event socket connection closed");
    }

    async fn read(&mut self, reader: &mut OwnedReadHalf, session: &mut Session, member: &Arc<Member>) {
        let mut parser = Parser::new(Limits::BEFORE_AUTH);
        let mut buffer = vec![0; 16 * 1024];
        let deadline = Instant::now() + self.config.auth_timeout;
        loop {
            match parser.take() {
                Ok(Some(command)) => {
                    if self.obey(&command, session, member).await.is_err() {
                        return;
                    }
                    if session.is_authenticated() {
                        parser.set_limits(Limits::AFTER_AUTH);
                    }
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(peer = %member.peer, %error, "event socket client disconnected");
                    member.outbox.reply(frame::reply("-ERR command parse error.")).await;
                    return member.outbox.reply(frame::disconnect_notice(frame::GOODBYE)).await;
                }
            }
            let read = reader.read(&mut buffer);
            let read =
                if session.is_authenticated() { Ok(read.await) } else { timeout_at(deadline, read).await };
            match read {
                Ok(Ok(octets)) if octets > 0 => parser.push(&buffer[..octets]),
                Ok(_) => return,
                Err(_) => {
                    tracing::warn!(peer = %member.peer, "event socket client said no password in time");
                    return member.outbox.reply(frame::disconnect_notice(frame::GOODBYE)).await;
                }
            }
        }
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
                    let answer = if console {
                        self.deps.registry.execute_for_console(&line)
                    } else {
                        self.deps.registry.execute(&line, None)
                    };
                    member.outbox.reply(frame::api_response(&answer.text().await)).await;
                }
                Output::Job { job, line } => drop(tokio::spawn(run_job(self.deps.clone(), job, line))),
                Output::Fire(event) => self.fire(*event),
                Output::Authenticated => self.welcome(member),
                Output::AuthFailed => {
                    tracing::warn!(peer = %member.peer, "event socket authentication failed");
                    tokio::time::sleep(self.config.failed_auth_delay).await;
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

    fn welcome(&mut self, member: &Arc<Member>) {
        self.unauthenticated = None;
        tracing::debug!(peer = %member.peer, "event socket client authenticated");
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

/// Events that FreeSWITCH has, too, say they come from where it makes them.
fn calling(function: &'static str, line: u32) -> Calling {
    Calling { file: "mod_event_socket.c", function, line }
}

/// Runs a background job to its end, whatever becomes of the connection, and tells what it said.
async fn run_job(deps: EventSocketDeps, job: String, line: String) {
    let text = deps.registry.execute(&line, None).text().await;
    let (command, args) = line.split_once(' ').unwrap_or((&line, ""));
    let mut event = Event::new(EventName::BackgroundJob);
    deps.bus.prepare(&mut event, calling("api_exec", line!()));
    event.add("Job-UUID", &job);
    event.add("Job-Command", command);
    if !args.is_empty() {
        event.add("Job-Command-Arg", args);
    }
    event.set_body(Some(Bytes::from(text)));
    deps.bus.fire(event);
}

async fn discard(reader: &mut OwnedReadHalf) {
    let mut buffer = vec![0; 16 * 1024];
    while matches!(reader.read(&mut buffer).await, Ok(1..)) {}
}

async fn write(mut socket: OwnedWriteHalf, member: Arc<Member>, deps: EventSocketDeps) {
    let mut buffer = Vec::with_capacity(WRITE_OCTETS);
    loop {
        let mut next = Some(member.outbox.next().await);
        let mut closed = false;
        while let Some(ready) = next {
            match ready {
                Next::Reply(frame) => buffer.extend_from_slice(&frame),
                Next::Item(item) => buffer.extend_from_slice(&item.frame()),
                Next::Missed { events, lines } => tell_missed(&mut buffer, &member, &deps, events, lines),
                Next::Closed => closed = true,
            }
            if closed || buffer.len() >= WRITE_OCTETS {
                break;
            }
            next = member.outbox.take();
        }
        if socket.write_all(&buffer).await.is_err() {
            return;
        }
        if closed {
            // It is of no interest whether the client is still there.
            return drop(socket.shutdown().await);
        }
        buffer.clear();
        buffer.shrink_to(WRITE_OCTETS);
    }
}

/// A client that was too slow hears what it missed: in the log frame it subscribed to, or as an event.
fn tell_missed(buffer: &mut Vec<u8>, member: &Member, deps: &EventSocketDeps, events: u64, lines: u64) {
    tracing::warn!(peer = %member.peer, events, lines, "event socket client is too slow and missed some");
    if events > 0 {
        let mut event = Event::custom("event_socket::missed");
        deps.bus.prepare(&mut event, calling("tell_missed", line!()));
        event.add("Missed-Events", events.to_string());
        buffer.extend_from_slice(&frame::event(&event, member.format()));
    }
    if lines > 0 {
        buffer.extend_from_slice(&frame::log(&LogLine {
            level: LogLevel::Crit,
            file: "mod_event_socket.c".into(),
            func: "socket_logger".into(),
            line: line!(),
            at_micros: deps.clock.unix_micros(),
            text: format!("Lost [{lines}] log lines!"),
            ..LogLine::default()
        }));
    }
}
