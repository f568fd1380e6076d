//! Python scripts.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chappe_chat::AppRow;
use chappe_event::{Event, EventName, Subscriber};
use chappe_script::worker::PYTHON;
use chappe_script::{Run, ScriptApp};

use crate::world::{World, message};

#[test]
fn chat_gets_the_message_and_the_arguments() {
    let world = World::new(&PYTHON);
    world.write(
        "echo.py",
        "import freeswitch\n\
         def chat(message, args):\n    \
             freeswitch.consoleLog('info', 'got %s' % message.getBody())\n    \
             message.chat_execute('reply', 'Hello, you said: %s (%s)' % (message.getBody(), args))\n",
    );
    let ran = world.chat("echo one  two");
    assert_eq!(ran.error, None);
    assert_eq!(world.sent(), [("1004".to_owned(), Bytes::from("Hello, you said: hello (one  two)"))]);
}

#[test]
fn a_line_may_name_the_function() {
    let world = World::new(&PYTHON);
    let code = "def chat(message, args): message.addHeader('ran', 'chat')\n\
                def other(message, args): message.addHeader('ran', 'other ' + args)\n\
                def fsapi(session, stream, env, args): stream.write('%s %s' % (session, args))\n\
                def more(session, stream, env, args): stream.write(env.getHeader('API-Command-Argument'))\n";
    world.write("a.py", code);
    assert_eq!(world.chat("a").header("ran"), "chat");
    assert_eq!(world.chat("a::other x").header("ran"), "other x");
    assert_eq!(world.api("a 1 2").text(), "na 1 2");
    assert_eq!(world.api("a::more 1").text(), "a::more 1");
}

#[test]
fn a_background_script_is_called_with_its_arguments() {
    let world = World::new(&PYTHON);
    world.write(
        "back.py",
        "from freeswitch import *\ndef runtime(args): setGlobalVariable('back', args + ' ' + str(running()))\n",
    );
    let run = Run::new(world.world.clone());
    let finished = world.begin_patient("back a b", run, chappe_script::Patience::Endless).unwrap();
    assert_eq!(world.end(finished).error, None);
    assert_eq!(world.router.globals().get("back").as_deref(), Some("a b True"));
}

/// Runs an expression on the message; `1` is written where it is what it should be.
fn holds(world: &World, expressions: &[&str]) {
    let mut code = "import freeswitch\nfrom freeswitch import *\ndef chat(message, args):\n".to_owned();
    for expression in expressions {
        match expression.strip_prefix("do ") {
            Some(statement) => code.push_str(&format!("    {statement}\n")),
            None => code.push_str(&format!("    assert {expression}, {expression:?}\n")),
        }
    }
    world.write("holds.py", &code);
    assert_eq!(world.chat("holds").error, None);
}

#[test]
fn an_event_is_read_and_changed() {
    let world = World::new(&PYTHON);
    holds(
        &world,
        &[
            "message.getHeader('from') == '1004@chat.test'",
            "message.getHeader('FROM') == '1004@chat.test'",
            "message.getHeader('nosuch') is None",
            "message.getHeader('') is None",
            "message.getHeader('_body') == 'hello'",
            "message.getType() == 'MESSAGE'",
            "message.getBody() == 'hello'",
            "message.addHeader('a', '1') is True",
            "message.getHeader('a') == '1'",
            "message.addHeader('a', '2')",
            "message.getHeader('a') == '2'",
            "message.delHeader('a') is True",
            "message.delHeader('a') is False",
            "message.getHeader('a') is None",
            "message.addHeader('list[0]', 'x') and message.addHeader('list[1]', 'y')",
            "message.getHeader('list') == 'ARRAY::x|:y'",
            "message.getHeader('list[1]') == 'y'",
            "message.addBody('bye') and message.getBody() == 'bye'",
            "'from: 1004%40chat.test' in message.serialize()",
            "'\"from\":' in message.serialize('json').replace(' ', '')",
            "message.serialize('xml').startswith('<event>')",
            "message.setPriority(2) and message.getHeader('priority') == 'HIGH'",
            "message.chat_execute('set', 'result=from ${from_user}') == 0",
            "message.getHeader('result') == 'from 1004'",
            "message.chat_execute('nosuch') == 1",
            "message.fire() is False",
        ],
    );
}

#[test]
fn a_script_makes_events() {
    let world = World::new(&PYTHON);
    let seen = Arc::new(Seen::default());
    world.router.bus().subscribe(seen.clone());
    holds(
        &world,
        &[
            "do e = freeswitch.Event('CUSTOM', 'SMS::TEST')",
            "e.addHeader('to', '1009@chat.test') is True",
            "e.getHeader('to') == '1009@chat.test'",
            "e.getHeader('Event-Subclass') == 'SMS::TEST'",
            "e.addBody('a body')",
            "e.merge(message) and e.getHeader('from_user') == '1004'",
            "e.fire() is True",
            "do j = Event('json', '{\"Event-Name\":\"CUSTOM\",\"a\":\"b\"}')",
            "j.getHeader('a') == 'b'",
            "do c = EventConsumer('CUSTOM', 'SMS::MINE')",
            "c.pop() is None",
            "do m = Event('CUSTOM', 'SMS::MINE'); m.addHeader('n', '7'); m.fire()",
            "c.pop(1, 5000).getHeader('n') == '7'",
            "c.bind('nosuch') == 0",
            "do c.cleanup()",
            // More than there may be at once: each is released in time.
            "do [Event('CUSTOM', 'x').addHeader('a', 'b') for _ in range(3000)]",
        ],
    );
    assert_eq!(seen.0.lock().unwrap()[0], ("SMS::TEST".to_owned(), "1009@chat.test".to_owned()));
}

#[derive(Default)]
struct Seen(Mutex<Vec<(String, String)>>);

impl Subscriber for Seen {
    fn wants(&self, name: EventName, _: Option<&str>) -> bool {
        name == EventName::Custom
    }

    fn deliver(&self, event: &Arc<Event>) {
        let text = |name| event.get(name).unwrap_or_default().to_owned();
        self.0.lock().expect("nobody panicked").push((text("Event-Subclass"), text("to")));
    }
}

#[test]
fn the_server_answers_while_the_script_runs() {
    let world = World::new(&PYTHON);
    let path = world.folder.path().join("a.db").display().to_string();
    holds(
        &world,
        &[
            "do api = API()",
            "api.execute('chat', 'sip|a@b|1009@chat.test|hi') == 'Sent'",
            "api.executeString('nosuch x') == '-ERR nosuch Command not found!\\n'",
            "api.getTime() == '1795384800000'",
            "getGlobalVariable('nosuch') is None",
            "do setGlobalVariable('v', 'é')",
            "getGlobalVariable('v') == 'é'",
            "do msleep(1)",
            &format!("do dbh = Dbh('sqlite://{path}')"),
            "dbh.connected() is True",
            "dbh.query('create table t (a, b)') is True",
            "dbh.query(\"insert into t values (1, 'x'), (2, 'y')\") is True",
            "do rows = []",
            "dbh.query('select a, b from t order by a', lambda row: rows.append(row['b'])) is True",
            "rows == ['x', 'y']",
            "do rows = []",
            "dbh.query('select a from t', lambda row: rows.append(row) or 1) and len(rows) == 1",
            "dbh.query('nonsense') is False",
            "dbh.release() is True",
        ],
    );
}

#[test]
fn a_body_that_is_not_text_comes_and_goes_as_it_is() {
    let world = World::new(&PYTHON);
    world.write(
        "octets.py",
        "def chat(message, args):\n    \
             body = message.getBody()\n    \
             assert body.encode('utf-8', 'surrogateescape') == b'\\xff\\xfe ok \\x80', body\n    \
             message.addBody(body + '!')\n",
    );
    let mut odd = message();
    odd.set_body(Some(Bytes::from_static(b"\xff\xfe ok \x80")));
    let ran = world.chat_on("octets", odd);
    assert_eq!(ran.error, None);
    assert_eq!(ran.message.body(), Some(&Bytes::from_static(b"\xff\xfe ok \x80!")));
}

#[test]
fn a_module_is_loaded_anew_when_its_file_changes() {
    let world = World::new(&PYTHON);
    let code = |helper: &str, value: &str| {
        world.write("helper.py", &format!("value = '{helper}'\n"));
        world.write(
            "a.py",
            &format!(
                "import helper\nruns = 0\ndef chat(message, args):\n    global runs\n    runs += 1\n    \
                 message.addHeader('r', '%s {value} %s' % (helper.value, runs))\n"
            ),
        );
    };
    code("h1", "v1");
    assert_eq!(world.chat("a").header("r"), "h1 v1 1");
    assert_eq!(world.chat("a").header("r"), "h1 v1 2");
    code("h1", "v2 longer");
    assert_eq!(world.chat("a").header("r"), "h1 v2 longer 1");
    world.write("helper.py", "value = 'h2 longer'\n");
    assert_eq!(world.chat("a").header("r"), "h2 longer v2 longer 1");
    world.write("a.py", "def chat(message, args) oops\n");
    assert!(world.chat("a").error().contains("SyntaxError"));
    code("h3", "v3");
    assert_eq!(world.chat("a").header("r"), "h3 v3 1");
    world.write("new.py", "import a\ndef chat(message, args): a.chat(message, args)\n");
    assert_eq!(world.chat("new").header("r"), "h3 v3 2");
}

#[test]
fn a_module_is_loaded_for_each_message_where_that_is_asked() {
    let world = World::with(&PYTHON, |settings| settings.reload_always = true).unwrap();
    world.write(
        "a.py",
        "seen = []\ndef chat(message, args):\n    seen.append(args)\n    message.addHeader('r', ' '.join(seen))\n",
    );
    assert_eq!(world.chat("a 1").header("r"), "1");
    assert_eq!(world.chat("a 2").header("r"), "2");
}

#[test]
fn a_script_that_runs_a_script_has_no_need_of_a_free_worker() {
    let world = World::new(&PYTHON);
    let app = AppRow { name: "python", syntax: "", doc: "", takes: false, module: "mod_python3" };
    world.router.add_app(Arc::new(ScriptApp::new(app, world.world.clone(), world.pool.clone())));
    world.write(
        "nested.py",
        "def chat(message, args):\n    if args: assert message.chat_execute('python', 'nested ' + args[1:]) == 0\n    \
         message.addHeader('depth', (message.getHeader('depth') or '') + str(len(args)))\n",
    );
    assert_eq!(world.chat("nested aaa").header("depth"), "0123");
}

#[test]
fn an_object_of_an_earlier_run_is_gone() {
    let world = World::new(&PYTHON);
    world.write(
        "keep.py",
        "import freeswitch\nkept = []\ndef chat(message, args):\n    \
             for old in kept:\n        old.addHeader('a', 'b')\n    \
             kept.append(message)\n    kept.append(freeswitch.Event('CUSTOM', 'x'))\n",
    );
    assert_eq!(world.chat("keep").error, None);
    assert!(world.chat("keep").error().contains("the object is gone"));
}
