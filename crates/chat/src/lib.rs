//! The router: chat interfaces, apps, delivery, reports.
//!
//! In goes a message (an [`Event`](chappe_event::Event)), out come the [`Verdict`] for its sender, whatever the plan's
//! apps sent, and the events about it. [`Router::route`] is the way of every message: the chatplan is hunted step by
//! step, its actions run in order, then the message goes to the chat interface that `dest_proto` names, and the outcome
//! is told to the bus. An app is one file of [`apps`] and one row of its table; a chat interface is whoever implements
//! [`ChatInterface`].
//!
//! What can't be delivered at once waits in the [`Queue`].
//!
//! Invariant: this crate never sees SIP. It starts no task of its own (what must go on while nobody waits is handed to
//! the `spawn` of [`RouterDeps`]), holds no lock across an await, and no plan can make it loop, block or grow without
//! bound.
#![forbid(unsafe_code)]

mod alt_plan;
mod app;
pub mod apps;
mod asker;
mod chat_command;
mod delivery;
mod execute;
mod flow;
mod hunting;
pub mod imdn;
mod interface;
mod limits;
mod message_id;
mod originate;
mod queue;
mod quirks;
mod receipts;
mod report;
mod router;
mod send_message;
mod sending;
mod settings;
mod trace;
mod verdict;

pub use alt_plan::{AltPlans, NoAltPlans, Opening, PlanSource};
pub use app::{App, AppRow, Hold, Outcome, Ran, Sending};
pub use chat_command::{command_rows, register as register_commands};
pub use interface::{Again, ChatInterface, CopyEnd, Delivery, InterfaceRow, Rest, Sent, Tried};
pub use message_id::MessageName;
pub use queue::{Before, OfflineCopy, Queue, QueueSettings};
pub use quirks::Quirks;
pub use report::EVENTS;
pub use router::{BoxFuture, Router, RouterDeps, Spawn};
pub use sending::best_of;
pub use settings::Settings;
pub use verdict::{Routed, Verdict};
