//! What a program may ask for as any client of the event socket may.

use std::sync::Arc;

use bytes::Bytes;
use chappe_event::{Calling, EventName, header};
use chappe_event_socket::session::Output;
use chappe_event_socket::subscription::{JOB_OWNER, Subscription};
use chappe_event_socket::{EventSocketDeps, Member, frame};
use tokio::sync::Semaphore;

/// Background jobs that one program may have at the same time.
const MAX_JOBS: usize = 100;

/// The places in FreeSWITCH where it makes these events.
const JOB: Calling = Calling { file: "mod_event_socket.c", function: "api_exec", line: 1559 };
const SENT: Calling = Calling { file: "mod_event_socket.c", function: "parse_command", line: 2200 };

pub(crate) struct Client {
    deps: EventSocketDeps,
    member: Arc<Member>,
    /// Whose jobs they are.
    id: Arc<str>,
    jobs: Arc<Semaphore>,
    /// Events or the log were asked for.
    pub(crate) listened: bool,
}

impl Client {
    pub(crate) fn new(deps: EventSocketDeps, member: Arc<Member>, id: Arc<str>) -> Self {
        Self { deps, member, id, jobs: Arc::new(Semaphore::new(MAX_JOBS)), listened: false }
    }

    pub(crate) async fn obey(&mut self, output: Output, subscription: &Subscription) {
        self.listened |= matches!(output, Output::Subscribed | Output::Log(_));
        let (deps, outbox) = (&self.deps, &self.member.outbox);
        match output {
            Output::Reply(frame) => outbox.reply(frame).await,
            Output::Api { line, console } => {
                let registry = &deps.registry;
                let answer =
                    if console { registry.execute_for_console(&line) } else { registry.execute(&line, None) };
                outbox.reply(frame::api_response(&answer.text().await)).await;
            }
            Output::Job { job, line } => self.start_job(job, line).await,
            Output::Fire(mut event) => {
                deps.bus.prepare(&mut event, SENT);
                deps.bus.fire(*event);
            }
            Output::Subscribed => {
                self.member.subscribe(subscription.clone());
                deps.bus.refresh();
            }
            Output::Log(level) => {
                self.member.set_log_level(level);
                deps.log_bus.refresh();
            }
            Output::FlushEvents => outbox.flush(true),
            Output::FlushLogs => outbox.flush(false),
            // There is no password, and `exit` is not asked of the session.
            Output::Authenticated | Output::AuthFailed { .. } | Output::Stranger | Output::Close(_) => {}
        }
    }

    /// Waits while this program has too many jobs. A job runs to its end, whatever becomes of the connection, and then
    /// tells what it said, and whose job it was.
    async fn start_job(&self, job: String, line: String) {
        let permit = self.jobs.clone().acquire_owned().await;
        let (bus, registry) = (self.deps.bus.clone(), self.deps.registry.clone());
        let owner = self.id.clone();
        tokio::spawn(async move {
            let text = registry.execute(&line, None).text().await;
            let (command, args) = line.split_once(' ').unwrap_or((&line, ""));
            let mut event = bus.event(EventName::BackgroundJob, JOB);
            event.add(header::JOB_UUID, &job);
            event.add(header::JOB_COMMAND, command);
            event.add(header::JOB_COMMAND_ARG, args);
            event.add(JOB_OWNER, &owner);
            event.set_body(Some(Bytes::from(text)));
            bus.fire(event);
            drop(permit);
        });
    }
}
