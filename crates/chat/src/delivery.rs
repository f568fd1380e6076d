//! Handing a message to the chat interface its `dest_proto` names, and to nobody in particular.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use chappe_event::{Event, header};

use crate::limits::MAX_DETACHED;
use crate::{Delivery, Router, Sent, flow};

/// Sends the message; [`Delivery::Failed`] when there is no such interface.
pub(crate) async fn send(router: &Router, dest_proto: &str, message: &mut Event) -> Delivery {
    let Some(interface) = router.find_interface(dest_proto) else {
        tracing::error!("Invalid chat interface [{dest_proto}]!");
        return Delivery::Failed(format!("there is no chat interface {dest_proto}"));
    };
    match interface.send(message) {
        Sent::Now(delivery) => delivery,
        Sent::Later(later) => later.await,
    }
}

/// Routes a message that nobody waits for: it is on its way when this returns, and goes on by itself. FreeSWITCH
/// switch_loadable_module.c `switch_core_chat_deliver`.
pub(crate) fn detach(router: &Arc<Router>, dest_proto: &str, mut message: Event) {
    message.add(header::DEST_PROTO, dest_proto);
    if router.detached.load(Ordering::Relaxed) >= MAX_DETACHED {
        tracing::error!("Too many replies are under way, one is dropped");
        return;
    }
    let counted = Counted::new(router.clone());
    let mut work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        flow::route(counted.0.clone(), message).await;
    });
    if work.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Pending {
        (router.deps.spawn)(work);
    }
}

/// One of the deliveries that nobody waits for.
struct Counted(Arc<Router>);

impl Counted {
    fn new(router: Arc<Router>) -> Self {
        router.detached.fetch_add(1, Ordering::Relaxed);
        Self(router)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.detached.fetch_sub(1, Ordering::Relaxed);
    }
}
