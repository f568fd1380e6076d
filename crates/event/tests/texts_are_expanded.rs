//! `${...}` in texts gives what FreeSWITCH gives, and stops at API commands and at its limits.

use bytes::Bytes;
use chappe_event::{Event, EventName, Expand, ExpandRules, Expansion, Globals, expand_with, has_expansion};
use proptest::prelude::*;

fn message() -> Event {
    let mut event = Event::new(EventName::Message);
    event.add("from_user", "1004");
    event.add("to_user", "1009");
    event.add("to", "1009@chat.test");
    event.add("to_copy", "${to}");
    event.add("which", "to_user");
    event.add("accents", "éa");
    event.add("list", "ARRAY::one|:two|:three");
    event.add("100", "a number");
    event.set_body(Some(Bytes::from_static(b"give me ${to_user} and $1 \\n")));
    event
}

fn globals() -> Globals {
    let globals = Globals::new();
    globals.set("domain", "chat.test");
    globals.set("greeting", "Good day");
    globals.set("to_user", "hidden behind the header");
    globals.set("reference", "${to_user}");
    globals.set("escapes", r"don\'t \\o/");
    globals
}

fn expand(text: &str) -> String {
    let api = |command: &str, args: &str| match command {
        "nosuchapi" => String::new(),
        _ => format!("<{command}|{args}>"),
    };
    expand_with(text, &message(), &globals(), ExpandRules::default(), api).into_owned()
}

#[test]
fn references_give_what_freeswitch_gives() {
    let cases = [
        // headers, globals, the body
        ("${from_user}/${to_user}", "1004/1009"),
        ("${FROM_USER}", "1004"),
        ("[${missing}]", "[]"),
        ("${greeting}, ${to_user}", "Good day, 1009"),
        ("$${to_user}", "hidden behind the header"),
        ("$${undefined_global}.", "."),
        ("you said ${_body}", r"you said give me ${to_user} and $1 \n"),
        ("${body}", ""),
        ("${to_copy}", "${to}"),
        ("${reference}", "%{to_user}"),
        ("${escapes}", r"dont \o/"),
        // parts
        ("${to_user:1}", "009"),
        ("${to_user:0:2}", "10"),
        ("${to_user:1:2}", "00"),
        ("${to_user:-2}", "09"),
        ("${to_user:-9}", "1009"),
        ("${to_user:9}", ""),
        ("$${greeting:5}", "day"),
        ("${accents:1}", "\u{FFFD}a"),
        ("${accents:0:1}${accents:1}", "éa"),
        ("${list}", "ARRAY::one|:two|:three"),
        ("${list[1]}", "two"),
        ("${list[1]:1}", "wo"),
        ("${list[3]}.", "."),
        ("${to_user[0]}.", "hidden behind the header."),
        // within each other
        ("${${which}}", "1009"),
        ("${${which}:2}", "09"),
        ("${to_${missing}user}", "1009"),
        ("${to_user:${missing}1}", "009"),
        // escapes and dollars
        (r"\${to_user}", "${to_user}"),
        (r"\$${to_user}", "${to_user}"),
        (r"\\${to_user}", r"\1009"),
        (r"it\'s ${to_user}", "its 1009"),
        (r"a\nb", r"a\nb"),
        (r"a\tb \\ ${to_user}", r"a\tb \ 1009"),
        (r"\d+", r"\d+"),
        (r"\$1", r"\$1"),
        (r"\$1 ${to_user}", "$1 1009"),
        (r"${to_user}\$x", r"1009\$x"),
        ("$1 $ $$ $$x ${to_user}", "$1 $ $ $x 1009"),
        ("$1 $ $$", "$1 $ $$"),
        ("$$${to_user}", "$1009"),
        ("${to_user}$", "1009$"),
        ("${to_user}${from_user}", "10091004"),
        ("$", "$"),
        ("100% & <b>\"q\"", "100% & <b>\"q\""),
        ("{to}", "{to}"),
        ("é${to_user}é", "é1009é"),
        // odd ends
        ("${}", ""),
        ("${", ""),
        ("${to_user", "1009"),
        ("a${to_user}}b", "a1009}b"),
        // API commands
        ("${toupper(x)}", "<toupper|x>"),
        ("${toupper x}", "<toupper|x>"),
        ("$${toupper(x)}", "<toupper|x>"),
        ("${ to }", "<|to >"),
        ("${f()}", "<f|>"),
        ("${f(${to_user} ${g(${from_user})})}", "<f|1009 <g|1004>>"),
        ("${${which}(x)}", "<to_user|x>"),
        ("${cond(${to_user} == 1009 ? YES : NO)}", "<cond|1009 == 1009 ? YES : NO>"),
        ("[${nosuchapi(x)}]", "[]"),
        ("${f(a)}${f(b)}", "<f|a><f|b>"),
        ("${expr 1 (2) 3}.", "<expr|1 (2>."),
        (r"${regex(m:/x/^(\w+)/%1)}", r"<regex|m:/x/^(\w+)/%1>"),
    ];
    for (text, expected) in cases {
        assert_eq!(expand(text), expected, "{text}");
    }
}

#[test]
fn body_means_the_body_where_that_is_asked_for() {
    let rules = ExpandRules { body_alias: true };
    let of = |event: &Event| {
        expand_with("${body} $${body}", event, &globals(), rules, |_, _| String::new()).into_owned()
    };
    let mut event = Event::new(EventName::Message);
    assert_eq!(of(&event), " ");
    event.set_body(Some(Bytes::from_static(b"hello")));
    assert_eq!(of(&event), "hello ");
    event.add("body", "a header");
    assert_eq!(of(&event), "a header ");
}

#[test]
fn an_expansion_waits_for_each_answer() {
    let (event, globals) = (message(), globals());
    let mut expansion = Expansion::new("a ${f(${g(1)})} ${to_user} ${h x}", ExpandRules::default());
    let api = |command: &str, args: &str| Expand::Api { command: command.to_owned(), args: args.to_owned() };
    assert_eq!(expansion.next(&event, &globals, None), api("g", "1"));
    assert_eq!(expansion.next(&event, &globals, Some("${to}".to_owned())), api("f", "${to}"));
    assert_eq!(expansion.next(&event, &globals, Some("F".to_owned())), api("h", "x"));
    assert_eq!(expansion.next(&event, &globals, Some(String::new())), Expand::Done("a F 1009 ".to_owned()));
    assert_eq!(expansion.next(&event, &globals, None), Expand::Done(String::new()));
}

#[test]
fn texts_that_need_no_expansion_are_known() {
    for text in ["", "plain", "$1", "$$", "{to}", r"\d", r"a\$b", "$ {to}", r"a\"] {
        assert!(!has_expansion(text), "{text}");
        let Expand::Done(same) =
            Expansion::new(text, ExpandRules::default()).next(&message(), &globals(), None)
        else {
            panic!("{text} calls no API command")
        };
        assert_eq!(same, text);
    }
    for text in ["${", "$${x}", r"$\{x", r"a\\b", r"a\'b", r"a\nb", r"a\sb", r"a\tb"] {
        assert!(has_expansion(text), "{text}");
    }
}

#[test]
fn references_go_a_hundred_deep() {
    let text = format!("{}to_user{}", "${".repeat(100), "}".repeat(100));
    assert_eq!(expand(&text), "");
    let api = |depth: usize| format!("{}x{}", "${f(".repeat(depth), ")}".repeat(depth));
    assert_eq!(expand(&api(3)), "<f|<f|<f|x>>>");
    assert!(!expand(&api(101)).contains("${f("));
    assert!(expand(&api(102)).contains("${f(x)}"));
}

#[test]
fn an_expansion_ends_at_its_limits() {
    let mut event = message();
    event.add("long", "x".repeat(1 << 20));
    let text = "${long}".repeat(20);
    let expanded = expand_with(&text, &event, &globals(), ExpandRules::default(), |_, _| String::new());
    assert_eq!(expanded.len(), 5 << 20);
    let expanded = expand(&"${to_user}".repeat(20_000));
    assert_eq!(expanded.len(), 4 * 10_001);
}

proptest! {
    #[test]
    fn any_text_comes_to_an_end(text in r"([${}()\[\]:\\' af0-9_é-]|to_user|\$\{){0,60}") {
        let expanded = expand(&text);
        if !has_expansion(&text) {
            prop_assert_eq!(expanded, text);
        }
    }
}
