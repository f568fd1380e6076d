//! Extensions that can't match are passed over, and it makes no difference: a hunt whose trace somebody reads walks through
//! all of them, and comes to the same.

use std::cell::Cell;

use chappe_event::Event;
use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::driver::{Found, hunt_traced, message, plan};

/// Ones in which nothing happens, so that there are enough for a filter.
const OTHERS: &str = "<extension><condition field=\"to_user\" expression=\"^555$\"><action application=\"never\"/></condition>\
                      </extension>";

/// Both ways through the extensions; panics where they differ.
fn both(extensions: &str, message: Event) -> (Found, Found) {
    let plan = plan(&format!("<context name=\"default\">{extensions}</context>"));
    let (walked, filtered) = (hunt_traced(&plan, message.clone(), true), hunt_traced(&plan, message, false));
    if let Some(difference) = difference(&walked, &filtered) {
        panic!("{difference}\n{extensions}");
    }
    (walked, filtered)
}

fn difference(walked: &Found, filtered: &Found) -> Option<String> {
    let loud: Vec<_> = walked.lines.iter().filter(|line| line.starts_with('[')).collect();
    let whole = |found: &Found| {
        let Found { hunted, asked, message, .. } = found;
        format!("{hunted:?}\n{asked:?}\n{message:?}")
    };
    if loud != filtered.lines.iter().collect::<Vec<_>>() {
        return Some(format!("{loud:?} became {:?}", filtered.lines));
    }
    let (walked, filtered) = (whole(walked), whole(filtered));
    (walked != filtered).then(|| format!("{walked}\nbecame\n{filtered}"))
}

/// The actions that are found in the extensions, among others before and behind them.
fn check(extensions: &str, message: Event, actions: &[&str]) {
    let (_, found) = both(&format!("{}{extensions}{}", OTHERS.repeat(5), OTHERS.repeat(5)), message);
    assert_eq!(found.actions(), actions, "{extensions}");
}

fn with(name: &'static str, value: &str) -> Event {
    let mut message = message();
    message.add(name, value);
    message
}

#[test]
fn what_cannot_match_is_not_looked_at() {
    let last = "<extension><condition field=\"to_user\" expression=\"^1009$\"><action application=\"found\"/></condition></extension>";
    let looks = |others: usize| both(&format!("{}{last}", OTHERS.repeat(others)), message()).1.looks;
    assert_eq!(looks(10), looks(1_000));
}

#[test]
fn a_failing_condition_may_still_bring_something_about() {
    let anti = "<extension><condition field=\"to\" expression=\"^x\"><anti-action application=\"anti\"/></condition></extension>";
    check(anti, message(), &["anti(-)"]);
    let time = "<extension><condition year=\"2026\" field=\"to\" expression=\"^x\"><action application=\"time\"/></condition></extension>";
    check(time, message(), &["time(-)"]);
    let never = "<extension><condition field=\"to\" expression=\"^x\" break=\"never\"/><condition><action application=\"on\"/>\
                 </condition></extension>";
    check(never, message(), &["on(-)"]);
}

#[test]
fn one_of_several_conditions_is_enough() {
    let either = "<extension><condition field=\"to\" expression=\"^x\" break=\"on-true\"><action application=\"a\"/></condition>\
                  <condition field=\"from\" expression=\"^1004@\"><action application=\"b\"/></condition></extension>";
    check(either, message(), &["b(-)"]);
    check(either, with("to", "x@chat.test"), &["a(-)"]);
    check(either, with("from", "1005@chat.test"), &[]);
}

#[test]
fn a_time_that_ends_the_hunt_is_not_passed_over() {
    let ends = "<extension><condition field=\"to\" expression=\"1009\"/><condition year=\"1999\"/><condition field=\"to\" \
                expression=\"^other\"><action application=\"a\"/></condition></extension>\
                <extension><condition><action application=\"behind\"/></condition></extension>";
    check(ends, message(), &[]);
}

#[test]
fn a_match_without_actions_ends_the_hunt() {
    let ends = "<extension><condition field=\"to\" expression=\"^1009@\"/></extension>\
                <extension><condition><action application=\"behind\"/></condition></extension>";
    check(ends, message(), &[]);
    check(ends, with("to", "1008@chat.test"), &["behind(-)"]);
}

#[test]
fn an_inline_app_changes_who_is_next() {
    let set = "<extension continue=\"true\"><condition field=\"to\" expression=\"^1009@\"><action application=\"set\" \
               data=\"to=changed\" inline=\"true\"/></condition></extension>\
               <extension continue=\"true\"><condition field=\"to\" expression=\"^1009@\"><action application=\"old\"/></condition></extension>\
               <extension><condition field=\"to\" expression=\"^changed$\"><action application=\"new\"/></condition></extension>";
    check(set, message(), &["new(-)"]);
}

#[test]
fn what_a_match_tells_the_message_is_seen() {
    let told = "<extension continue=\"true\"><condition field=\"to\" expression=\"^(1009)@\"/></extension>\
                <extension><condition field=\"dp_match\" expression=\"^1009$\"><action application=\"told\"/></condition></extension>";
    check(told, message(), &["told(-)"]);
}

#[test]
fn missing_fields_arrays_and_last_newlines_count_as_ever() {
    let one = |field: &str, expression: &str| {
        format!(
            "<extension><condition field=\"{field}\" expression=\"{expression}\"><action application=\"a\"/></condition></extension>"
        )
    };
    check(&one("missing", "^$"), message(), &["a(-)"]);
    check(&one("list[1]", "^two$"), with("list", "ARRAY::one|:two"), &["a(-)"]);
    check(&one("to", "^1009$"), with("to", "1009\n"), &["a(-)"]);
    check(&one("to", "1009$"), with("to", "x1009\n"), &["a(-)"]);
    check(&one("to", "/^X1009$/i"), with("to", "x1009\n"), &["a(-)"]);
    check(&one("_body", "/LLO TH/i"), message(), &["a(-)"]);
    check(&one("_body", "(llo|bye) th"), message(), &["a(-)"]);
    check(&one("_BODY", "hello"), message(), &[]);
}

const FIELDS: &[&str] = &[
    "to",
    "to",
    "to",
    "to_user",
    "from_user",
    "TO",
    "_body",
    "_body",
    "x",
    "x",
    "y",
    "missing",
    "DP_MATCH",
    "dp_match[0]",
    "list[1]",
    "${to}",
    "${x}-${y}",
    "${up(x)}",
    "cost$",
    "",
];

const EXPRESSIONS: &[&str] = &[
    "^1009@",
    "^1009@",
    "^1004",
    "^555",
    "1009",
    "^(10)(09)",
    "^(1004|1009)$",
    "^hello",
    "/^HELLO/i",
    "(?i)HELLO",
    "there$",
    "@chat\\.test$",
    "^$",
    "",
    "(",
    "v1|v2",
    "^v[12]$",
    "^(v1|v2)$",
    "v1",
    "^v1$",
    "^v2$",
    "^v3",
    "\\d+",
    "^1?0",
    "_10XX",
    "_X.",
    "^1009@chat.test$",
    "${to_user}",
    "^${x}$",
    "$${domain}",
    "${up(v)}",
    "two",
    "nowhere",
    "^nowhere$",
    "cost",
    "^10",
    "X",
    "/x/",
    "/x",
    "^(.*)$",
];

const BREAKS: &[&str] =
    &["", "", "", "break='on-true'", "break='always'", "break='never'", "break='on-false'", "break='odd'"];

const TIMES: &[&str] =
    &["", "", "", "", "", "year='2026'", "year='1999'", "wday='1' time-of-day='00:00-23:59'", "hour='3'"];

const ACTIONS: &[&str] = &[
    "",
    "",
    "",
    "<action application='a'/>",
    "<action application='b' data='$1'/>",
    "<anti-action application='c'/>",
    "<action application='d' loop='0'/>",
    "<action application='set' data='x=v1' inline='true'/>",
    "<action application='set' data='y=$1' inline='true'/>",
    "<action application='set' data='to=555@chat.test' inline='true'/>",
    "<anti-action application='set' data='x=v2' inline='true'/>",
    "<action application='set' data='x=' inline='true'/>",
    "<action application='e'/><anti-action application='f'/>",
    "<condition field='to'/>",
];

const CONTINUES: &[&str] = &["", "continue='true'", "continue='true'", "continue='false'"];

/// Headers that messages may have, one or two a message.
const HEADERS: &[(&str, &str)] = &[
    ("x", "v1"),
    ("x", "v2"),
    ("y", "v1"),
    ("to", "1004@chat.test"),
    ("to", "1009@chat.test\n"),
    ("to", ""),
    ("to_user", "1004"),
    ("list", "ARRAY::one|:two"),
    ("_body", "Hello"),
    ("_body", "there\n"),
    ("_body", "over there"),
    ("DP_MATCH", "v1"),
    ("context", "default"),
];

#[test]
fn no_plan_and_no_message_shows_a_difference() {
    let condition = (select(FIELDS), select(EXPRESSIONS), select(BREAKS), select(TIMES), select(ACTIONS))
        .prop_map(|(field, expression, break_on, time, actions)| {
            let field = if field.is_empty() { String::new() } else { format!("field='{field}'") };
            format!("<condition {field} expression='{expression}' {break_on} {time}>{actions}</condition>")
        });
    let extension = (select(CONTINUES), vec(condition, 0..4)).prop_map(|(continues, conditions)| {
        format!("<extension {continues}>{}</extension>", conditions.concat())
    });
    let case = (vec(extension, 4..10), vec(select(HEADERS), 0..3));
    let config =
        Config { cases: 6_000, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (walked_looks, filtered_looks) = (Cell::new(0), Cell::new(0));
    runner
        .run(&case, |(extensions, headers)| {
            let mut message = message();
            headers.into_iter().for_each(|(name, value)| message.add(name, value));
            let plan = plan(&format!("<context name=\"default\">{}</context>", extensions.concat()));
            let walked = hunt_traced(&plan, message.clone(), true);
            let filtered = hunt_traced(&plan, message, false);
            walked_looks.set(walked_looks.get() + walked.looks);
            filtered_looks.set(filtered_looks.get() + filtered.looks);
            match difference(&walked, &filtered) {
                None => Ok(()),
                Some(difference) => Err(TestCaseError::fail(difference)),
            }
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let (walked, filtered) = (walked_looks.get(), filtered_looks.get());
    assert!(
        filtered * 10 < walked * 9,
        "hardly anything is passed over: {filtered} looks instead of {walked}"
    );
}
