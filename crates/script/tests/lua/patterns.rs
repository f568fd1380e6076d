//! The bounded patterns do what Lua's do.

use crate::world::World;

#[test]
fn as_in_lua() {
    let world = World::new();
    for (code, expected) in [
        ("('hello world'):find('o w')", "5 7"),
        ("('hello world'):find('l+')", "3 4"),
        ("('hello'):find('(l)(l)')", "3 4 l l"),
        ("('hello'):find('')", "1 0"),
        ("('hello'):find('', 10)", "nil"),
        ("('hello'):find('', 6)", "6 5"),
        ("('hello'):find('l', -2)", "4 4"),
        ("('a.b'):find('.', 1, true)", "2 2"),
        ("('a+b'):find('+', 1, true)", "2 2"),
        ("('hello'):match('^(h)(.-)o$')", "h ell"),
        ("('  trim me '):match('^%s*(.-)%s*$')", "trim me"),
        ("('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key value"),
        ("('2026-11-23'):match('(%d+)-(%d+)-(%d+)')", "2026 11 23"),
        ("('f(a(b)c)d'):match('%b()')", "(a(b)c)"),
        ("('THE (quick) fox'):find('%f[%a]%a+%f[%A]')", "1 3"),
        ("('abcabc'):match('(abc)%1')", "abc"),
        ("('hello'):match('()ll()')", "3 5"),
        ("('[]]'):match('[]]+')", "]]"),
        ("('a-z'):match('[a%-z]+')", "a-z"),
        ("('x^y'):match('[%^x]+')", "x^"),
        ("('abc'):match('[^b]+')", "a"),
        ("('a1B_'):match('[%w_]+')", "a1B_"),
        ("('0x1F'):match('^0[xX](%x+)$')", "1F"),
        ("('a,b,,c'):gsub(',', ';')", "a;b;;c 3"),
        ("('hello'):gsub('l', { l = 'L' })", "heLLo 2"),
        ("('hello'):gsub('.', function(c) if c == 'l' then return '1' end end)", "he11o 5"),
        ("('hello world'):gsub('(%w+)', '<%1>')", "<hello> <world> 2"),
        ("('hello world'):gsub('%w+', '%0 %0', 1)", "hello hello world 1"),
        ("('abc'):gsub('', '-')", "-a-b-c- 4"),
        ("('abc'):gsub('b*', '-')", "-a-c- 3"),
        ("('abc'):gsub('^a', 'x')", "xbc 1"),
        ("('abc'):gsub('$', 'x')", "abcx 1"),
        ("('50%'):gsub('%%', '%%%%')", "50%% 1"),
        (
            "(function() local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[#t + 1] = k .. v end return table.concat(t, ' ') end)()",
            "a1 b2",
        ),
        ("(function() local n = 0 for w in ('one two'):gmatch('%a+') do n = n + 1 end return n end)()", "2"),
        (
            "(function() local t = {} for p in ('abc'):gmatch('()') do t[#t + 1] = p end return table.concat(t, ' ') end)()",
            "1 2 3 4",
        ),
        ("('x'):rep(3, ',')", "x,x,x"),
        ("('ab'):find('b', nil)", "2 2"),
        ("string.match(12345, '3(.*)')", "45"),
    ] {
        let code = format!(
            "local t = table.pack({code}) for i = 1, t.n do t[i] = tostring(t[i]) end stream:write(table.concat(t, ' '))"
        );
        assert_eq!(world.code(&code).text(), expected, "{code}");
    }
}

#[test]
fn mistakes_in_patterns() {
    let world = World::new();
    for (code, expected) in [
        ("('x'):find('%')", "malformed pattern (ends with '%')"),
        ("('x'):find('(x')", "unfinished capture"),
        ("('x'):match('x)')", "invalid pattern capture"),
        ("('x'):find('%1')", "invalid capture index %1"),
        ("('x'):find('%bx')", "missing arguments to '%b'"),
        ("('x'):find('%fx')", "missing '[' after '%f' in pattern"),
        ("('x'):gsub('x', '%2')", "invalid capture index %2"),
        ("('x'):gsub('x', '%y')", "invalid use of '%' in replacement string"),
        ("('x'):gsub('x', function() return {} end)", "invalid replacement value (a table)"),
    ] {
        let error = world.code(&format!("local _ = {code}")).error();
        assert!(error.contains(expected), "{code}: {error}");
    }
}
