//! What the commands say, through the registry.

use std::sync::Arc;

use chappe_api::commands::{Deps, register};
use chappe_api::{Answer, Call, Command, Registry, Row};
use chappe_event::{Bus, Event, EventName, Globals, Identity, ManualClock, Subscriber};

/// 2026-01-01 12:00:00 UTC
const NOON: i64 = 1_767_268_800_000_000;

fn registry() -> Arc<Registry> {
    let globals = Arc::new(Globals::new());
    globals.set("domain", "chat.test");
    globals.set("name", "a value");
    let identity = Identity { hostname: "host".into(), switchname: "switch".into(), ..Identity::default() };
    let registry = Arc::new(Registry::new());
    let deps = Deps {
        globals,
        clock: Arc::new(ManualClock::at(NOON)),
        identity: Arc::new(identity),
        random: Arc::new(|| [0xff; 16]),
    };
    register(&registry, deps);
    registry.add(Arc::new(Slow));
    registry
}

/// Answers on its second poll.
struct Slow;

impl Command for Slow {
    fn row(&self) -> &Row {
        &Row { name: "slow", syntax: "<data>", doc: "takes its time", module: "test" }
    }

    fn run(&self, call: Call<'_>) -> Answer {
        let text = format!("slow {}", call.args);
        Answer::Later(Box::pin(async move { text }))
    }
}

#[track_caller]
fn ready(answer: Answer) -> String {
    match answer {
        Answer::Ready(text) => text,
        Answer::Later(_) => panic!("the answer is not ready"),
    }
}

#[test]
fn answers() {
    let registry = registry();
    for (line, expected) in [
        ("echo x y", "x y"),
        ("  ECHO  x  y ", "x  y"),
        ("echo", ""),
        ("nosuchcommand x", "-ERR nosuchcommand Command not found!\n"),
        ("eval ${domain} x", "chat.test x"),
        ("eval $${domain} x", "chat.test x"),
        ("eval", ""),
        ("eval uuid:1-2 a", "a"),
        ("eval ${toupper(abc)} ${nosuchapi(x)}.", "ABC ."),
        ("eval ${toupper(${url_encode(a b)})}", "A%20B"),
        ("expand echo $${domain} ${tolower(ABC)}", "chat.test abc"),
        ("expand nosuchcommand x", "INVALID COMMAND!\n-ERR Cannot execute command\n"),
        ("expand", "-ERR No input\n"),
        ("cond 1 == 1 ? a : b", "a"),
        ("cond", "-ERR"),
        ("regex hello|^h(.*)$|%1", "ello"),
        ("regex abc|z", "false"),
        ("regex", "-ERR"),
        ("url_encode a b", "a%20b"),
        ("url_encode a b&c", "a%20b%26c"),
        ("url_decode a%20b", "a b"),
        ("toupper x", "X"),
        ("toupper žx", "žX"),
        ("tolower X", "x"),
        ("sql_escape it's 'x'", "it''s ''x''"),
        ("sql_escape", "-USAGE: <string>\n"),
        ("is_lan_addr 10.1.2.3", "true"),
        ("is_lan_addr 172.15.0.1", "false"),
        ("is_lan_addr 172.16.0.1", "true"),
        ("is_lan_addr 172.31.0.1", "true"),
        ("is_lan_addr 172.32.0.1", "false"),
        ("is_lan_addr 8.8.8.8", "false"),
        ("is_lan_addr", "false"),
        ("xml_wrap echo a<b", "<result>\n  <row id=\"1\">\n    <data>a<b</data>\n  </row>\n</result>\n"),
        (
            "xml_wrap encoded echo a b",
            "<result>\n  <row id=\"1\">\n    <data>a%20b</data>\n  </row>\n</result>\n",
        ),
        (
            "xml_wrap nosuch",
            "<result>\n  <row id=\"1\">\n    <data>INVALID COMMAND!\n</data>\n  </row>\n</result>\n",
        ),
        ("xml_wrap", "-ERR Invalid syntax\n"),
        ("alias", "-USAGE: [add|stickyadd] <alias> <command> | del [<alias>|*]\n"),
        ("alias add x x", "-USAGE: [add|stickyadd] <alias> <command> | del [<alias>|*]\n"),
        ("alias put x y", "-USAGE: [add|stickyadd] <alias> <command> | del [<alias>|*]\n"),
        ("alias add say echo", "+OK\n"),
        ("alias stickyadd all echo a", "+OK\n"),
        ("say x", "-ERR say Command not found!\n"),
        ("alias del say", "+OK\n"),
        ("alias del nosuch", "+OK\n"),
        ("alias del *", "+OK\n"),
        ("md5 abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("md5", "!err!"),
        ("replace a-b-c|-|+", "a+b+c"),
        ("replace m:/a|b/|/-", "a-b"),
        ("replace a|b", "-ERR"),
        ("quote_shell_arg it's", r"'it'\''s'"),
        ("escape a $b", r"a\s\$b"),
        ("coalesce ,,b,c", "b"),
        ("coalesce ^^:::b:c", "b"),
        ("coalesce", "-USAGE: [^^<delim>]<value1>,<value2>,...\n"),
        ("create_uuid", "ffffffff-ffff-4fff-bfff-ffffffffffff"),
        ("hostname", "host"),
        ("switchname", "switch"),
        ("global_getvar domain", "chat.test"),
        ("global_getvar nope", ""),
        ("global_getvar", "domain=chat.test\nname=a value\n"),
        ("strftime %Y-%m-%d %T", "2026-01-01 12:00:00"),
        ("strftime lit", "lit"),
        ("strftime", "2026-01-01 12:00:00"),
        ("strftime 0|%Y", "1970"),
        ("strftime 0| %Y", "1970"),
        ("strftime_tz GMT", "2026-01-01 12:00:00"),
        ("strftime_tz Europe/Prague %H:%M", "13:00"),
        ("strftime_tz Europe/Prague 0|%H", "13"),
        ("strftime_tz Europe/Prague 3600|%H", "02"),
        ("strftime_tz Nowhere/Land %H", "-ERR Invalid timezone/format\n"),
        ("strepoch bad", "0"),
        ("strepoch", "1767268800"),
        ("strepoch 2026-01-01 12:00:01", "1767268801"),
        ("strmicroepoch 2026-01-01 12:00:01", "1767268801000000"),
        ("help nope", "-ERR No such command\n"),
        ("help md5", "md5,<data>,Return md5 hash,mod_commands\n"),
    ] {
        assert_eq!(ready(registry.execute(line, None)), expected, "{line}");
    }
}

#[test]
fn global_setvar() {
    let registry = registry();
    for (line, expected) in [
        ("global_setvar a=1", "+OK"),
        ("global_getvar a", "1"),
        ("global_setvar a=2=0", "+OK"),
        ("global_getvar a", "1"),
        ("global_setvar a=2=1", "+OK"),
        ("global_getvar a", "2"),
        ("global_setvar a", "+OK"),
        ("global_getvar a", ""),
        ("global_setvar b=${c}", "+OK"),
        ("global_getvar b", "%{c}"),
        ("global_setvar", "-USAGE: <var>=<value> [=<value2>]\n"),
    ] {
        assert_eq!(ready(registry.execute(line, None)), expected, "{line}");
    }
}

#[test]
fn help_lists_every_command_by_name() {
    let text = ready(registry().execute("help", None));
    let lines: Vec<_> = text.strip_prefix("\nValid Commands:\n\n").expect("a title").lines().collect();
    assert!(lines.contains(&"url_encode,<string>,Url encode a string,mod_commands"), "{text}");
    assert!(lines.is_sorted(), "{text}");
    assert_eq!(lines.len(), registry().rows().len());
}

#[test]
fn every_row_says_what_the_command_does() {
    for row in registry().rows() {
        assert!(!row.doc.is_empty() && !row.module.is_empty(), "{row:?}");
        assert_eq!(row.name, row.name.to_ascii_lowercase(), "{row:?}");
        let takes_nothing = ["hostname", "switchname"].contains(&row.name);
        assert_eq!(row.syntax.is_empty(), takes_nothing, "{row:?}");
    }
}

#[test]
fn the_routed_message_is_seen_by_expand() {
    let mut event = Event::new(EventName::Message);
    event.add("from_user", "1004");
    let registry = registry();
    assert_eq!(ready(registry.execute("expand echo <${from_user}>", Some(&event))), "<1004>");
    assert_eq!(ready(registry.execute("eval <${from_user}>", Some(&event))), "<>");
}

#[test]
fn an_unknown_command_in_a_text_is_nothing() {
    let registry = registry();
    assert!(registry.run("nosuchapi", "x", None).is_none());
    assert_eq!(registry.run(" toupper ", " x ", None).map(ready).as_deref(), Some("X"));
}

#[test]
fn what_takes_time_is_waited_for() {
    let registry = registry();
    for (line, expected) in [
        ("slow a", "slow a"),
        ("eval <${slow(a)}> ${toupper(b)} ${slow(c)}", "<slow a> B slow c"),
        ("expand echo ${slow(a)}", "slow a"),
        ("expand slow ${slow(a)}", "slow slow a"),
    ] {
        let answer = registry.execute(line, None);
        assert!(matches!(answer, Answer::Later(_)), "{line}");
        assert_eq!(wait(answer), expected, "{line}");
    }
}

/// The commands here never ask to be woken, so polling them once more is enough.
fn wait(answer: Answer) -> String {
    let mut future = Box::pin(answer.text());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(text) = future.as_mut().poll(&mut context) {
            return text;
        }
    }
}

#[test]
fn commands_come_and_go_with_their_module() {
    let registry = registry();
    let before = registry.rows().len();
    registry.add(Arc::new(Slow));
    assert_eq!(registry.rows().len(), before);
    registry.remove_module("test");
    assert!(registry.find("slow").is_none());
    assert!(registry.find("Echo").is_some());
}

#[test]
fn calls_are_announced_when_somebody_listens() {
    #[derive(Default)]
    struct Listener(std::sync::Mutex<Vec<String>>);

    impl Subscriber for Listener {
        fn wants(&self, name: EventName, _: Option<&str>) -> bool {
            name == EventName::Api
        }

        fn deliver(&self, event: &Arc<Event>) {
            let header = |name| event.get(name).unwrap_or("none").to_owned();
            let text = format!("{} {}", header("API-Command"), header("API-Command-Argument"));
            self.0.lock().expect("no other test").push(text);
        }
    }

    let registry = registry();
    let bus = Arc::new(Bus::new(Arc::default(), Arc::new(ManualClock::at(NOON))));
    let listener = Arc::new(Listener::default());
    bus.subscribe(listener.clone());
    registry.announce_on(bus);
    for line in ["echo a b", "hostname", "nosuchcommand"] {
        registry.execute(line, None);
    }
    assert_eq!(*listener.0.lock().expect("no other test"), ["echo a b", "hostname none"]);
}

/// Only a console's lines are looked through for them.
#[test]
fn a_console_has_aliases() {
    let registry = registry();
    assert_eq!(ready(registry.execute("alias add say echo", None)), "+OK\n");
    for (line, expected) in [
        ("say x", "\nExpand Alias [say]->[echo x]\n\nx"),
        ("echo a;;slow b", "aslow b"),
        ("nosuch", "-ERR nosuch Command not found!\n"),
    ] {
        assert_eq!(wait(registry.execute_for_console(line)), expected, "{line}");
    }
}
