//! One message in a program's hands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chappe_chat::{Outcome, Router};
use chappe_event::{Event, header};
use chappe_event_socket::command::Command;
use chappe_event_socket::{Member, OutboundConfig, frame};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::client::Client;
use crate::connection::{Incoming, Lost};
use crate::control::{Control, Linger, Step};
use crate::execution::{Done, Execution, Harvest};
use crate::order::Order;
use crate::outbound::{Handled, Outbound};
use crate::target::Mode;
use crate::{SocketError, channel};

/// Orders that may wait while an app runs; past that they are refused.
const MAX_WAITING: usize = 1_000;

/// Octets of their data that may wait, together; past that they are refused as well.
const MAX_WAITING_OCTETS: usize = 4 * 1024 * 1024;

pub(crate) struct Handling {
    outbound: Arc<Outbound>,
    config: Arc<OutboundConfig>,
    client: Client,
    execution: Execution,
    member: Arc<Member>,
    control: Control,
    mode: Mode,
    id: Arc<str>,
    /// As the last app left it.
    message: Event,
    harvest: Arc<Mutex<Harvest>>,
    waiting: VecDeque<Waiting>,
    /// The program has said something.
    spoke: bool,
}

struct Waiting {
    order: Order,
    /// The program is answered when it is done, and says nothing until then.
    reply: bool,
}

/// How a program came to its end.
enum End {
    /// It closed, or said `exit`.
    Left,
    /// It said `hangup`.
    HungUp,
    Failed(SocketError),
}

impl Handling {
    pub(crate) fn new(
        outbound: Arc<Outbound>,
        config: Arc<OutboundConfig>,
        router: Arc<Router>,
        member: Arc<Member>,
        message: Event,
        mode: Mode,
    ) -> Self {
        let id: Arc<str> = message.get(header::UNIQUE_ID).unwrap_or_default().into();
        let new_uuid = Box::new(|| uuid::Uuid::new_v4().to_string());
        let harvest = Arc::<Mutex<Harvest>>::default();
        let bus = outbound.deps.bus.clone();
        let execution = Execution { router, bus, id: id.clone(), harvest: harvest.clone() };
        let client = Client::new(outbound.deps.clone(), member.clone(), id.clone());
        Self {
            outbound,
            config,
            client,
            execution,
            member,
            control: Control::new(id.clone(), mode, new_uuid),
            mode,
            id,
            message,
            harvest,
            waiting: VecDeque::new(),
            spoke: false,
        }
    }

    /// Obeys the program until it is done, tells `done` what became of the message, and takes leave; whether the program
    /// has listened to events or to the log.
    pub(crate) async fn run(
        mut self,
        incoming: &mut Incoming,
        deadline: Instant,
        done: oneshot::Sender<Handled>,
    ) -> bool {
        let end = self.until(incoming, deadline).await;
        let lingers = matches!(end, End::HungUp | End::Failed(SocketError::TooLate(_)));
        let garbled = matches!(end, End::Failed(SocketError::Unreadable(_)));
        let outcome = self.outcome(end);
        // The sender may have given up meanwhile.
        let _ = done.send((self.message.clone(), outcome));
        self.control.end_message();
        self.waiting.clear();
        if lingers {
            self.linger(incoming).await;
        } else if garbled {
            self.reply("-ERR command parse error.").await;
        }
        self.member.outbox.close(Some(self.notice(frame::GOODBYE)));
        self.client.listened
    }

    /// Obeys until the program is done, the time is over, or the server ends.
    async fn until(&mut self, incoming: &mut Incoming, deadline: Instant) -> End {
        let time = self.config.timeout;
        let mut stopping = self.outbound.stopping.subscribe();
        tokio::select! {
            end = timeout_at(deadline, self.obey(incoming)) => {
                end.unwrap_or(End::Failed(SocketError::TooLate(time)))
            }
            _ = stopping.wait_for(|stopping| *stopping) => End::Failed(SocketError::Stopping),
        }
    }

    /// What the end means for the message. What was dealt with stays so: a sender who is told to try again would have
    /// it done twice.
    fn outcome(&mut self, end: End) -> Result<Outcome, SocketError> {
        let mut harvest = self.harvest.lock();
        match end {
            End::Failed(error) if !harvest.has_dealt() => return Err(error),
            End::Failed(error) => {
                tracing::warn!("a program dealt with a message, but did not end well: {error}");
            }
            End::Left | End::HungUp => {}
        }
        Ok(harvest.outcome())
    }

    /// Takes commands and carries out orders, one at a time and in their order. When the program leaves, what it has
    /// ordered is still done.
    async fn obey(&mut self, incoming: &mut Incoming) -> End {
        // Dropped, it ends the app that runs.
        let mut running = JoinSet::new();
        let mut leaving = None;
        loop {
            if running.is_empty() {
                match self.waiting.front().map(|waiting| &waiting.order) {
                    Some(Order::Hangup { .. }) => return self.hang_up().await,
                    Some(Order::Execute(order)) => {
                        let run = self.execution.clone().run(order.clone(), self.message.clone());
                        running.spawn(run);
                    }
                    None => {
                        if let Some(end) = leaving.take() {
                            return end;
                        }
                    }
                }
            }
            let held_up = leaving.is_some() || self.waiting.iter().any(|waiting| waiting.reply);
            tokio::select! {
                Some(done) = running.join_next() => self.finished(done).await,
                said = incoming.command(), if !held_up => leaving = self.heed(said).await,
            }
        }
    }

    /// Takes a command; the end, when there will be no other.
    async fn heed(&mut self, said: Result<Command, Lost>) -> Option<End> {
        match said {
            Ok(command) => {
                self.spoke = true;
                self.command(&command).await
            }
            Err(Lost::Unreadable(error)) => Some(End::Failed(SocketError::Unreadable(error))),
            Err(Lost::Closed) if self.spoke => Some(End::Left),
            Err(Lost::Closed) => Some(End::Failed(SocketError::Silent)),
        }
    }

    async fn finished(&mut self, done: Result<Done, JoinError>) {
        let reply = match done {
            Ok(done) => {
                self.message = done.message;
                done.reply
            }
            Err(error) => {
                tracing::error!("an app that a program ran on a message broke off: {error}");
                "-ERR the app broke off".to_owned()
            }
        };
        if self.waiting.pop_front().is_some_and(|waiting| waiting.reply) {
            self.reply(&reply).await;
        }
    }

    async fn hang_up(&mut self) -> End {
        if let Some(Waiting { order: Order::Hangup { cause }, reply }) = self.waiting.pop_front() {
            self.harvest.lock().deal();
            channel::hangup(&self.outbound.deps.bus, &self.message, &self.id, &cause);
            if reply {
                self.reply("+OK").await;
            }
        }
        End::HungUp
    }

    /// Obeys one command; [`End::Left`] when it was the last.
    async fn command(&mut self, command: &Command) -> Option<End> {
        let mut steps = Vec::new();
        self.control.handle(command, &mut steps);
        for step in steps {
            match step {
                Step::Output(output) => {
                    let subscription = &self.control.session.subscription;
                    self.client.obey(output, subscription).await;
                }
                Step::Reply(text) => self.reply(&text).await,
                Step::Describe => {
                    let bus = &self.outbound.deps.bus;
                    let data = channel::data(bus, &self.message, &self.id, self.mode);
                    self.member.outbox.reply(data).await;
                }
                Step::Tell(name) => {
                    // FreeSWITCH has no answer for what is not there, and says so in these words.
                    let value = self.message.get(&name).unwrap_or("-ERR command not found").to_owned();
                    self.reply(&value).await;
                }
                Step::Order { order, wait } => self.take_order(order, wait).await,
                Step::Leave => return Some(End::Left),
            }
        }
        None
    }

    async fn take_order(&mut self, order: Order, wait: bool) {
        let octets: usize = self.waiting.iter().map(|waiting| waiting.order.octets()).sum();
        if self.waiting.len() >= MAX_WAITING || octets + order.octets() > MAX_WAITING_OCTETS {
            return self.reply("-ERR memory error").await;
        }
        if !wait {
            let text = match &order {
                Order::Execute(order) => self.execution.expect(order),
                Order::Hangup { .. } => "+OK".to_owned(),
            };
            self.reply(&text).await;
        }
        self.waiting.push_back(Waiting { order, reply: wait });
    }

    /// Lets a program that asked for it stay a while: it hears what becomes of the message.
    async fn linger(&mut self, incoming: &mut Incoming) {
        let most = self.config.max_linger;
        let time = match self.control.linger {
            Linger::No => return,
            Linger::Yes => most,
            Linger::For(time) => time.min(most),
        };
        self.member.outbox.reply(self.linger_notice(time)).await;
        let mut stopping = self.outbound.stopping.subscribe();
        tokio::select! {
            _ = timeout_at(Instant::now() + time, self.obey(incoming)) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    async fn reply(&mut self, text: &str) {
        self.member.outbox.reply(frame::reply(&one_line(text))).await;
    }

    /// The last frame.
    fn notice(&self, text: &str) -> Bytes {
        format!(
            "Content-Type: text/disconnect-notice\nControlled-Session-UUID: {}\nContent-Disposition: disconnect\n\
             Content-Length: {}\n\n{text}",
            one_line(&self.id),
            text.len()
        )
        .into()
    }

    fn linger_notice(&self, time: Duration) -> Bytes {
        format!(
            "Content-Type: text/disconnect-notice\nControlled-Session-UUID: {}\nContent-Disposition: linger\n\
             Channel-Name: {}\nLinger-Time: {}\nContent-Length: 0\n\n",
            one_line(&self.id),
            one_line(&channel::name(&self.message)),
            time.as_secs()
        )
        .into()
    }
}

/// A value in a frame's head. Clients decode it, so what would end the line is percent-encoded, and nothing else is,
/// for those who don't.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '%' => line.push_str("%25"),
            '\n' => line.push_str("%0A"),
            '\r' => line.push_str("%0D"),
            other => line.push(other),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_in_its_line() {
        for (text, expected) in [
            ("", ""),
            ("1000@here ž", "1000@here ž"),
            ("a\r\n\nContent-Type: x", "a%0D%0A%0AContent-Type: x"),
            ("50%", "50%25"),
        ] {
            assert_eq!(one_line(text), expected);
            assert_eq!(chappe_event::url_decode(expected), text);
        }
    }
}
