//! What a hunt costs, by the number of extensions and by which of them matches; with arguments, one case for a profiler:
//! `hunt_cost KIND EXTENSIONS first|middle|last|none HUNTS`.
#![expect(clippy::disallowed_methods, reason = "the clock measures, it decides nothing")]

use std::env;
use std::sync::Arc;
use std::time::Instant;

use chappe_chatplan::{Answer, Hunt, Plan, Silent, Step, World};
use chappe_event::{Event, EventName, ExpandRules, Globals};
use jiff::tz::TimeZone;

/// A kind of condition by name: what stands in extension number `n` (`{n}`), and the header that makes it match.
const KINDS: [(&str, &str, &str); 6] = [
    ("literal", r#"<condition field="to" expression="^1{n}@">"#, "to"),
    ("groups", r#"<condition field="to" expression="^(1{n})@(.*)$">"#, "to"),
    ("caseless", r#"<condition field="_body" expression="/^word1{n} /i">"#, "_body"),
    ("inside", r#"<condition field="_body" expression="(word1{n}) ">"#, "_body"),
    (
        "two",
        r#"<condition field="type" expression="^text/plain"/><condition field="to" expression="^(1{n})@">"#,
        "to",
    ),
    ("unknown", r#"<condition field="to" expression="^\d(?=.*1{n}@).*$">"#, "to"),
];
const SIZES: [usize; 4] = [1, 100, 1_000, 10_000];
const PLACES: [&str; 4] = ["first", "middle", "last", "none"];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [kind, size, place, hunts] = &arguments[..] {
        let size = size.parse().expect("a number of extensions");
        let (plan, _) = plan(kind, size);
        cost(&plan, &message(kind, size, place), hunts.parse().expect("a number of hunts"));
        return;
    }
    println!(
        "{:10} {:>6} {:>12} {:>44}",
        "kind", "size", "compile us", "ns a hunt: first, middle, last, none"
    );
    for (kind, ..) in KINDS {
        for size in SIZES {
            let (plan, compiled) = plan(kind, size);
            print!("{kind:10} {size:6} {compiled:12.0}");
            for place in PLACES {
                let message = message(kind, size, place);
                let hunts = if size < 1_000 { 20_000 } else { 500 };
                cost(&plan, &message, 100);
                print!(" {:11.0}", cost(&plan, &message, hunts));
            }
            println!();
        }
    }
}

fn of_kind(kind: &str) -> (&'static str, &'static str) {
    let (_, condition, header) = KINDS.iter().find(|(name, ..)| *name == kind).expect("a known kind");
    (condition, header)
}

/// A plan of that kind, and the microseconds it took to compile.
fn plan(kind: &str, size: usize) -> (Arc<Plan>, f64) {
    let (condition, _) = of_kind(kind);
    let extensions: String = (0..size)
        .map(|n| {
            let condition = condition.replace("{n}", &format!("{n:05}"));
            format!(
                "<extension name=\"e{n}\">{condition}<action application=\"reply\" data=\"hello\"/></condition>\
                 </extension>"
            )
        })
        .collect();
    let text = format!(
        "<document><section name=\"chatplan\"><context name=\"default\">{extensions}</context></section></document>"
    );
    let begun = Instant::now();
    let (plan, _) = Plan::parse(&text, "chatplan.xml");
    (Arc::new(plan.expect("the plan can be read")), begun.elapsed().as_secs_f64() * 1e6)
}

/// A message with the headers that one from a device has.
fn message(kind: &str, size: usize, place: &str) -> Event {
    let number = match place {
        "first" => 0,
        "middle" => size / 2,
        "last" => size - 1,
        _ => 99_999,
    };
    let (_, header) = of_kind(kind);
    let mut event = Event::new(EventName::Message);
    let headers = [
        ("Message-ID", "0123456789abcdef0123456789abcdef"),
        ("login", "sip:mod_sofia@192.0.2.1:5060"),
        ("proto", "sip"),
        ("to_proto", "sip"),
        ("from", "1004@chat.test"),
        ("from_user", "1004"),
        ("from_host", "chat.test"),
        ("to_user", "1009"),
        ("to_host", "chat.test"),
        ("from_sip_ip", "192.0.2.7"),
        ("from_sip_port", "7104"),
        ("to", "1009@chat.test"),
        ("subject", "SIMPLE MESSAGE"),
        ("context", "default"),
        ("type", "text/plain"),
        ("from_full", "<sip:1004@chat.test>;tag=7"),
        ("sip_profile", "internal"),
        ("dest_proto", "sip"),
        ("max_forwards", "70"),
    ];
    headers.into_iter().for_each(|(name, value)| event.add(name, value));
    event.set_body(Some("hello there, how are you today? See you at the usual place at eight.".into()));
    match header {
        "to" => event.add("to", format!("1{number:05}@chat.test")),
        _ => {
            event.set_body(Some(format!("WORD1{number:05} word1{number:05} hello, see you at eight").into()))
        }
    }
    event
}

/// Nanoseconds a hunt.
fn cost(plan: &Arc<Plan>, message: &Event, hunts: u32) -> f64 {
    let globals = Globals::default();
    let world = World {
        globals: &globals,
        now_micros: 1_795_384_800_000_000,
        zone: &TimeZone::UTC,
        zone_named: &|_| None,
        rules: ExpandRules::default(),
    };
    let mut message = message.clone();
    let begun = Instant::now();
    for _ in 0..hunts {
        let step = Hunt::start(plan).next(&mut message, &world, Answer::Start, &mut Silent);
        assert!(matches!(step, Step::Done(_)), "nothing in these plans has to be asked for");
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(hunts)
}
