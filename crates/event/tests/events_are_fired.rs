//! Events reach those who want them, with the headers that all events have.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chappe_event::{Bus, Calling, Event, EventName, Identity, ManualClock, Subscriber, header};

/// Keeps what it gets: all events but `Heartbeat`, of the CUSTOM ones only `SMS::SEND_MESSAGE`.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Arc<Event>>>,
    deaf: AtomicBool,
}

impl Ear {
    fn heard(&self) -> Vec<Arc<Event>> {
        std::mem::take(&mut self.heard.lock().expect("nobody panicked"))
    }
}

impl Subscriber for Ear {
    fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
        !self.deaf.load(Ordering::Relaxed)
            && name != EventName::Heartbeat
            && subclass.is_none_or(|subclass| subclass == "SMS::SEND_MESSAGE")
    }

    fn deliver(&self, event: &Arc<Event>) {
        self.heard.lock().expect("nobody panicked").push(event.clone());
    }
}

fn bus() -> (Bus, Arc<ManualClock>) {
    let identity = Identity {
        core_uuid: "f9c2f6f7-0000-4000-8000-000000000000".to_owned(),
        hostname: "tower".to_owned(),
        switchname: "chappe".to_owned(),
        ipv4: "192.0.2.1".to_owned(),
        ipv6: "::1".to_owned(),
    };
    let clock = Arc::new(ManualClock::at(1_795_384_800_000_001));
    (Bus::new(Arc::new(identity), clock.clone()), clock)
}

fn listening() -> (Bus, Arc<Ear>) {
    let (bus, ear) = (bus().0, Arc::new(Ear::default()));
    bus.subscribe(ear.clone());
    (bus, ear)
}

fn texts(event: &Event) -> Vec<(String, String)> {
    event.headers().map(|(name, value)| (name.to_owned(), value.as_str().to_owned())).collect()
}

fn names(event: &Event) -> Vec<&str> {
    event.headers().map(|(name, _)| name).collect()
}

const CORE: [&str; 13] = [
    "Event-Name",
    "Core-UUID",
    "FreeSWITCH-Hostname",
    "FreeSWITCH-Switchname",
    "FreeSWITCH-IPv4",
    "FreeSWITCH-IPv6",
    "Event-Date-Local",
    "Event-Date-GMT",
    "Event-Date-Timestamp",
    "Event-Calling-File",
    "Event-Calling-Function",
    "Event-Calling-Line-Number",
    "Event-Sequence",
];

const CALLING: Calling =
    Calling { file: "sofia_presence.c", function: "sofia_presence_handle_sip_i_message", line: 7 };

#[test]
fn core_headers_come_in_freeswitchs_order() {
    let (bus, _) = bus();
    let event = bus.event(EventName::Message, CALLING);
    let values = [
        "MESSAGE",
        "f9c2f6f7-0000-4000-8000-000000000000",
        "tower",
        "chappe",
        "192.0.2.1",
        "::1",
        "2026-11-22 22:00:00",
        "Sun, 22 Nov 2026 22:00:00 GMT",
        "1795384800000001",
        "sofia_presence.c",
        "sofia_presence_handle_sip_i_message",
        "7",
        "1",
    ];
    let expected: Vec<_> = CORE.iter().zip(values).map(|(n, v)| ((*n).to_owned(), v.to_owned())).collect();
    assert_eq!(texts(&event), expected);
    assert_eq!(bus.event(EventName::Api, CALLING).get(header::EVENT_SEQUENCE), Some("2"));
}

#[test]
fn the_time_is_the_clocks() {
    let (bus, clock) = bus();
    clock.advance(999_999);
    assert_eq!(bus.event(EventName::Api, CALLING).get("event-date-local"), Some("2026-11-22 22:00:01"));
    clock.advance(86_400_000_000);
    let event = bus.event(EventName::Api, CALLING);
    assert_eq!(event.get(header::EVENT_DATE_GMT), Some("Mon, 23 Nov 2026 22:00:01 GMT"));
}

#[test]
fn an_unprepared_event_gets_them_on_top() {
    let (bus, ear) = listening();
    let mut event = Event::new(EventName::Message);
    event.add(header::TO, "1009@chat.test");
    event.add(header::EVENT_NAME, "RECV_MESSAGE");
    bus.fire(event);
    let heard = ear.heard();
    let core: Vec<_> =
        CORE.iter().filter(|name| !matches!(**name, "Event-Name" | "Event-Calling-Function")).collect();
    assert_eq!(heard[0].get(header::EVENT_CALLING_FILE), Some("events_are_fired.rs"));
    let heard: Vec<_> = names(&heard[0]);
    assert_eq!(heard.iter().take(11).collect::<Vec<_>>(), core);
    assert_eq!(heard[11..], ["to", "Event-Name"]);
}

#[test]
fn a_prepared_event_stays_as_it_is() {
    let (bus, ear) = listening();
    let mut event = Event::new(EventName::SendMessage);
    event.add("Command", "sendevent SEND_MESSAGE");
    bus.prepare(&mut event, CALLING);
    let before = event.clone();
    bus.fire(event);
    assert_eq!(*ear.heard()[0], before);
    assert_eq!(names(&before)[..2], ["Command", "Event-Name"]);
}

#[test]
fn listeners_see_the_subclass_first() {
    let (bus, ear) = listening();
    bus.fire(bus.custom("SMS::SEND_MESSAGE", CALLING));
    let mut event = Event::new(EventName::Custom);
    event.add("Command", "sendevent CUSTOM");
    event.add("event-subclass", "SMS::SEND_MESSAGE");
    bus.fire(event);
    for event in ear.heard() {
        assert_eq!(names(&event)[..2], ["Event-Subclass", "Event-Name"]);
        assert_eq!(
            names(&event).iter().filter(|name| name.eq_ignore_ascii_case("event-subclass")).count(),
            1
        );
    }
}

#[test]
fn only_what_is_wanted_arrives() {
    let (bus, ear) = listening();
    bus.fire(Event::new(EventName::Heartbeat));
    bus.fire(Event::custom("SMS::DELIVERY_REPORT"));
    bus.fire(Event::custom("SMS::SEND_MESSAGE"));
    bus.fire(Event::new(EventName::Api));
    let heard: Vec<_> = ear.heard().iter().map(|event| event.name()).collect();
    assert_eq!(heard, [EventName::Custom, EventName::Api]);
    assert!(bus.wanted(EventName::Api, None));
    assert!(!bus.wanted(EventName::Heartbeat, None));
    assert!(bus.wanted(EventName::Custom, None));
    assert!(!bus.wanted(EventName::Custom, Some("SMS::DELIVERY_REPORT")));
}

#[test]
fn listeners_come_change_and_go() {
    let (bus, _) = bus();
    assert!(EventName::LIST.iter().all(|name| !bus.wanted(*name, None)));
    let (first, second) = (Arc::new(Ear::default()), Arc::new(Ear::default()));
    let id = bus.subscribe(first.clone());
    bus.subscribe(second.clone());
    bus.fire(Event::new(EventName::All));
    bus.unsubscribe(id);
    bus.fire(Event::new(EventName::Message));
    assert_eq!((first.heard().len(), second.heard().len()), (1, 2));
    second.deaf.store(true, Ordering::Relaxed);
    bus.refresh();
    assert!(!bus.wanted(EventName::Message, None));
}

#[test]
fn hooks_run_before_the_listeners_and_without_them() {
    let (bus, _) = bus();
    let runs = Arc::new(Mutex::new(Vec::new()));
    let seen = runs.clone();
    let hook = move |event: &mut Event| {
        event.add(header::SKIP_GLOBAL_PROCESS, "true");
        seen.lock().expect("nobody panicked").push(event.get(header::EVENT_SEQUENCE).map(str::to_owned));
    };
    let id = bus.add_hook(EventName::Custom, Some("SMS::SEND_MESSAGE"), Arc::new(hook));
    assert!(!bus.wanted(EventName::Custom, None), "a hook is no listener");
    bus.fire(Event::custom("SMS::SEND_MESSAGE"));
    let ear = Arc::new(Ear::default());
    bus.subscribe(ear.clone());
    bus.fire(Event::custom("SMS::SEND_MESSAGE"));
    bus.fire(Event::custom("SMS::DELIVERY_REPORT"));
    assert_eq!(names(&ear.heard()[0]).last(), Some(&"skip_global_process"));
    bus.remove_hook(id);
    bus.fire(Event::custom("SMS::SEND_MESSAGE"));
    assert_eq!(*runs.lock().expect("nobody panicked"), [Some("1".to_owned()), Some("2".to_owned())]);
}
