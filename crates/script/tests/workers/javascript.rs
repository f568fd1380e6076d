//! JavaScript scripts.

use bytes::Bytes;
use chappe_script::worker::JAVASCRIPT;
use chappe_script::{Patience, Run, ScriptError};

use crate::world::World;

#[test]
fn a_script_has_the_message_and_its_arguments() {
    let world = World::new(&JAVASCRIPT);
    world.write(
        "echo.js",
        "consoleLog('info', 'got ' + message.getBody());\n\
         message.chatExecute('reply', `Hello, you said: ${message.getBody()} (${argv.join()} ${argc})`);\n",
    );
    let ran = world.chat("echo.js one 'two  three'");
    assert_eq!(ran.error, None);
    assert_eq!(world.sent(), [("1004".to_owned(), Bytes::from("Hello, you said: hello (one,two  three 2)"))]);
}

#[test]
fn what_mod_v8_has_is_there() {
    let world = World::new(&JAVASCRIPT);
    world.write("lib.js", "var fromLib = 'lib'; function twice(x) { return x + x; }");
    for code in [
        "message.getHeader('FROM') === '1004@chat.test'",
        "message.getHeader('nosuch') === ''",
        "message.getHeader('_body') === 'hello' && message.getBody() === 'hello'",
        "message.getType() === 'MESSAGE' && message.ready === true",
        "message.addHeader('a', 1) && message.getHeader('a') === '1'",
        "message.addHeader('l', 'x', true) && message.addHeader('l', 'y', true) && message.isArrayHeader('l')",
        "message.addHeader('m', 'x', true); message.addHeader('m', 'y', true); message.getHeader('m', 1) === 'y'",
        "message.addBody('é€') && message.getBody() === 'é€'",
        "/^from: 1004%40chat.test$/m.test(message.serialize())",
        "JSON.parse(message.serialize('json')).from === '1004@chat.test'",
        "message.chatExecute('set', 'r=${from_user}') && message.getHeader('r') === '1004'",
        "message.fire() === false",
        "var e = new Event('CUSTOM', 'SMS::T'); e.addHeader('n', 7); e.fire()",
        "var e = new Event('CUSTOM', 'x'); e.destroy() && !e.ready",
        "for (var i = 0; i < 3000; i++) new Event('CUSTOM', 'x').destroy(); true",
        "apiExecute('nosuch', 'x') === '-ERR nosuch Command not found!\\n'",
        "setGlobalVariable('v', 'x') && getGlobalVariable('v') === 'x' && getGlobalVariable('nosuch') === ''",
        "session === false && typeof process === 'undefined'",
        "include('lib.js'); twice(fromLib) === 'liblib'",
        "require('lib.js'); fromLib === 'lib'",
        "require('path').join('a', 'b') === 'a/b'",
        "var d = new freeswitch.Dbh('sqlite://:memory:'), r = []; \
         d.query('select 1 as a union select 2', (row) => { r.push(row.a); }) && r.join() === '1,2'",
        "var c = new freeswitch.EventConsumer('CUSTOM'); new Event('CUSTOM', 'x').fire(); \
         c.pop(1, 5000).getHeader('Event-Subclass') === 'x'",
        "msleep(1); typeof version() === 'string' && typeof id() === 'string'",
    ] {
        let ran = world.chat(&format!("~if (!eval({code:?})) throw new Error('not so')"));
        assert_eq!(ran.error, None, "{code}");
    }
}

#[test]
fn api_commands_and_background_scripts() {
    let world = World::new(&JAVASCRIPT);
    world.write("api.js", "request.write(argv.join() + ' ' + request.getHeader('API-Command-Argument') + ' ' + request.command)");
    assert_eq!(world.api("api.js a b").text(), "a,b api.js a b api.js a b");
    assert_eq!(world.api("~request.write('inline')").text(), "inline");
    world.write("back.js", "setGlobalVariable('back', argv.join())");
    let run = Run::new(world.world.clone());
    let finished = world.begin_patient("back.js a b", run, Patience::Endless).unwrap();
    assert_eq!(world.end(finished).error, None);
    assert_eq!(world.router.globals().get("back").as_deref(), Some("a,b"));
}

#[test]
fn scripts_share_nothing() {
    let world = World::new(&JAVASCRIPT);
    assert_eq!(world.chat("~var x = 1; globalThis.y = 2; Array.prototype.z = 3; String.w = 4").error, None);
    let second = "~if (typeof x !== 'undefined' || typeof y !== 'undefined' || [].z || String.w) throw new Error('left')";
    assert_eq!(world.chat(second).error, None);
}

#[test]
fn a_script_is_read_anew_when_it_changes() {
    let world = World::new(&JAVASCRIPT);
    for value in ["one", "two!", "three"] {
        world.write("a.js", &format!("message.addHeader('r', '{value}');"));
        assert_eq!(world.chat("a.js").header("r"), value);
        assert_eq!(world.chat("a.js").header("r"), value);
    }
}

#[test]
fn a_bad_script_costs_its_own_message() {
    let world = World::new(&JAVASCRIPT);
    let fine =
        |code: &str| assert_eq!(world.chat("~message.addHeader('fine', 1)").header("fine"), "1", "{code}");
    for (code, expected) in [
        ("throw new Error('boo')", "Error: boo\n    at inline:1:7"),
        ("throw { code: 1 }", "[object Object]"),
        ("throw null", "null"),
        ("this is not javascript", "SyntaxError"),
        ("nosuch()", "ReferenceError: nosuch is not defined"),
        ("message.nosuch()", "TypeError: message.nosuch is not a function"),
        ("new freeswitch.Session('a')", "belongs to calls, and there are no calls here"),
        ("new Event()", "expected 1..2 args, got 0"),
        ("include('nosuch.js')", "Failed to include javascript file"),
        ("message.addBody('x'.repeat(20000000))", "are too much for the server"),
        ("use('CURL')", "Error loading CURL"),
        ("(function f() { f(); })()", "RangeError: Maximum call stack size exceeded"),
    ] {
        let error = world.chat(&format!("~{code}")).error();
        assert!(error.starts_with("Exception: ") && error.contains(expected), "{code}: {error}");
        fine(code);
    }
    assert!(world.chat("nosuch.js").error().contains("Cannot Open File: "));
    for code in ["require('process').kill(require('process').pid, 'SIGKILL')", "require('process').exit(0)"] {
        let error = world.chat(&format!("~{code}")).error.expect(code);
        assert!(matches!(error, ScriptError::Lost(_)), "{code}: {error}");
        fine(code);
    }
    for code in ["exit()", "exit('why')", "console.log('printed')", "require('process').stdout.write('x')"] {
        assert_eq!(world.chat(&format!("~message.addHeader('a', 'b'); {code}")).header("a"), "b", "{code}");
    }
}

#[test]
fn memory_is_limited() {
    let world = World::with(&JAVASCRIPT, |settings| settings.memory_limit = Some(64 << 20)).unwrap();
    let error =
        world.chat("~var a = []; for (;;) a.push(new Array(100000).fill(1.5))").error.expect("it ends");
    assert!(matches!(error, ScriptError::Lost(_)), "{error}");
    assert_eq!(world.chat("~message.addHeader('fine', 1)").header("fine"), "1");
}
