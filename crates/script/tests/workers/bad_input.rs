//! A bad script costs its own message: it ends with an error, and the next one works.

use std::time::Duration;

use chappe_script::ScriptError;
use chappe_script::worker::PYTHON;

use crate::world::World;

/// The same worker, or another one in its place, runs the next script.
fn works(world: &World) {
    world.write("fine.py", "def chat(message, args): message.addHeader('fine', message.getBody())\n");
    assert_eq!(world.chat("fine").header("fine"), "hello");
}

fn python() -> World {
    World::with(&PYTHON, |settings| settings.time_limit = Some(Duration::from_secs(10)))
        .expect("the machine has the interpreter")
}

/// Runs this as the body of `chat`.
fn body(world: &World, code: &str) -> crate::world::Ran {
    world.write("bad.py", &format!("import freeswitch, os, sys\ndef chat(message, args):\n    {code}\n"));
    let ran = world.chat("bad");
    works(world);
    ran
}

#[test]
fn an_endless_loop_is_ended() {
    let world =
        World::with(&PYTHON, |settings| settings.time_limit = Some(Duration::from_millis(300))).unwrap();
    for code in [
        "while True: pass",
        "freeswitch.msleep(1000000)",
        "while True: freeswitch.consoleLog('debug', 'again')",
        "import time; time.sleep(1000)",
        "freeswitch.EventConsumer('MESSAGE').pop(1)",
    ] {
        let error = body(&world, code).error.expect(code);
        assert!(matches!(error, ScriptError::Time(_)), "{code}: {error}");
    }
}

#[test]
fn a_worker_that_ends_itself_is_replaced() {
    let world = python();
    for code in ["os.kill(os.getpid(), 9)", "os._exit(0)", "os.abort()", "os.close(3); os.getpid()"] {
        let error = body(&world, code).error.expect(code);
        assert!(matches!(error, ScriptError::Lost(_)), "{code}: {error}");
    }
}

#[test]
fn what_breaks_the_protocol_is_ended() {
    let world = python();
    for code in [
        "os.write(3, b'nonsense that is no frame at all')",
        "os.write(3, bytes([0, 0, 0, 1, 63]))",
        "os.write(3, bytes([0, 0, 0, 2, 72, 78]))",
        "os.write(3, bytes([255, 255, 255, 255, 0]))",
    ] {
        let error = body(&world, code).error.expect(code);
        assert!(matches!(error, ScriptError::Lost(_)), "{code}: {error}");
    }
}

#[test]
fn leaving_is_no_error() {
    let world = python();
    for code in ["sys.exit()", "sys.exit(3)", "raise SystemExit('bye')", "exit()"] {
        assert_eq!(body(&world, &format!("message.addHeader('a', 'b'); {code}")).header("a"), "b", "{code}");
    }
}

#[test]
fn an_exception_is_told_with_its_traceback() {
    let world = python();
    for (code, expected) in [
        ("raise ValueError('boo')", "ValueError: boo"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("message.nosuch()", "AttributeError: 'Event' object has no attribute 'nosuch'"),
        ("chat(message, args)", "RecursionError"),
        ("'x' * 10_000_000_000", "MemoryError"),
        ("message.addBody('x' * 20_000_000)", "are too much for the server"),
        ("freeswitch.Session('a')", "freeswitch.Session belongs to calls, and there are no calls here"),
        ("freeswitch.IVRMenu()", "belongs to calls"),
        ("message.getHeader()", "TypeError"),
        ("message.getHeader(message)", "expected 'char const *' got 'Event'"),
        ("message.addHeader('a', {})", "the server has no use for a dict"),
        ("freeswitch.msleep(10 ** 30)", "error"),
        ("import nosuch", "ModuleNotFoundError: No module named 'nosuch'"),
    ] {
        let error = body(&world, code).error();
        assert!(error.contains(expected), "{code}: {error}");
        assert!(error.contains("bad.py\", line 3, in chat"), "{code}: {error}");
        assert!(!error.contains("worker.py\", line") || error.contains("freeswitch"), "{code}: {error}");
    }
}

#[test]
fn a_module_that_is_not_one() {
    let world = python();
    assert!(world.chat("nosuch").error().contains("No module named 'nosuch'"));
    works(&world);
    world.write("empty.py", "");
    assert!(world.chat("empty").error().contains("Module does not define chat"));
    works(&world);
    world.write("broken.py", "def chat(message, args)\n");
    assert!(world.chat("broken").error().contains("SyntaxError"));
    works(&world);
    world.write("raises.py", "raise ValueError('at once')\n");
    assert!(world.chat("raises").error().contains("ValueError: at once"));
    works(&world);
    assert_eq!(world.chat(" ").error, Some(ScriptError::Nothing));
    works(&world);
}

#[test]
fn what_a_script_prints_does_no_harm() {
    let world = python();
    for code in [
        "print('hello'); print(b'\\xff', file=sys.stderr); sys.stdout.write('no end')",
        "print('\\udcff')",
        "os.write(1, b'\\xff' * 100_000)",
        "os.system('echo from a shell')",
        "sys.stdin.read()",
        "sys.stdout.close()",
        "sys.stdout = None",
    ] {
        assert_eq!(body(&world, code).error, None, "{code}");
    }
}

#[test]
fn a_file_that_is_replaced_while_it_runs() {
    let world = python();
    let code = "path = __file__; open(path, 'w').write('def chat(m, a): m.addHeader(\"v\", \"second\")\\n'); \
                message.addHeader('v', 'first')";
    assert_eq!(body(&world, code).header("v"), "first");
    assert_eq!(world.chat("bad").header("v"), "second");
}

#[test]
fn threads_and_forks_that_outlive_their_run() {
    let world = python();
    let threads = "import threading, time\n    def later():\n        time.sleep(0.05)\n        \
                   freeswitch.consoleLog('info', 'late')\n    threading.Thread(target=later).start()";
    assert_eq!(body(&world, threads).error, None);
    let fork = "pid = os.fork()\n    if pid: os.waitpid(pid, 0)\n    \
                else:\n        try: freeswitch.getGlobalVariable('x')\n        finally: os._exit(0)";
    assert_eq!(body(&world, fork).error, None);
    works(&world);
}
