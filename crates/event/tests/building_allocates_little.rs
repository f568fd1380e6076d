//! What happens to each message asks the allocator for a handful of blocks, however many headers there are.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use chappe_event::{
    Bus, Calling, Event, EventName, ExpandRules, Globals, Identity, ManualClock, expand_with, header,
};

struct Counting;

thread_local! {
    static BLOCKS: Cell<u32> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it is; counting touches a thread-local integer that needs
// neither an allocation nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BLOCKS.set(BLOCKS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        BLOCKS.set(BLOCKS.get() + 1);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The blocks that `work` asks for.
fn blocks<T>(work: impl FnOnce() -> T) -> (u32, T) {
    let before = BLOCKS.get();
    let made = work();
    (BLOCKS.get() - before, made)
}

fn bus() -> Bus {
    let text = |text: &str| text.to_owned();
    let identity = Identity {
        core_uuid: text("f9c2f6f7-0000-4000-8000-000000000000"),
        hostname: text("tower.chat.test"),
        switchname: text("tower.chat.test"),
        ipv4: text("192.0.2.1"),
        ipv6: text("::1"),
    };
    Bus::new(Arc::new(identity), Arc::new(ManualClock::at(1_795_384_800_000_000)))
}

fn message(bus: &Bus, body: &Bytes) -> Event {
    let calling = Calling::here("sofia_presence_handle_sip_i_message");
    let mut event = bus.event(EventName::Message, calling);
    event.add(header::LOGIN, "sip:mod_sofia@192.0.2.1:5060");
    event.add(header::PROTO, "sip");
    event.add(header::TO_PROTO, "sip");
    event.add(header::FROM, "1004@chat.test");
    event.add(header::FROM_USER, "1004");
    event.add(header::FROM_HOST, "chat.test");
    event.add(header::TO_USER, "1009");
    event.add(header::TO_HOST, "chat.test");
    event.add(header::FROM_SIP_IP, "192.0.2.4");
    event.add_display(header::FROM_SIP_PORT, 5060);
    event.add(header::TO, "1009@chat.test");
    event.add(header::SUBJECT, "SIMPLE MESSAGE");
    event.add(header::CONTEXT, "default");
    event.add(header::TYPE, "text/plain");
    event.add(header::FROM_FULL, "\"Claude\" <sip:1004@chat.test>;tag=8d3f3f1e");
    event.add(header::SIP_PROFILE, "internal");
    event.add(header::DEST_PROTO, "sip");
    event.add_display(header::MAX_FORWARDS, 70);
    event.add(header::DP_MATCH, "1009@chat.test");
    event.add(header::NONBLOCKING_DELIVERY, "true");
    event.set_body(Some(body.clone()));
    event
}

#[test]
fn a_message_takes_three_blocks() {
    let (bus, body) = (bus(), Bytes::from_static(b"hello there"));
    // The texts of the current second are made by the first.
    message(&bus, &body);
    let (asked, event) = blocks(|| message(&bus, &body));
    assert_eq!((asked, event.headers().len()), (3, 33));
    let (asked, copy) = blocks(|| event.clone());
    assert_eq!(asked, 3);
    assert_eq!(copy, event);
}

#[test]
fn an_event_that_nobody_wants_takes_none() {
    let (bus, body) = (bus(), Bytes::from_static(b"hello there"));
    let event = message(&bus, &body);
    assert_eq!(blocks(|| bus.wanted(EventName::Message, None)), (0, false));
    assert_eq!(blocks(|| bus.fire(event)), (0, ()));
}

#[test]
fn an_expansion_takes_a_handful() {
    let (bus, globals) = (bus(), Globals::new());
    globals.set("domain", "chat.test");
    let event = message(&bus, &Bytes::from_static(b"hello there"));
    let expand = |text: &'static str| {
        expand_with(text, &event, &globals, ExpandRules::default(), |_, _| String::new())
    };
    expand("${domain}");
    let (asked, text) = blocks(|| expand("Hello ${from_user}@${domain}, you said: ${_body}"));
    assert_eq!((asked, text.as_ref()), (3, "Hello 1004@chat.test, you said: hello there"));
    let (asked, _) = blocks(|| expand("nothing to do"));
    assert_eq!(asked, 0);
}
