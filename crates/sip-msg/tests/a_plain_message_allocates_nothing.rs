//! Reading a message of the usual size, and what routing asks of it, takes no memory of the heap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use chappe_sip_msg::{HeaderName, ResponseWriter, parse};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

const MESSAGE: &str = "MESSAGE sip:1001@example.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bKPj1\r\nVia: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKPj0\r\n\
    Max-Forwards: 70\r\nFrom: \"Alice\" <sip:1000@example.com>;tag=1\r\nTo: <sip:1001@example.com>\r\n\
    Call-ID: 8f7c@192.0.2.1\r\nCSeq: 4711 MESSAGE\r\nContact: <sip:1000@192.0.2.1:5070;ob>;expires=60\r\n\
    Allow: INVITE, ACK, BYE, CANCEL, MESSAGE\r\nUser-Agent: test\r\nX-1: a\r\nX-2: b\r\nX-3: c\r\nX-4: d\r\n\
    X-5: e\r\nX-6: f\r\nX-7: g\r\nX-8: h\r\nX-9: i\r\nX-10: j\r\nX-11: k\r\nX-12: l\r\n\
    Content-Type: text/plain;charset=utf-8\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn reading() {
    let read = || {
        let message = parse(MESSAGE.as_bytes()).expect("a message");
        assert_eq!(message.headers().len(), 24);
        assert!(message.uri().is_ok_and(|uri| uri.user_unescaped().is_some()));
        assert!(message.from().is_ok_and(|from| from.tag().is_some() && from.display_name().is_some()));
        assert!(message.to().is_ok() && message.cseq().is_ok() && message.vias().all(|via| via.is_ok()));
        assert_eq!(message.values(HeaderName::Allow).count(), 5);
        assert!(message.contacts().all(|contact| contact.is_ok()));
        assert!(message.headers().all(|header| !header.text().is_empty()));
    };
    assert_eq!(allocations(read), 0);
}

#[test]
fn answering() {
    let mut out = Vec::with_capacity(1024);
    let answer = || {
        let message = parse(MESSAGE.as_bytes()).expect("a message");
        let source = ([192, 0, 2, 9], 5070).into();
        ResponseWriter::to(&message, Some(source), 200, "", "tag", &mut out).finish();
    };
    assert_eq!(allocations(answer), 0);
    assert!(out.starts_with(b"SIP/2.0 200 OK\r\n"));
}
