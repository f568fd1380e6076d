//! Any datagram: no panic, and an answer to it is a message.

#![no_main]

use chappe_sip_msg::{Message, NameAddr, ResponseWriter, Via, auth_params, parse};
use libfuzzer_sys::fuzz_target;

fn look_at(message: &Message<'_>) {
    for header in message.headers() {
        let _ = (header.text(), auth_params(header.value).count(), Via::parse(header.value).is_ok());
        if let Ok(address) = NameAddr::parse(header.name, header.value) {
            let _ =
                (address.display_name(), address.tag(), address.q(), address.expires(), address.uri.aor());
        }
    }
    let _ = (message.method(), message.cseq().is_ok(), message.max_forwards(), message.expires());
    let _ = (message.vias().count(), message.contacts().count(), message.content_type().is_some());
}

fn answer(request: &Message<'_>, code: u16) -> Vec<u8> {
    let mut out = Vec::new();
    ResponseWriter::to(request, Some(([192, 0, 2, 1], 5060).into()), code, "", "tag", &mut out).finish();
    out
}

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Ok(message) => {
            look_at(&message);
            if message.is_request() {
                let answer = answer(&message, 200);
                let read = parse(&answer).expect("an answer to a good request is good");
                assert_eq!(read.call_id(), message.call_id());
            }
        }
        Err(error) => {
            error.message().into_iter().for_each(look_at);
            if let Some(request) = error.answerable() {
                answer(request, error.status());
            }
        }
    }
});
