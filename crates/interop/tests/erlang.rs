//! A stock Erlang: `erl` connects by cookie, and its processes hear, ask, send and answer.

use chappe_interop::{Agent, Driven, Folder, Server, TEXT, binary, find, free_port};
use std::process::Command;
use std::time::Duration;

const COOKIE: &str = "interop";

/// Reads expressions from its standard input, one a line, and prints what each is worth.
const LOOP: &str = r#"
io:setopts([{encoding, unicode}]),
Loop = fun Loop(Bindings) ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            {ok, Tokens, _} = erl_scan:string(Line),
            {ok, Expressions} = erl_parse:parse_exprs(Tokens),
            {value, Value, New} = erl_eval:exprs(Expressions, Bindings),
            io:format("=> ~0tp~n", [Value]),
            Loop(New)
    end
end,
Loop([])."#;

/// What every dialogue begins with. `Ask` sends to a name that does not exist, since every name is the same here.
const WORDS: &str = "
Node = 'freeswitch@127.0.0.1'.
Got = fun() -> receive M -> M after 10000 -> nothing end end.
Ask = fun(M) -> {anything, Node} ! M, Got() end.
Event = fun F(Name) -> receive {event, [_ | H]} -> case lists:member({<<\"Event-Name\">>, Name}, H) of true -> maps:from_list(H); false -> F(Name) end after 10000 -> nothing end end.
";

/// A server, `erl` and the port mapper between them, on ports of their own.
struct Scene {
    server: Server,
    epmd_port: u16,
    _epmd: Driven,
}

impl Scene {
    fn new() -> Option<Self> {
        if find("erl").is_none() || find("epmd").is_none() {
            return None;
        }
        let epmd_port = free_port();
        let mut epmd = Command::new("epmd");
        epmd.args(["-address", "127.0.0.1", "-port", &epmd_port.to_string()]);
        let epmd = Driven::start(epmd);

        let folder = Folder::new();
        let port = free_port();
        let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("it was written");
        let main = main.replace(
            "<load module=\"mod_sofia\"/>",
            "<load module=\"mod_erlang_event\"/><load module=\"mod_sofia\"/>",
        );
        let configuration = format!(
            r#"<configuration name="erlang_event.conf"><settings>
      <param name="listen-ip" value="127.0.0.1"/>
      <param name="listen-port" value="{port}"/>
      <param name="nodename" value="freeswitch@127.0.0.1"/>
      <param name="cookie" value="{COOKIE}"/>
      <param name="encoding" value="binary"/>
    </settings></configuration>
    <configuration name="sofia.conf">"#
        );
        folder.write(
            "freeswitch.xml",
            &main.replacen("<configuration name=\"sofia.conf\">", &configuration, 1),
        );

        let mut command = Command::new(binary());
        command.arg("serve").arg("--conf").arg(folder.path()).env("ERL_EPMD_PORT", epmd_port.to_string());
        let process = Driven::start(command);
        process.expect("ready\n");
        process.expect("erlang node is registered");
        Some(Self { server: Server { folder, process }, epmd_port, _epmd: epmd })
    }

    fn erl(&self, cookie: &str) -> Erl {
        let mut command = Command::new("erl");
        command.args(["-noshell", "-name", "peer@127.0.0.1", "-setcookie", cookie]);
        command.args(["-start_epmd", "false", "-eval", LOOP]);
        command.env("ERL_EPMD_PORT", self.epmd_port.to_string()).env("ERL_CRASH_DUMP_SECONDS", "0");
        let mut erl = Erl { erl: Driven::start(command), answers: 0 };
        for line in WORDS.trim().lines() {
            erl.ask(line);
        }
        erl
    }
}

struct Erl {
    erl: Driven,
    answers: usize,
}

impl Erl {
    /// Evaluates the expression; what it is worth.
    fn ask(&mut self, expression: &str) -> String {
        self.say(expression);
        self.answer(expression)
    }

    fn say(&mut self, expression: &str) {
        self.erl.say(expression);
    }

    /// What the next expression is worth that was said.
    fn answer(&mut self, expression: &str) -> String {
        let end = std::time::Instant::now() + Duration::from_secs(20);
        while std::time::Instant::now() < end {
            let printed = self.erl.printed();
            let whole = &printed[..printed.rfind('\n').map_or(0, |at| at + 1)];
            let mut answers = whole.lines().filter_map(|line| line.strip_prefix("=> "));
            if let Some(answer) = answers.nth(self.answers) {
                self.answers += 1;
                return answer.to_owned();
            }
            self.erl.wait_for("never printed", Duration::from_millis(20));
        }
        panic!("{expression} has no worth; erl printed:\n{}", self.erl.printed());
    }
}

#[test]
fn a_node_is_pinged_and_asked() {
    let Some(scene) = Scene::new() else { return };
    let mut erl = scene.erl(COOKIE);
    assert_eq!(erl.ask("net_adm:ping(Node)."), "pong");
    assert_eq!(erl.ask("nodes(hidden)."), "['freeswitch@127.0.0.1']");
    assert_eq!(erl.ask("element(1, Ask({api, status, \"\"}))."), "ok");
    assert_eq!(erl.ask("Ask({api, nonsense, \"\"})."), "{error,<<\"-ERR nonsense Command not found!\\n\">>}");
    assert_eq!(
        erl.ask("{ok, Job} = Ask({bgapi, version, \"short\"}), element(1, {bgok, Job, _} = Got())."),
        "bgok"
    );
    assert_eq!(erl.ask("{ok, Pid} = Ask(getpid), node(Pid) =:= Node."), "true");
    assert_eq!(erl.ask("Pid ! getpid, {ok, Pid} =:= Got()."), "true");
    assert_eq!(erl.ask("element(1, gen_server:call({anything, Node}, {api, version, \"\"}))."), "ok");
    assert_eq!(erl.ask("Ask({handlecall, \"abc\"})."), "{error,badsession}");
    assert_eq!(erl.ask("Ask(nonsense)."), "{error,undef}");

    assert_eq!(erl.ask("Ask(register_log_handler)."), "ok");
    // Something the log tells of.
    assert_eq!(Agent::udp(scene.server.sip(), "1000").register(), 200);
    assert_eq!(erl.ask("{log, L} = Got(), lists:keymember(level, 1, L)."), "true");
    assert_eq!(
        erl.ask(
            "{anything, Node} ! nolog, F = fun F() -> case Got() of {log, _} -> F(); O -> O end end, F()."
        ),
        "ok"
    );

    assert_eq!(erl.ask("monitor_node(Node, true), Ask(exit)."), "ok");
    // The log handler was linked.
    assert_eq!(erl.ask("receive {'EXIT', Pid, Why} -> Why after 10000 -> nothing end."), "noconnection");
    assert_eq!(erl.ask("receive {nodedown, Node} -> down after 10000 -> nothing end."), "down");
    assert_eq!(erl.ask("net_adm:ping(Node)."), "pong");
}

#[test]
fn a_wrong_cookie_is_refused() {
    let Some(scene) = Scene::new() else { return };
    let mut erl = scene.erl("wrong");
    assert_eq!(erl.ask("net_adm:ping(Node)."), "pang");
    scene.server.process.expect("erlang node rejected: it has another cookie");
}

#[test]
fn processes_hear_of_messages_and_send_them() {
    let Some(scene) = Scene::new() else { return };
    let mut erl = scene.erl(COOKIE);
    let mut agent = Agent::udp(scene.server.sip(), "1000");
    assert_eq!(agent.register(), 200);
    assert_eq!(erl.ask("Ask(register_event_handler)."), "ok");
    assert_eq!(erl.ask("Ask({event, 'MESSAGE', 'CUSTOM', 'SMS::DELIVERY_REPORT'})."), "ok");

    assert_eq!(agent.message(&scene.server.uri("1000"), "text/plain", TEXT.as_bytes()), 200);
    assert_eq!(agent.receive().text(), TEXT);
    let heard = format!(
        "#{{<<\"from_user\">> := <<\"1000\">>, <<\"body\">> := Body}} = Event(<<\"MESSAGE\">>), Body =:= <<\"{TEXT}\"/utf8>>."
    );
    assert_eq!(erl.ask(&heard), "true");

    let send = format!(
        "Ask({{sendevent, 'CUSTOM', 'SMS::SEND_MESSAGE', [{{\"dest_proto\", \"sip\"}}, {{\"sip_profile\", \"internal\"}}, \
         {{\"from\", \"1001@127.0.0.1\"}}, {{\"to\", \"1000@127.0.0.1\"}}, {{\"type\", \"text/plain\"}}, \
         {{\"body\", <<\"{TEXT}\"/utf8>>}}]}})."
    );
    assert_eq!(erl.ask(&send), "ok");
    assert_eq!(agent.receive().text(), TEXT);
    assert_eq!(
        erl.ask("maps:get(<<\"Event-Subclass\">>, Event(<<\"CUSTOM\">>))."),
        "<<\"SMS::DELIVERY_REPORT\">>"
    );
}

#[test]
fn a_process_answers_for_the_chatplan() {
    let Some(scene) = Scene::new() else { return };
    let mut erl = scene.erl(COOKIE);
    let mut agent = Agent::udp(scene.server.sip(), "1000");
    assert_eq!(agent.register(), 200);
    assert_eq!(erl.ask("Ask({bind, chatplan})."), "ok");
    erl.ask(
        "Plan = \"<document type='freeswitch/xml'><section name='chatplan'><context name='default'><extension name='e'>\
         <condition field='to_user' expression='^erlang$'><action application='reply' data='erlang heard ${body}'/>\
         </condition></extension></context></section></document>\".",
    );
    let answer = "{fetch, chatplan, _, _, _, Id, [_ | P]} = Got(), true = lists:keymember(<<\"from_user\">>, 1, P), \
                  Ask({fetch_reply, Id, Plan}) =:= {ok, Id}.";
    erl.say(answer);
    assert_eq!(agent.message(&scene.server.uri("erlang"), "text/plain", b"you"), 200);
    assert_eq!(erl.answer(answer), "true");
    assert_eq!(agent.receive().text(), "erlang heard you");

    // Who says that there is no such thing leaves it to the files, and so does who is gone.
    let nothing = "{fetch, chatplan, _, _, _, Id2, _} = Got(), Ask({fetch_reply, Id2, \"\"}) =:= {ok, Id2}.";
    erl.say(nothing);
    assert_eq!(agent.message(&scene.server.uri("echo"), "text/plain", b"you"), 200);
    assert_eq!(erl.answer(nothing), "true");
    assert_eq!(agent.receive().text(), "Hello, you said: you");
    drop(erl);
    scene.server.process.expect("erlang node disconnected");
    assert_eq!(agent.message(&scene.server.uri("echo"), "text/plain", b"you"), 200);
    assert_eq!(agent.receive().text(), "Hello, you said: you");
}

/// The module in the manual, as it is printed there.
#[test]
fn the_manual_s_example_works() {
    let Some(scene) = Scene::new() else { return };
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/erlang.md"));
    let manual = manual.expect("the manual");
    let module =
        manual.split_once("```erlang\n").and_then(|(_, rest)| rest.split_once("```")).expect("a module").0;
    scene.server.folder.write("plan.erl", module);
    let mut erl = scene.erl(COOKIE);
    let path = scene.server.folder.path().join("plan");
    let load = format!(
        "{{ok, plan, Code}} = compile:file({:?}, [binary]), {{module, plan}} = code:load_binary(plan, \"plan\", Code).",
        path.display().to_string()
    );
    assert_eq!(erl.ask(&load), "{module,plan}");
    erl.ask("P = spawn(plan, start, [Node]).");
    // Whoever is bound is linked.
    let bound = "Bound = fun W() -> case process_info(P, links) of {links, []} -> timer:sleep(10), W(); _ -> yes end end, \
                 Bound().";
    assert_eq!(erl.ask(bound), "yes");
    let mut agent = Agent::udp(scene.server.sip(), "1000");
    assert_eq!(agent.register(), 200);
    assert_eq!(agent.message(&scene.server.uri("anybody"), "text/plain", b"you"), 200);
    assert_eq!(agent.receive().text(), "hello 1000");
}
