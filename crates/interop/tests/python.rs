//! Python scripts with real SIP user agents.

use std::path::Path;
use std::time::{Duration, Instant};

use chappe_interop::{Agent, Folder, Server};

const CHATPLAN: &str = r#"<include>
<context name="default">
  <extension name="python"><condition field="to_user" expression="^python$">
    <action application="python" data="script ${from_user} 'two words'"/>
  </condition></extension>
  <extension name="other"><condition field="to_user" expression="^other$">
    <action application="python" data="script::other"/>
  </condition></extension>
  <extension name="look" continue="true"><condition field="to_user" expression="^inline$">
    <action application="python" data="lookup ${from_user}" inline="true"/>
  </condition></extension>
  <extension name="inline">
    <condition field="to_user" expression="^inline$"/>
    <condition field="${python(lookup ${from_user})}" expression="^plan (.*)$">
      <action application="reply" data="${found}, $1, ${python(lookup::shout x & y)}"/>
    </condition>
  </extension>
</context>
</include>
"#;

const LOOKUP: &str = "from freeswitch import *
def chat(message, args):
    message.chat_execute('set', 'found=%s knows ${to_user}' % args)
def fsapi(session, stream, env, args):
    stream.write('plan of ' + args)
def shout(session, stream, env, args):
    stream.write(args.upper() + '!')
";

/// The configuration of a server whose messages to `python` run `script.py`, all others go point to point.
fn folder(script: &str, settings: &str) -> Folder {
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let modules = r#"<load module="mod_sms"/><load module="mod_python3"/>"#;
    let main = main.replace(r#"<load module="mod_sms"/>"#, modules).replace(
        r#"<configuration name="switch.conf">"#,
        &format!(
            r#"<configuration name="python.conf"><settings>{settings}</settings></configuration><configuration name="switch.conf">"#
        ),
    );
    folder.write("freeswitch.xml", &main);
    folder.write("chatplan/default.xml", CHATPLAN);
    folder.write("scripts/lookup.py", LOOKUP);
    folder.write("scripts/script.py", script);
    folder
}

/// The server and the user 1004, registered.
fn with_sender(script: &str, settings: &str) -> (Server, Agent) {
    let server = Server::start(folder(script, settings));
    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    (server, sender)
}

#[test]
fn a_module_answers() {
    let script = "import freeswitch
def chat(message, args):
    body = message.getBody()
    freeswitch.consoleLog('info', 'chat from %s: %s\\n' % (message.getHeader('from'), body))
    print('printed', args)
    message.chat_execute('reply', 'Hello %s, you said: %s' % (args, body))
def other(message, args):
    event = freeswitch.Event('CUSTOM', 'SMS::SEND_MESSAGE')
    event.addHeader('dest_proto', 'sip')
    event.addHeader('from', '1003@127.0.0.1')
    event.addHeader('from_full', 'sip:1003@127.0.0.1')
    event.addHeader('to', message.getHeader('from'))
    event.addHeader('type', 'text/plain')
    event.addHeader('skip_global_process', 'true')
    event.addBody('from another function')
    event.fire()
";
    let (server, mut sender) = with_sender(script, "");
    assert_eq!(sender.message(&server.uri("python"), "text/plain", "žluťoučký 🎉".as_bytes()), 200);
    assert_eq!(sender.receive().text(), "Hello 1004 two words, you said: žluťoučký 🎉");
    server.process.expect("[INFO] switch_cpp.cpp:1465 chat from 1004@127.0.0.1: žluťoučký");
    server.process.expect("python: printed 1004 two words");
    assert_eq!(sender.message(&server.uri("other"), "text/plain", b"go"), 200);
    assert_eq!(sender.receive().text(), "from another function");
}

#[test]
fn results_are_left_in_headers_and_fields() {
    let (server, mut sender) = with_sender("", "");
    assert_eq!(sender.message(&server.uri("inline"), "text/plain", b"hi"), 200);
    assert_eq!(sender.receive().text(), "1004 knows inline, of 1004, X & Y!");
}

#[test]
fn a_body_that_is_not_text_is_relayed_as_it_is() {
    let script = "def chat(message, args): message.chat_execute('reply', message.getBody())";
    let (server, mut sender) = with_sender(script, "");
    assert_eq!(sender.message(&server.uri("python"), "text/plain", b"\xff ok \xfe"), 200);
    assert!(sender.receive().text().contains(" ok "));
}

#[test]
fn a_bad_script_costs_its_own_message() {
    let bad = [
        ("def chat(message, args):\n    while True: pass", "(time-limit)"),
        ("def chat(message, args): 'x' * 10_000_000_000", "MemoryError"),
        ("import os\ndef chat(message, args): os.kill(os.getpid(), 9)", "signal: 9 (SIGKILL)"),
        ("import os\ndef chat(message, args): os._exit(1)", "exit status: 1"),
        ("def chat(message, args) oops", "SyntaxError"),
        ("def chat(message, args): raise ValueError({'code': 1})", "line 1, in chat"),
        ("import nosuch", "ModuleNotFoundError: No module named 'nosuch'"),
        ("x = 1", "Module does not define chat"),
        ("import freeswitch\ndef chat(message, args): freeswitch.Session('x')", "belongs to calls"),
        ("import os\ndef chat(message, args): os.remove(__file__); raise KeyError('removed')", "'removed'"),
    ];
    let settings = r#"<param name="time-limit" value="1"/><param name="workers" value="1"/>"#;
    let (server, mut sender) = with_sender("", settings);
    let mut other = Agent::udp(server.sip(), "1005");
    assert_eq!(other.register(), 200);
    for (script, expected) in bad {
        server.folder.write("scripts/script.py", script);
        assert_eq!(sender.message(&server.uri("python"), "text/plain", b"x"), 500, "{script}");
        assert!(server.process.wait_for(expected, Duration::from_secs(10)), "{script}");
        let fine = "def chat(message, args):\n    print('no end', end='')\n    message.chat_execute('reply', 'fine')";
        server.folder.write("scripts/script.py", fine);
        assert_eq!(sender.message(&server.uri("python"), "text/plain", b"x"), 200, "after {script}");
        assert_eq!(sender.receive().text(), "fine");
    }
    assert_eq!(sender.message(&server.uri("1005"), "text/plain", b"plain"), 200);
    assert_eq!(other.receive().text(), "plain");
}

#[test]
fn a_slow_script_holds_up_nobody_else() {
    let script =
        "import time\ndef chat(message, args):\n    time.sleep(3)\n    message.chat_execute('reply', 'slow')";
    let (server, mut sender) = with_sender(script, r#"<param name="workers" value="1"/>"#);
    let (mut from, mut to) = (Agent::udp(server.sip(), "1005"), Agent::udp(server.sip(), "1006"));
    assert_eq!((from.register(), to.register()), (200, 200));
    let uri = server.uri("python");
    let slow = std::thread::spawn(move || {
        let status = sender.message(&uri, "text/plain", b"x");
        (status, sender.receive().text())
    });
    let begun = Instant::now();
    for _ in 0..10 {
        assert_eq!(from.message(&server.uri("1006"), "text/plain", b"quick"), 200);
        assert_eq!(to.receive().text(), "quick");
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(!slow.is_finished(), "the slow script was not slow");
    assert_eq!(slow.join().expect("an answer"), (202, "slow".to_owned()));
}

#[test]
fn a_full_queue_is_answered_503() {
    let settings = r#"<param name="workers" value="1"/><param name="queue" value="1"/>"#;
    let (server, sender) = with_sender("import time\ndef chat(message, args): time.sleep(2.5)", settings);
    let uri = server.uri("python");
    let senders: Vec<_> = std::iter::once(sender)
        .chain(["1006", "1007", "1008"].map(|user| Agent::udp(server.sip(), user)))
        .map(|mut sender| {
            let uri = uri.clone();
            std::thread::spawn(move || sender.message(&uri, "text/plain", b"x"))
        })
        .collect();
    let mut statuses: Vec<_> = senders.into_iter().map(|sender| sender.join().expect("an answer")).collect();
    statuses.sort_unstable();
    // Both are stored meanwhile.
    assert_eq!(statuses, [202, 202, 503, 503], "{}", server.process.printed());
}

#[test]
fn a_missing_interpreter_is_told_at_the_start() {
    let folder = folder("", r#"<param name="interpreter" value="nosuch-python"/>"#);
    let server = Server::launch(folder.path());
    server
        .expect("failed to start mod_python3: there is no interpreter nosuch-python for python; install it");
}

#[test]
fn the_end_of_the_server_is_the_end_of_its_workers() {
    let script = "import os\ndef chat(message, args): message.chat_execute('reply', str(os.getpid()))\n\
                  def runtime(args):\n    print('background', os.getpid())\n    while True: pass\n";
    let settings = r#"<param name="startup-script" value="script"/>"#;
    let (mut server, mut sender) = with_sender(script, settings);
    assert_eq!(sender.message(&server.uri("python"), "text/plain", b"x"), 200);
    let worker = sender.receive().text();
    server.process.expect("python: background ");
    let printed = server.process.printed();
    let background = printed.split("python: background ").nth(1).expect("its number");
    let background = background.split_whitespace().next().expect("its number").to_owned();
    let term = std::process::Command::new("kill").arg(server.process.id().to_string()).status();
    assert!(term.expect("kill is there").success());
    assert!(server.process.ended(Duration::from_secs(10)).success());
    let until = Instant::now() + Duration::from_secs(5);
    for pid in [worker, background] {
        while Path::new("/proc").join(&pid).exists() {
            assert!(Instant::now() < until, "the worker {pid} lives on");
            std::thread::yield_now();
        }
    }
}
