//! What a script finds, and that nothing of it is left for the next one.

use chappe_script::host::{self, Form};
use chappe_script::{Engine, Job, Object, Patience, Refused, Run};
use tokio::sync::oneshot;

use crate::world::World;

#[test]
fn scripts_share_nothing() {
    let world = World::new();
    for (first, second) in [
        ("x = 1", "x"),
        ("_G.x = 1", "x"),
        ("string.x = 1", "string.x"),
        ("string.x = 1", "('').x"),
        ("freeswitch.x = 1", "freeswitch.x"),
        ("package.loaded.x = 1", "package.loaded.x"),
        ("table.insert = nil", "not table.insert or nil"),
        ("string.upper = nil", "('a'):upper() ~= 'A' or nil"),
        ("load('x = 1')()", "x"),
        ("pcall(function() getmetatable('').__index = nil end)", "('a'):upper() ~= 'A' or nil"),
        ("pcall(function() getmetatable(string).__index.x = 1 end)", "string.x"),
        ("setmetatable(_G, { __index = function() return 1 end })", "x"),
        ("coroutine.wrap(function() x = 1 end)()", "x"),
        ("x = 1 error('boo')", "x"),
    ] {
        world.code(first);
        assert_eq!(world.code(&format!("stream:write(tostring({second}))")).text(), "nil", "{first}");
    }
}

#[test]
fn a_script_sees_what_it_sets() {
    let world = World::new();
    for (code, expected) in [
        ("x = 1 stream:write(_G.x)", "1"),
        ("function string.shout(s) return s:upper() .. '!' end stream:write(('a'):shout())", "A!"),
        ("load('x = 7')() stream:write(x)", "7"),
        ("local f = load('return y', 'c', 't', { y = 3 }) stream:write(f())", "3"),
        (
            "local n = 0 for k in pairs(string) do n = n + 1 end stream:write(n > 10 and 'many' or 'few')",
            "many",
        ),
        ("stream:write(table.concat({ 1, 2, 3 }, ','))", "1,2,3"),
        ("local ok, e = pcall(error, 'boo') stream:write(tostring(ok) .. e)", "falseboo"),
        ("local ok, e = pcall(error, { 5 }) stream:write(e[1])", "5"),
        (
            "local ok, e = pcall(message.getHeader, message) stream:write(e:sub(1, 26))",
            "Error in Event::getHeader ",
        ),
        ("stream:write(select(2, xpcall(error, function(e) return e .. '?' end, 'boo')))", "boo?"),
        (
            "stream:write(select(2, xpcall(function() error('boo', 0) end, debug.traceback)):sub(1, 20))",
            "boo\nstack traceback:",
        ),
        (
            "local w = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) error('got ' .. b, 0) end) stream:write(w(1)) stream:write(select(2, pcall(w, 5)))",
            "2got 5",
        ),
        ("stream:write(unpack({ 'a' }))", "a"),
        ("stream:write(loadstring('return 4')())", "4"),
        ("stream:write(table.maxn({ 1, [9] = 1 }))", "9"),
        ("stream:write(bit32.band(6, 3))", "2"),
        ("stream:write(math.pow(2, 3))", "8"),
        ("stream:write(debug.traceback('t'):sub(1, 18))", "t\nstack traceback:"),
        ("stream:write(type(debug.getinfo(1).currentline))", "number"),
        ("stream:write(stream:get_data() .. type(os.time()))", "number"),
    ] {
        assert_eq!(world.code(code).text(), expected, "{code}");
    }
}

#[test]
fn arguments() {
    let world = World::new();
    world.write("a.lua", "stream:write(argv[0] .. '|' .. table.concat(argv, '|'))");
    assert_eq!(world.run("a.lua one 'two three' \\'").text(), "a.lua|one|two three|'");
    assert_eq!(world.run("a.lua").text(), "a.lua|");
    let path = world.folder.path().join("a.lua").display().to_string();
    assert_eq!(world.run(&path).text(), format!("{path}|"));
}

#[test]
fn modules_are_found_and_loaded_anew_each_run() {
    let world = World::new();
    world.write("m.lua", "local m = { n = 0 } function m.count() m.n = m.n + 1 return m.n end return m");
    std::fs::create_dir(world.folder.path().join("deep")).unwrap();
    world.write("deep/n.lua", "loads = (loads or 0) + 1 return { name = ... }");
    world.write(
        "a.lua",
        "local m = require 'm' require('m').count() stream:write(m.count() .. require('deep.n').name .. loads)",
    );
    for _ in 0..3 {
        assert_eq!(world.run("a.lua").text(), "2deep.n1");
    }
    world.write("b.lua", "dofile(argv[1]) stream:write(tostring(loadfile('/nosuch')))");
    let path = world.folder.path().join("m.lua").display().to_string();
    assert_eq!(world.run(&format!("b.lua {path}")).text(), "nil");
}

#[test]
fn the_message_is_handed_back() {
    let world = World::new();
    let ran = world.code(
        "message:addHeader('lang', 'cs') message:delHeader('type') message:addBody('new') \
         stream:write(tostring(message:fire()) .. message:getType() .. tostring(message:getHeader('none')))",
    );
    let message = ran.message.as_ref().unwrap();
    assert_eq!((message.get("lang"), message.get("type"), &*message.body_text()), (Some("cs"), None, "new"));
    assert_eq!(ran.text(), "falseMESSAGEnil");
}

#[test]
fn apps_are_run_on_the_message() {
    let world = World::new();
    let code = "message:chat_execute('set', 'x=${from_user}') \
                stream:write(message:getHeader('x') .. message:chat_execute('reply', 'hi ' .. message:getBody()) \
                .. message:chat_execute('nosuch'))";
    assert_eq!(world.code(code).text(), "100401");
    assert_eq!(world.sent(), ["1004: hi hello"]);
}

#[test]
fn events_are_made_fired_and_consumed() {
    let world = World::new();
    let code = "local c = freeswitch.EventConsumer('CUSTOM', 'a::b') \
                local e = freeswitch.Event('CUSTOM', 'a::b') e:addHeader('n', 7) e:addBody('text') \
                assert(c:pop() == nil) assert(e:fire()) \
                local got = c:pop(1, 100) \
                stream:write(got:getHeader('n') .. got:getBody() .. got:getHeader('Event-Subclass') .. tostring(c:pop(1, 1)))";
    assert_eq!(world.code(code).text(), "7texta::bnil");
    let json = "local e = freeswitch.Event('json', '{\"Event-Name\":\"CUSTOM\",\"a\":\"b\"}') stream:write(e:getHeader('a') .. e:serialize('json'):sub(1, 1) .. e:serialize('xml'):sub(1, 7))";
    assert_eq!(world.code(json).text(), "b{<event>");
}

#[test]
fn api_commands_are_answered() {
    let world = World::new();
    let code = "local api = freeswitch.API() stream:write(api:execute('nosuch', 'x') .. api:executeString('nosuch y') .. type(api:getTime()))";
    assert_eq!(
        world.code(code).text(),
        "-ERR nosuch Command not found!\n-ERR nosuch Command not found!\nstring"
    );
}

#[test]
fn everything_in_the_table_is_there() {
    let world = World::new();
    for function in host::functions() {
        let object = match (function.form(), function.object) {
            (Form::Function, _) => format!("freeswitch.{}", function.name),
            (Form::Constructor, object) => format!("freeswitch.{}", object.as_str()),
            (Form::Method, Object::Event) => format!("message.{}", function.name),
            (Form::Method, Object::Stream) => format!("stream.{}", function.name),
            (Form::Method, Object::Dbh) => format!("freeswitch.Dbh('sqlite://:memory:').{}", function.name),
            (Form::Method, object) => format!("freeswitch.{}().{}", object.as_str(), function.name),
        };
        assert_eq!(world.code(&format!("stream:write(type({object}))")).text(), "function", "{object}");
    }
}

#[test]
fn a_full_queue_refuses() {
    use chappe_script::lua::LuaConfig;
    let world = World::with(LuaConfig { threads: 1, queue: 1, ..LuaConfig::default() });
    let over = world.folder.path().join("over");
    let line = format!("~while not io.open('{}') do freeswitch.msleep(10) end", over.display());
    let mut waiting = Vec::new();
    let began = [(); 4].map(|()| {
        let (done, finished) = oneshot::channel();
        waiting.push(finished);
        let run = Run::new(world.world.clone());
        world.engine.clone().start(Job { line: line.clone(), run, patience: Patience::Limited, done })
    });
    // One runs, whether or not its thread has taken it up by now, and one waits.
    assert_eq!(began, [Ok(()), Ok(()), Err(Refused::Full), Err(Refused::Full)]);
    std::fs::write(&over, "").unwrap();
    for finished in waiting.drain(..2) {
        assert_eq!(world.runtime().block_on(finished).unwrap().outcome, Ok(()));
    }
}

#[test]
fn a_stopped_engine_ends_what_never_ends() {
    let world = World::new();
    let (done, finished) = oneshot::channel();
    let run = Run::new(world.world.clone());
    let line = "~while freeswitch.running() do freeswitch.msleep(1) end".to_owned();
    world.engine.clone().start(Job { line, run, patience: Patience::Endless, done }).unwrap();
    world.world.stop();
    assert!(world.runtime().block_on(finished).is_ok());
    let (done, _) = oneshot::channel();
    let job =
        Job { line: String::new(), run: Run::new(world.world.clone()), patience: Patience::Limited, done };
    assert_eq!(world.engine.clone().start(job), Err(Refused::Stopping));
}
