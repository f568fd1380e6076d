//! Log lines look as FreeSWITCH's, and reach those who read their level.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use chappe_event::{LogBus, LogLevel, LogLine, LogSink};

fn line(level: LogLevel) -> LogLine {
    LogLine {
        level,
        file: "mod_sms.c".into(),
        line: 371,
        at_micros: 1_795_384_800_000_042,
        offset: jiff::tz::offset(1),
        idle_cpu: 99.93,
        text: "Processing text message 1004->1009 in context default".to_owned(),
        ..LogLine::default()
    }
}

#[test]
fn a_line_says_when_how_much_and_where() {
    assert_eq!(
        line(LogLevel::Info).formatted(),
        "2026-11-22 23:00:00.000042 99.93% [INFO] mod_sms.c:371 \
         Processing text message 1004->1009 in context default"
    );
    let clean = LogLine { clean: true, text: "Chatplan: 1009".to_owned(), ..line(LogLevel::Debug) };
    assert_eq!(clean.to_string(), "Chatplan: 1009");
}

#[test]
fn levels_are_read_as_freeswitch_does() {
    let cases = [
        ("debug", Some(LogLevel::Debug)),
        ("ERR", Some(LogLevel::Err)),
        ("Console", Some(LogLevel::Console)),
        ("0", Some(LogLevel::Console)),
        ("4", Some(LogLevel::Warning)),
        ("10", Some(LogLevel::Debug)),
        ("-3", Some(LogLevel::Console)),
        ("disable", None),
        ("error", None),
        ("", None),
    ];
    for (text, level) in cases {
        assert_eq!(LogLevel::parse(text), level, "{text:?}");
    }
    for level in LogLevel::LIST {
        assert_eq!(LogLevel::from_number(i32::from(level.number())), level);
    }
}

/// Reads up to the level with a number, 255 for none.
struct Reader(AtomicU8, Mutex<Vec<LogLevel>>);

impl Reader {
    fn up_to(number: u8) -> Arc<Self> {
        Arc::new(Self(AtomicU8::new(number), Mutex::default()))
    }

    fn read(&self) -> Vec<LogLevel> {
        std::mem::take(&mut self.1.lock().expect("nobody panicked"))
    }
}

impl LogSink for Reader {
    fn level(&self) -> Option<LogLevel> {
        LogLevel::LIST.get(usize::from(self.0.load(Ordering::Relaxed))).copied()
    }

    fn log(&self, line: &Arc<LogLine>) {
        self.1.lock().expect("nobody panicked").push(line.level);
    }
}

#[test]
fn lines_reach_those_who_read_their_level() {
    let bus = LogBus::new();
    assert_eq!(bus.max_level(), None);
    assert!(!bus.wanted(LogLevel::Console));
    let (all, some) = (Reader::up_to(7), Reader::up_to(3));
    let id = bus.add(all.clone());
    bus.add(some.clone());
    for level in [LogLevel::Debug, LogLevel::Err, LogLevel::Console] {
        bus.send(line(level));
    }
    assert_eq!(all.read(), [LogLevel::Debug, LogLevel::Err, LogLevel::Console]);
    assert_eq!(some.read(), [LogLevel::Err, LogLevel::Console]);
    bus.remove(id);
    assert_eq!(bus.max_level(), Some(LogLevel::Err));
    some.0.store(255, Ordering::Relaxed);
    bus.refresh();
    bus.send(line(LogLevel::Console));
    assert_eq!((bus.max_level(), some.read()), (None, vec![]));
}

#[test]
fn a_change_of_level_is_told() {
    let bus = LogBus::new();
    let told = Arc::new(AtomicU8::new(0));
    let count = told.clone();
    bus.on_level_change(Box::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    }));
    let id = bus.add(Reader::up_to(3));
    bus.add(Reader::up_to(3));
    bus.refresh();
    assert_eq!(told.load(Ordering::Relaxed), 1);
    bus.remove(id);
    assert_eq!(told.load(Ordering::Relaxed), 1);
    bus.add(Reader::up_to(7));
    assert_eq!(told.load(Ordering::Relaxed), 2);
}
