//! Messages and changes, in few words.

use bytes::Bytes;
use chappe_event::{Event, EventName};
use chappe_store::{Attempt, Change, Kept, MessageId, Micros, Record, State, Store};

pub fn id(number: u128) -> MessageId {
    MessageId::from(format!("{number:032x}").as_str())
}

pub fn event(text: &str) -> Event {
    let mut event = Event::new(EventName::Message);
    event.add("from", "1000@example.org");
    event.push("list", "a");
    event.push("list", "b");
    event.set_body(Some(Bytes::copy_from_slice(text.as_bytes())));
    event
}

/// A waiting message to `bob` of no origin, which runs out at 1,000.
pub fn kept(number: u128) -> Kept {
    Kept {
        id: id(number),
        origin: None,
        recipient: "bob@example.org".into(),
        sender: "1000@example.org".into(),
        state: State::Waiting,
        accepted: 10,
        not_before: 0,
        expires: 1000,
        attempts: Vec::new(),
        message: event(&format!("message {number}")),
    }
}

pub fn to(recipient: &str, number: u128) -> Kept {
    Kept { recipient: recipient.into(), ..kept(number) }
}

pub fn attempt(at: Micros, code: u16) -> Attempt {
    Attempt { at, device: format!("sip:bob@192.0.2.{at}").into(), code, reason: "why".into() }
}

pub fn ended(at: Micros, state: State) -> Change {
    Change::Ended { at, state, attempts: Vec::new() }
}

pub async fn record(store: &dyn Store, number: u128) -> Record {
    store.get(&id(number)).await.unwrap().expect("the message is there")
}

pub async fn state(store: &dyn Store, number: u128) -> State {
    record(store, number).await.summary.state
}

/// The numbers of messages.
pub fn numbers(records: &[Record]) -> Vec<u128> {
    records.iter().map(|record| number(&record.summary.id)).collect()
}

pub fn number(id: &MessageId) -> u128 {
    u128::from_str_radix(id.as_str(), 16).unwrap()
}
