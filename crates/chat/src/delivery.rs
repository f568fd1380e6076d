//! Handing a message to the chat interface its `dest_proto` names, and to nobody in particular.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use chappe_event::{Event, header};

use crate::flow::{self, Ended};
use crate::limits::MAX_DETACHED;
use crate::{BoxFuture, ChatInterface, Delivery, Router, Sent, Tried, report};

/// Sends the message; [`Delivery::Failed`] when there is no such interface.
pub(crate) async fn send(router: &Router, dest_proto: &str, message: &mut Event) -> Delivery {
    match find(router, dest_proto) {
        Ok(interface) => send_by(&*interface, message).await.delivery,
        Err(failed) => failed,
    }
}

/// The chat interface of that name; [`Delivery::Failed`] when there is none.
pub(crate) fn find(router: &Router, dest_proto: &str) -> Result<Arc<dyn ChatInterface>, Delivery> {
    router.find_interface(dest_proto).ok_or_else(|| {
        tracing::error!("Invalid chat interface [{dest_proto}]!");
        Delivery::Failed(format!("there is no chat interface {dest_proto}"))
    })
}

pub(crate) async fn send_by(interface: &dyn ChatInterface, message: &mut Event) -> Tried {
    match interface.send(message) {
        Sent::Now(delivery) => delivery.into(),
        Sent::Later(later) => later.await,
    }
}

/// Routes a message that nobody waits for: it is on its way when this returns, and goes on by itself. FreeSWITCH
/// switch_loadable_module.c `switch_core_chat_deliver`.
pub(crate) fn detach(router: &Arc<Router>, dest_proto: &str, mut message: Event) {
    message.add(header::DEST_PROTO, dest_proto);
    let Some(place) = Place::take(router, &message) else { return };
    let mut work: BoxFuture = Box::pin(async move {
        flow::route(place.0.clone(), message).await;
    });
    if work.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Pending {
        (router.deps.spawn)(work);
    }
}

/// A place among the deliveries that nobody waits for, of which there are [`MAX_DETACHED`]; given back when dropped.
pub(crate) struct Place(pub(crate) Arc<Router>);

impl Place {
    /// None is left when too much is under way: the message is dropped, and reported so.
    pub(crate) fn take(router: &Arc<Router>, message: &Event) -> Option<Self> {
        if router.detached.fetch_add(1, Ordering::Relaxed) < MAX_DETACHED {
            return Some(Self(router.clone()));
        }
        router.detached.fetch_sub(1, Ordering::Relaxed);
        tracing::error!("Too much is under way, a message to {} is dropped", flow::addressee(message));
        if !router.quirks().reports {
            let overload = Delivery::Overloaded { retry_after_secs: 1 };
            report::send(router, message, &Ended::delivered(overload));
        }
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.detached.fetch_sub(1, Ordering::Relaxed);
    }
}
