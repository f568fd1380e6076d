//! A bad script costs its own message: it ends with an error, and the next one works.

use std::process::Command;
use std::time::{Duration, Instant};

use chappe_script::ScriptError;
use chappe_script::lua::LuaConfig;

use crate::world::{World, message};

/// The world's next script works.
fn works(world: &World) {
    assert_eq!(world.code("stream:write('fine ' .. message:getBody())").text(), "fine hello");
}

fn ends(world: &World, code: &str, expected: fn(&ScriptError) -> bool) {
    let begun = Instant::now();
    let error = world.code(code).error.unwrap_or_else(|| panic!("{code} ends well"));
    assert!(expected(&error), "{code}: {error}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{code}: {:?}", begun.elapsed());
    works(world);
}

#[test]
fn what_takes_too_long_is_ended() {
    for code in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() while true do end end while true do pcall(pcall, f) end",
        "while true do xpcall(function() while true do end end, function(e) while true do end end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do local c = coroutine.create(function() pcall(function() while true do end end) end) coroutine.resume(c) end",
        "repeat until false",
        "::x:: goto x",
        "error(setmetatable({}, { __tostring = function() while true do end end }))",
        "freeswitch.msleep(100000000)",
        "freeswitch.EventConsumer('MESSAGE'):pop(1)",
        "while true do pcall(freeswitch.msleep, 1000000) end",
        "string.find(('a'):rep(30), ('a*'):rep(30) .. 'b')",
        "(('a'):rep(100000)):match('.-.-.-.-.-b')",
        "(('a'):rep(100000)):gsub('.-.-.-.-.-b', '')",
        "while true do pcall(string.find, ('a'):rep(30), ('a*'):rep(30) .. 'b') end",
    ] {
        ends(&World::new(), code, |error| matches!(error, ScriptError::Time(_)));
    }
}

#[test]
fn what_can_not_be_stopped_is_given_up() {
    for code in [
        "io.open(FIFO)",
        "local x <close> = setmetatable({}, { __close = function() io.open(FIFO) end }) while true do end",
    ] {
        let world = World::new();
        let fifo = world.folder.path().join("fifo").display().to_string();
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        ends(&world, &code.replace("FIFO", &format!("'{fifo}'")), |error| {
            matches!(error, ScriptError::Lost(_))
        });
    }
}

#[test]
fn what_needs_too_much_memory_is_ended() {
    for code in [
        "local x = ('x'):rep(1000000000)",
        "local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end",
        "local s = 'x' while true do s = s .. s end",
        "string.format('%s', ('x'):rep(1e9))",
        "(('x'):rep(1e6)):gsub('x', ('y'):rep(1e6))",
    ] {
        let config = LuaConfig { threads: 1, time_limit: Duration::from_secs(20), ..LuaConfig::default() };
        ends(&World::with(config), code, |error| matches!(error, ScriptError::Memory(_)));
    }
}

#[test]
fn errors_are_told_in_luas_words() {
    for (code, expected) in [
        ("this is not lua", "line:1: syntax error near 'is'"),
        ("error('boo')", "line:1: boo\nstack traceback:"),
        ("error({ code = 1 })", "table: 0x"),
        ("error()", "nil"),
        ("local x = nil; x.y = 1", "attempt to index a nil value (local 'x')"),
        (
            "require('nosuch')",
            "module 'nosuch' not found:\n\tno field package.preload['nosuch']\n\tno file '",
        ),
        ("freeswitch.Session('a')", "freeswitch.Session belongs to calls, and there are no calls here"),
        ("freeswitch.IVRMenu()", "freeswitch.IVRMenu belongs to calls"),
        ("message:getHeader()", "Error in Event::getHeader expected 2..2 args, got 1"),
        ("message:getHeader({})", "Error in Event::getHeader (arg 2), expected 'char const *' got 'table'"),
        ("os.execute('true')", "os.execute is not allowed; sms.conf's allow-system would allow it"),
        ("io.popen('true')", "io.popen is not allowed"),
        ("setmetatable({}, { __gc = function() end })", "__gc is not available to scripts"),
        ("local x = ('x'):rep(10000000000)", "resulting string too large"),
        ("table.move({}, 1, 2^53, 2)", "the range is too long"),
        ("('x'):find('[a')", "malformed pattern (missing ']')"),
    ] {
        let world = World::new();
        let error = world.code(code).error();
        assert!(error.contains(expected), "{code}: {error}");
        works(&world);
    }
}

#[test]
fn a_missing_script_and_no_script() {
    let world = World::new();
    let error = world.run("absent.lua").error();
    assert!(error.starts_with("cannot open /") && error.contains("/absent.lua: No such file"), "{error}");
    assert_eq!(world.run("").error(), "no script is named");
    works(&world);
}

#[test]
fn exit_is_refused() {
    let world = World::new();
    assert_eq!(world.code("os.exit(1) stream:write('on')").text(), "on");
    works(&world);
}

#[test]
fn what_is_printed_goes_to_the_log() {
    let world = World::new();
    assert_eq!(world.code("print('a', 1, nil) io.write('b\\n') stream:write('on')").text(), "on");
}

#[test]
fn a_body_that_is_not_utf8_is_handed_through() {
    let world = World::new();
    let mut message = message();
    message.set_body(Some(bytes::Bytes::from_static(b"a\xFFb")));
    let ran = world
        .run_on("~stream:write(#message:getBody()) message:addBody(message:getBody() .. '\\254')", message);
    assert_eq!(ran.message.as_ref().unwrap().body().unwrap().as_ref(), b"a\xFFb\xFE");
    assert_eq!(ran.text(), "3");
}

#[test]
fn a_script_is_replaced_while_it_runs() {
    let world = World::new();
    world.write("a.lua", "stream:write('one') freeswitch.msleep(1) stream:write(' one')");
    assert_eq!(world.run("a.lua").text(), "one one");
    world.write("a.lua", "stream:write('the other')");
    assert_eq!(world.run("a.lua").text(), "the other");
    world.write("a.lua", "this is not lua");
    assert!(world.run("a.lua").error().contains("a.lua:1: syntax error"));
    world.write("a.lua", "stream:write('well again')");
    assert_eq!(world.run("a.lua").text(), "well again");
}

#[test]
fn what_a_script_makes_is_bounded() {
    let config = LuaConfig { threads: 1, time_limit: Duration::from_secs(20), ..LuaConfig::default() };
    let world = World::with(config);
    for (code, expected) in [
        (
            "local t = {} while true do t[#t + 1] = freeswitch.Event('CUSTOM') end",
            "a script may have 1000 events at once",
        ),
        (
            "local t = {} while true do t[#t + 1] = freeswitch.EventConsumer() end",
            "16 event consumers at once",
        ),
        ("while true do stream:write(('x'):rep(100000)) end", "a script may write 4194304 octets"),
        ("local x = ('x'):rep(1e7) for i = 1, 1e9 do message:addHeader('h' .. i, x) end", "octets"),
    ] {
        let error = world.code(code).error();
        assert!(error.contains(expected), "{code}: {error}");
        works(&world);
    }
    assert_eq!(
        world
            .code(
                "local last for i = 1, 101 do last = message:chat_execute('reply', i) end stream:write(last)"
            )
            .text(),
        "1"
    );
    assert_eq!(world.sent().len(), 100);
}

#[test]
fn objects_that_are_dropped_make_room() {
    let world =
        World::with(LuaConfig { threads: 1, time_limit: Duration::from_secs(30), ..LuaConfig::default() });
    assert_eq!(world.code("for i = 1, 50000 do freeswitch.Event('CUSTOM', 'a::b') if i % 500 == 0 then local t = {} for j = 1, 20000 do t[j] = {} end end end stream:write('on')").text(), "on");
}
