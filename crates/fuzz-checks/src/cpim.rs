use chappe_chat::imdn::{Cpim, Notice, is_notification, notification, wanted};
use chappe_event::{Event, EventName};

/// Any `message/cpim` body: no panic, and what is told about it can be read, is about nothing else, and asks for nothing.
pub fn cpim(input: &[u8]) {
    let mut message = Event::new(EventName::Message);
    for (name, value) in [("proto", "sip"), ("from", "a@b"), ("to", "c@d"), ("type", "message/cpim")] {
        message.add(name, value);
    }
    message.set_body(Some(bytes::Bytes::copy_from_slice(input)));
    let Some(wanted_here) = wanted(&message) else { return };
    assert!(!is_notification(&message));
    let mut told = 0;
    for notice in NOTICES {
        let Some(event) = notification(&message, &wanted_here, notice, 0, "id") else { continue };
        told += 1;
        let body = event.body().expect("a notification has a body");
        assert!(body.len() < 12_000);
        let cpim = Cpim::read(body).expect("what is written can be read");
        assert_eq!((cpim.fields.len(), cpim.content_fields.len()), (5, 3));
        assert!(cpim.content.ends_with(b"</imdn>\r\n"));
        assert!(is_notification(&event) && wanted(&event).is_none());
    }
    assert!(told > 0, "whoever asks is told something");
}

const NOTICES: [Notice; 6] =
    [Notice::Delivered, Notice::Failed, Notice::Forbidden, Notice::Error, Notice::Processed, Notice::Stored];
