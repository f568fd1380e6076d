//! The conversation with a server: lines go to it, answers come back, and what it says by itself is shown meanwhile.
//!
//! Replies come in the order of the commands, so a queue of who waits is all there is to tell them apart; log lines and
//! events between them are shown as they come, however long an answer takes.

use std::collections::VecDeque;
use std::time::Duration;

use chappe_event_socket::client::{Client, ClientError, Frame};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use self::pending::{Pending, Waiter};
pub use self::request::{Answer, Handle, Request};
use crate::completion::{self, Completion};
use crate::connection::{Retry, Target, is_final};
use crate::screen::Screen;
use crate::settings::Settings;
use crate::show::{self, LogView};
use crate::standing::Standing;
use crate::typed::{self, Typed};

mod pending;
mod request;

/// How long a person waits for a completion.
const COMPLETION_TIME: Duration = Duration::from_secs(3);

/// Commands whose replies may be outstanding. Further ones are turned away.
const MAX_PENDING: usize = 64;

/// What a session listens to besides the server.
pub struct Inputs {
    pub requests: mpsc::Receiver<Request>,
    /// Ctrl-C while nobody edits a line.
    pub interrupts: mpsc::Receiver<()>,
}

/// Why a session ended.
#[derive(Debug)]
pub enum End {
    /// The user left.
    Left,
    /// Ctrl-C, where that ends the console.
    Interrupted,
    /// The server is gone, and was not reached again if that was asked for.
    Lost(ClientError),
}

/// A conversation.
pub struct Session {
    target: Target,
    /// How a lost connection is made again.
    again: Option<Retry>,
    screen: Screen,
    view: LogView,
    debug: u8,
    timeout: Option<Duration>,
    interrupt: bool,
    raw: bool,
    standing: Standing,
    pending: VecDeque<Pending>,
}

impl Session {
    pub fn new(settings: &Settings, screen: Screen) -> Self {
        Self {
            target: settings.target(),
            again: settings.reconnect.then_some(Retry::LONG),
            screen,
            view: settings.log_view(),
            debug: settings.profile.debug,
            timeout: settings.timeout(),
            interrupt: settings.interrupt,
            raw: settings.raw,
            standing: Standing::default(),
            pending: VecDeque::new(),
        }
    }

    /// As often, and with such a pause, a lost connection is made again.
    pub fn reconnecting(mut self, again: Retry) -> Self {
        self.again = Some(again);
        self
    }

    /// Converses until the user leaves or the server is lost for good. The command `first` is given before any other.
    pub async fn run(mut self, mut client: Client, first: Option<&str>, inputs: &mut Inputs) -> End {
        if let Some(line) = first {
            // A connection that broke meanwhile is noticed below, and made again there.
            let _ = self.ask(&mut client, line, &[], Pending::news(line)).await;
        }
        loop {
            let error = match self.converse(&mut client, inputs).await {
                End::Lost(error) => error,
                end => return end,
            };
            self.answer_nobody_gave();
            let Some(again) = self.again else { return End::Lost(error) };
            self.say(&format!("Disconnected: {error}. Trying to reach {} again.", self.target.address));
            client = match self.reach(again, inputs).await {
                Ok(client) => client,
                Err(end) => return end,
            };
            self.say(&format!("Connected to {} again.", self.target.address));
            let _ = self.resume(&mut client).await;
        }
    }

    async fn converse(&mut self, client: &mut Client, inputs: &mut Inputs) -> End {
        loop {
            let deadline = self.pending.iter().filter_map(Pending::deadline).min();
            let late = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let step = tokio::select! {
                frame = client.next() => frame.and_then(|frame| self.take(&frame)),
                request = inputs.requests.recv() => match request {
                    Some(request) => self.serve(Some(client), request).await,
                    None => return End::Left,
                },
                () = late => {
                    self.give_up(Instant::now());
                    Ok(())
                }
                Some(()) = inputs.interrupts.recv() => {
                    if self.interrupt {
                        return End::Interrupted;
                    }
                    self.release();
                    Ok(())
                }
            };
            if let Err(error) = step {
                return End::Lost(error);
            }
        }
    }

    /// Connects anew; the user is told that, and may leave meanwhile.
    async fn reach(&mut self, again: Retry, inputs: &mut Inputs) -> Result<Client, End> {
        let mut last = ClientError::Closed;
        for _ in 0..again.tries {
            let target = self.target.clone();
            let next = async {
                sleep(again.pause).await;
                target.connect().await
            };
            tokio::pin!(next);
            let reached = loop {
                tokio::select! {
                    reached = &mut next => break reached,
                    request = inputs.requests.recv() => match request {
                        // Without a connection there is none to lose.
                        Some(request) => drop(self.serve(None, request).await),
                        None => return Err(End::Left),
                    },
                    Some(()) = inputs.interrupts.recv() => if self.interrupt {
                        return Err(End::Interrupted);
                    },
                }
            };
            match reached {
                Ok(client) => return Ok(client),
                Err(error) if is_final(&error) => return Err(End::Lost(error)),
                Err(error) => last = error,
            }
        }
        Err(End::Lost(last))
    }

    /// Asks a new connection for what the old one was asked for.
    async fn resume(&mut self, client: &mut Client) -> Result<(), ClientError> {
        for line in self.standing.lines().to_vec() {
            self.ask(client, &line, &[], Pending::quiet()).await?;
        }
        Ok(())
    }

    async fn serve(&mut self, client: Option<&mut Client>, request: Request) -> Result<(), ClientError> {
        match request {
            Request::Line { text, to } => match Typed::parse(&text) {
                Typed::Socket(line) => self.forward(client, Order::Socket(line), to).await,
                Typed::Api { command, loglevel } => {
                    self.forward(client, Order::Api { command, loglevel }, to).await
                }
                own => {
                    let answer = self.own(own);
                    // Whoever asked may have left.
                    let _ = to.send(answer);
                    Ok(())
                }
            },
            Request::Complete { before, to } => self.complete(client, before, to).await,
        }
    }

    /// What the console does by itself.
    fn own(&mut self, typed: Typed) -> Answer {
        match typed {
            Typed::Leave => return Answer::leave(),
            Typed::Help => return Answer::text(typed::help()),
            Typed::LogFilter(filter) => {
                let state = if filter.is_some() { "enabled" } else { "disabled" };
                self.view.filter = filter;
                return Answer::text(format!("Logfilter {state}\n"));
            }
            Typed::Uuid(uuid) => {
                let state = if uuid.is_some() { "enabled" } else { "disabled" };
                self.view.uuid = uuid;
                return Answer::text(format!(
                    "UUID filtering {state}. A server without calls, as chappe is, has few lines with a UUID; \
                     those without one are shown always.\n"
                ));
            }
            Typed::Debug(Some(level)) => {
                self.debug = level;
                return Answer::text(format!("console debug level set to {level}\n"));
            }
            Typed::Debug(None) => return Answer::text("console debug level must be 0 - 7\n".into()),
            Typed::Unknown(line) => return Answer::text(show::ended(&format!("Unknown command [{line}]"))),
            Typed::Nothing | Typed::Socket(_) | Typed::Api { .. } => {}
        }
        Answer::text(String::new())
    }

    async fn forward(
        &mut self,
        client: Option<&mut Client>,
        order: Order,
        to: oneshot::Sender<Answer>,
    ) -> Result<(), ClientError> {
        let client = match client {
            Some(client) if self.pending.len() < MAX_PENDING => client,
            Some(_) => return turned_away(to, "too many commands wait for their answers"),
            None => {
                return turned_away(to, &format!("not connected; trying to reach {}", self.target.address));
            }
        };
        match order {
            Order::Socket(line) => {
                let pending = Pending::answer(to, None).standing(&line);
                self.ask(client, &line, &[], pending).await
            }
            Order::Api { command, loglevel } => {
                if let Some(level) = loglevel {
                    let line = format!("log {level}");
                    self.ask(client, &line, &[], Pending::news(&line)).await?;
                }
                let deadline = self.timeout.map(|time| Instant::now() + time);
                let line = format!("api {command}");
                self.ask(client, &line, &[("console_execute", "true")], Pending::answer(to, deadline)).await
            }
        }
    }

    async fn complete(
        &mut self,
        client: Option<&mut Client>,
        before: String,
        to: oneshot::Sender<Completion>,
    ) -> Result<(), ClientError> {
        match (client, completion::question(&before)) {
            (Some(client), Some(question)) if self.pending.len() < MAX_PENDING => {
                let deadline = Instant::now() + COMPLETION_TIME;
                let pending = Pending::completion(to, before, deadline);
                self.ask(client, &format!("api {question}"), &[], pending).await
            }
            _ => {
                let _ = to.send(completion::own(&before));
                Ok(())
            }
        }
    }

    /// Sends a command. A line that can't be one is answered at once.
    async fn ask(
        &mut self,
        client: &mut Client,
        line: &str,
        headers: &[(&str, &str)],
        pending: Pending,
    ) -> Result<(), ClientError> {
        self.trace(|| format!("sent: {line}"));
        match client.start(line, headers).await {
            Err(error @ ClientError::LineBreak) => {
                pending.fail(&error.to_string());
                Ok(())
            }
            other => {
                self.pending.push_back(pending);
                other
            }
        }
    }

    /// A frame of the server's.
    fn take(&mut self, frame: &Frame) -> Result<(), ClientError> {
        self.trace(|| format!("received: {}, {} octets", frame.content_type(), frame.body.len()));
        match frame.content_type() {
            "command/reply" | "api/response" => self.reply(frame),
            "log/data" => {
                if let Some(line) = self.view.line(frame) {
                    self.screen.show(line);
                }
            }
            "text/disconnect-notice" => return Err(ClientError::Closed),
            _ => self.screen.show(show::event(frame)),
        }
        Ok(())
    }

    fn reply(&mut self, frame: &Frame) {
        let text = show::answer(frame);
        let Some(Pending { to, standing, .. }) = self.pending.pop_front() else {
            return self.screen.show(show::ended(&text));
        };
        if let Some(line) = standing.filter(|_| text.starts_with("+OK")) {
            self.standing.accepted(&line);
        }
        match to {
            Waiter::Line(to) => {
                let shown = if self.raw { text } else { show::ended(&text) };
                if let Err(Answer { text, .. }) = to.send(Answer::text(shown)) {
                    self.screen.show(show::ended(&text));
                }
            }
            Waiter::Late => self.screen.show(show::ended(&text)),
            Waiter::Completion { to, before } => drop(to.send(Completion::parse(&text, &before))),
            Waiter::Quiet if text.starts_with("-ERR") => self.screen.show(show::ended(&text)),
            Waiter::Quiet | Waiter::Nobody => {}
        }
    }

    /// Those whose time is over wait no longer; a late answer to a line is shown when it comes.
    fn give_up(&mut self, now: Instant) {
        let time = self.timeout.unwrap_or_default();
        let is_late = |pending: &&mut Pending| pending.deadline().is_some_and(|deadline| deadline <= now);
        for pending in self.pending.iter_mut().filter(is_late) {
            pending.release(&format!("Request timed out: no answer within {} ms.\n", time.as_millis()));
        }
    }

    /// Ctrl-C: nobody waits any longer.
    fn release(&mut self) {
        for pending in &mut self.pending {
            pending.release("No longer waiting; the answer is shown when it comes.\n");
        }
    }

    fn answer_nobody_gave(&mut self) {
        for pending in self.pending.drain(..) {
            pending.fail("the connection ended before the answer came");
        }
    }

    fn say(&mut self, text: &str) {
        self.screen.show(show::ended(text));
    }

    fn trace(&mut self, text: impl FnOnce() -> String) {
        if self.debug == 7 {
            self.screen.show(show::ended(&format!("[DEBUG] {}", text())));
        }
    }
}

fn turned_away(to: oneshot::Sender<Answer>, why: &str) -> Result<(), ClientError> {
    // Whoever asked may have left.
    let _ = to.send(Answer::text(format!("{why}\n")));
    Ok(())
}

/// What is for the server.
enum Order {
    Socket(String),
    Api { command: String, loglevel: Option<String> },
}
