//! Devices that sleep are woken, RFC 8599: a message waits meanwhile, and goes to the device once it registers again.
//!
//! Bounded: a device is woken once in `push-interval`, so many wake-ups are under way at a time (`push-max-queue`), each is
//! tried so often and for so long; what is beyond is left out and told of, and the device gets its message whenever it
//! registers.

mod device;
mod rate;
mod service;
mod waker;
mod webhook;

pub use device::{Asked, masked};
pub use service::{PushError, PushService, WakeUp, Why};
pub use waker::Waker;
pub use webhook::Webhook;
