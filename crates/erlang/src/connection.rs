//! One node: the handshake, a reader that obeys messages in their order, and a writer that empties the outbox.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chappe_event::Calling;
use eetf::{Atom, Pid};
use erl_dist::handshake::{HandshakeError, HandshakeStatus, ServerSideHandshake};
use erl_dist::message::Message;
use erl_dist::node::{LocalNode, PeerNode};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncReadCompatExt as _;

use crate::hub::{Hub, Member};
use crate::job::{self, Job};
use crate::outbox::Next;
use crate::session::{Caller, Output, Session};
use crate::term::{atom, error, tuple};
use crate::wire::{self, WireError};
use crate::{ErlangConfig, ErlangDeps, fetch::Fetches};

/// A node that says nothing for so long is gone: it ticks four times in its net_ticktime, which is a minute.
const SILENCE: Duration = Duration::from_secs(120);

/// How long this node is silent before it ticks.
const TICK_TIME: Duration = Duration::from_secs(15);

/// How long a node has to take what is written to it.
const WRITE_TIME: Duration = Duration::from_secs(60);

/// How long a node that is being disconnected has to take its last messages.
const GOODBYE_TIME: Duration = Duration::from_secs(1);

/// How long whoever gave a wrong cookie waits for the end: that many can't be tried.
const FAILED_AUTH_DELAY: Duration = Duration::from_secs(1);

/// What a connection works with.
pub(crate) struct Connection {
    pub(crate) deps: ErlangDeps,
    pub(crate) config: Arc<ErlangConfig>,
    pub(crate) cookie: Arc<str>,
    pub(crate) local: LocalNode,
    /// Of this connection, never given twice.
    pub(crate) number: u32,
    pub(crate) peer: IpAddr,
    pub(crate) hub: Arc<Hub>,
    pub(crate) fetches: Arc<Fetches>,
    /// Given back as soon as the node proved to know the cookie.
    pub(crate) unauthenticated: OwnedSemaphorePermit,
}

/// The connection is to end.
struct Ended;

impl Connection {
    pub(crate) async fn run(self, stream: TcpStream) {
        let shaken =
            timeout(self.config.auth_timeout, handshake(stream, self.local.clone(), &self.cookie)).await;
        let peer = self.peer;
        let (stream, node) = match shaken {
            Ok(Ok(shaken)) => shaken,
            Ok(Err(HandshakeError::CookieMismatch)) => {
                tracing::warn!(%peer, "erlang node rejected: it has another cookie");
                tokio::time::sleep(FAILED_AUTH_DELAY).await;
                return;
            }
            Ok(Err(error)) => return tracing::warn!(%peer, "erlang node rejected: {error}"),
            Err(_) => return tracing::warn!(%peer, "erlang node did not end its handshake in time"),
        };
        let (connection, member) = self.admit(node);
        connection.serve(stream, member).await;
    }

    fn admit(self, node: PeerNode) -> (Admitted, Arc<Member>) {
        tracing::info!(node = %node.name, peer = %self.peer, "erlang node connected");
        let own = Pid {
            node: Atom::from(self.local.name.to_string()),
            id: self.number,
            serial: 0,
            creation: self.local.creation.get(),
        };
        let name = node.name.to_string();
        let member = Arc::new(Member::new(name, own, self.config.encoding, self.config.max_queue_len));
        self.hub.add(member.clone());
        drop(self.unauthenticated);
        let (calls, waiting) = mpsc::channel(job::MAX_WAITING);
        tokio::spawn(job::run_in_turn(waiting, self.deps.registry.clone(), member.clone()));
        let jobs = Arc::new(Semaphore::new(job::MAX_JOBS));
        (Admitted { deps: self.deps, hub: self.hub, fetches: self.fetches, calls, jobs }, member)
    }
}

/// Answers the other side's handshake. A node without a name, which wants one, gets none.
async fn handshake(
    stream: TcpStream,
    local: LocalNode,
    cookie: &str,
) -> Result<(TcpStream, PeerNode), HandshakeError> {
    let mut handshake = ServerSideHandshake::new(stream.compat(), local, cookie);
    let status = match handshake.execute_recv_name().await? {
        Some(_) => HandshakeStatus::Ok,
        None => HandshakeStatus::NotAllowed,
    };
    let (stream, node) = handshake.execute_rest(status).await?;
    Ok((stream.into_inner(), node))
}

/// A node that has been let in.
struct Admitted {
    deps: ErlangDeps,
    hub: Arc<Hub>,
    fetches: Arc<Fetches>,
    /// API commands that wait for their turn.
    calls: mpsc::Sender<(Caller, String)>,
    /// One for each background job that may run.
    jobs: Arc<Semaphore>,
}

impl Admitted {
    async fn serve(self, stream: TcpStream, member: Arc<Member>) {
        let (reader, socket) = stream.into_split();
        let writing = tokio::spawn(write(socket, member.clone(), self.deps.clone()));
        tokio::pin!(writing);
        let written = tokio::select! {
            () = self.read(BufReader::new(reader), &member) => false,
            () = member.dismissed.notified() => false,
            _ = &mut writing => true,
        };
        self.fetches.unbind_all(&member);
        self.hub.remove(&member);
        self.refresh();
        member.outbox.close();
        if !written && timeout(GOODBYE_TIME, &mut writing).await.is_err() {
            writing.abort();
        }
        tracing::info!(node = %member.node, "erlang node disconnected");
    }

    /// Reads and obeys until the connection is to end.
    async fn read(&self, mut reader: BufReader<OwnedReadHalf>, member: &Arc<Member>) {
        let new_uuid = Box::new(|| uuid::Uuid::new_v4().to_string());
        let mut session = Session::new(member.own.clone(), member.encoding, new_uuid);
        loop {
            match timeout(SILENCE, wire::read(&mut reader)).await {
                Ok(Ok(Some(Message::Tick))) => {
                    // A node that ticks wants to hear a tick; one that does not take it has more waiting.
                    let _ = member.outbox.try_reply(wire::TICK.to_vec());
                }
                Ok(Ok(Some(message))) => {
                    if self.obey(message, &mut session, member).await.is_err() {
                        return;
                    }
                }
                Ok(Ok(None)) => {
                    tracing::debug!(node = %member.node, "erlang node asks for something unknown")
                }
                Ok(Err(WireError::Closed)) => return,
                Ok(Err(error)) => {
                    return tracing::warn!(node = %member.node, "erlang node disconnected for {error}");
                }
                Err(_) => {
                    return tracing::warn!(node = %member.node, "erlang node is silent: connection given up");
                }
            }
        }
    }

    async fn obey(&self, message: Message, session: &mut Session, member: &Arc<Member>) -> Result<(), Ended> {
        let mut outputs = Vec::new();
        session.handle(message, &mut outputs);
        for output in outputs {
            match output {
                Output::Send(pid, term) => member.send(pid, term).await,
                Output::Tell(message) => {
                    if let Some(frame) = member.frame(message) {
                        member.outbox.reply(frame).await;
                    }
                }
                // Waits while too many wait. The receiver lives as long as this does.
                Output::Api { caller, line } => drop(self.calls.send((caller, line)).await),
                Output::Job { caller, job, name, args } => {
                    self.start_job(Job { caller, job, name, args }, member).await;
                }
                Output::Fire(event) => {
                    let mut event = *event;
                    let calling =
                        Calling { file: "handle_msg.c", function: "handle_msg_sendevent", line: line!() };
                    self.deps.bus.prepare(&mut event, calling);
                    self.deps.bus.fire(event);
                }
                Output::Wished => {
                    member.wish(session.wishes.clone());
                    self.refresh();
                }
                Output::FlushEvents => member.outbox.flush(true),
                Output::FlushLogs => member.outbox.flush(false),
                Output::Bind(section, pid) => self.fetches.bind(section, pid, member.clone()),
                Output::Unbind(pid) => self.fetches.unbind(&pid),
                Output::Fetched { caller, id, text } => {
                    let waited = self.fetches.answer(&id, text.as_deref(), &member.node);
                    let answer = if waited {
                        tuple([atom("ok"), member.encoding.text(id)])
                    } else {
                        error("invalid_uuid")
                    };
                    let (pid, answer) = caller.answer(answer);
                    member.send(pid, answer).await;
                }
                Output::Close => return Err(Ended),
            }
        }
        Ok(())
    }

    /// Waits while this node has too many jobs.
    async fn start_job(&self, job: Job, member: &Arc<Member>) {
        let permit = self.jobs.clone().acquire_owned().await;
        let (bus, registry, member) = (self.deps.bus.clone(), self.deps.registry.clone(), member.clone());
        tokio::spawn(async move {
            job.run(bus, registry, member).await;
            drop(permit);
        });
    }

    fn refresh(&self) {
        self.deps.bus.refresh();
        self.deps.log_bus.refresh();
    }
}

/// Writes what comes into the member's outbox, and ticks, until that is closed or the node takes nothing.
async fn write(mut socket: OwnedWriteHalf, member: Arc<Member>, deps: ErlangDeps) {
    loop {
        let frame = match timeout(TICK_TIME, member.outbox.next()).await {
            Err(_) => wire::TICK.to_vec(),
            Ok(Next::Reply(frame)) => frame,
            Ok(Next::Item(item)) => {
                member.count(item.is_event(), false, 1);
                let (pid, term) = item.message(member.encoding);
                member.frame(Message::send(pid, term)).unwrap_or_default()
            }
            Ok(Next::Missed { events, lines }) => {
                tell_missed(&member, &deps, events, lines);
                continue;
            }
            // It is of no interest whether the node is still there.
            Ok(Next::Closed) => return drop(socket.shutdown().await),
        };
        match timeout(WRITE_TIME, socket.write_all(&frame)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                return tracing::warn!(node = %member.node, "erlang node takes nothing: connection given up");
            }
        }
    }
}

/// FreeSWITCH mod_erlang_event.c event_handler: the log is told, and a TRAP event.
fn tell_missed(member: &Member, deps: &ErlangDeps, events: u64, lines: u64) {
    tracing::warn!(node = %member.node, events, lines, "erlang node is too slow and missed some");
    member.count(true, true, events);
    member.count(false, true, lines);
    for (what, count) in
        [("events", events), ("log lines", lines)].into_iter().filter(|(_, count)| *count > 0)
    {
        let calling = Calling { file: "mod_erlang_event.c", function: "event_handler", line: line!() };
        let mut trap = deps.bus.event(chappe_event::EventName::Trap, calling);
        trap.add("info", format!("lost {count} {what}"));
        deps.bus.fire(trap);
    }
}
