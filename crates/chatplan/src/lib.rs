//! XML to a plan; conditions; the hunt, step by step.
//!
//! In goes the `chatplan` section of a configuration, out comes a [`Plan`]: attributes resolved, expressions compiled,
//! everything odd reported with its file and line. A [`Hunt`] then takes one message through it and hands out one
//! [`Step`] at a time (an inline app to run, an API command to ask, a file to open, the collected actions), so that a
//! slow answer pauses one message and nothing else. What the hunt does and in which words it says so is FreeSWITCH's,
//! mod_sms.c `chatplan_hunt` and `parse_exten`.
//!
//! Invariant: nothing here opens a file or a socket, reads a clock, runs an app or knows SIP. One hunt does a bounded
//! amount of work, whatever the plan and the message: [`limits`] has the numbers.
#![forbid(unsafe_code)]

mod compile;
mod date_time;
mod expression;
mod filter;
mod hunt;
mod known;
pub mod limits;
mod plan;
mod sms_config;
mod step;
mod trace;

pub use hunt::Hunt;
pub use plan::Plan;
pub use sms_config::{SMS_PARAMS, SmsConfig, StoreChoice};
pub use step::{Action, Answer, Hunted, Step, World};
pub use trace::{Silent, Trace};
