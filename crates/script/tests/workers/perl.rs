//! Perl scripts.

use bytes::Bytes;
use chappe_script::worker::PERL;
use chappe_script::{Patience, Run, ScriptError};

use crate::world::{World, message};

#[test]
fn a_script_has_the_message_and_its_arguments() {
    let world = World::new(&PERL);
    world.write(
        "echo.pl",
        "use strict; our ($message);\n\
         freeswitch::consoleLog('info', 'got ' . $message->getBody());\n\
         $message->chat_execute('reply', 'Hello, you said: ' . $message->getBody() . \" (@ARGV)\");\n",
    );
    let ran = world.chat("echo.pl one 'two  three'");
    assert_eq!(ran.error, None);
    assert_eq!(world.sent(), [("1004".to_owned(), Bytes::from("Hello, you said: hello (one two  three)"))]);
}

#[test]
fn an_event_is_read_and_changed() {
    let world = World::new(&PERL);
    for code in [
        "$message->getHeader('FROM') eq '1004@chat.test'",
        "!defined $message->getHeader('nosuch')",
        "!defined $message->getHeader('')",
        "$message->getHeader('_body') eq 'hello'",
        "$message->getType eq 'MESSAGE'",
        "$message->addHeader('a', '1') && $message->getHeader('a') eq '1'",
        "$message->addHeader('a', 2) && $message->getHeader('a') eq '2'",
        "$message->addHeader('a', 2) && $message->delHeader('a') && !$message->delHeader('a')",
        "$message->addHeader('l[1]', 'y') && $message->getHeader('l[1]') eq 'y'",
        "$message->addBody(\"\\xff\") && $message->getBody eq \"\\xff\"",
        "$message->addBody(\"\\x{e9}\\x{20ac}\") && $message->getBody eq \"\\xc3\\xa9\\xe2\\x82\\xac\"",
        "$message->serialize =~ /^from: 1004%40chat.test$/m",
        "$message->serialize('json') =~ /1004\\@chat.test/",
        "$message->chat_execute('set', 'r=${from_user}') == 0 && $message->getHeader('r') eq '1004'",
        "!$message->fire",
        "my $e = freeswitch::Event->new('CUSTOM', 'SMS::T'); $e->addHeader('n', 7); $e->fire",
        "my $e = new freeswitch::Event('CUSTOM', 'T'); $e->merge($message); $e->getHeader('from_user') eq '1004'",
        "my $c = freeswitch::EventConsumer->new('CUSTOM'); freeswitch::Event->new('CUSTOM', 'x')->fire; \
         $c->pop(1, 5000)->getHeader('Event-Subclass') eq 'x'",
        "freeswitch::Event->new('CUSTOM', 'x') for 1 .. 3000; 1",
        "my $api = freeswitch::API->new; $api->executeString('nosuch x') eq \"-ERR nosuch Command not found!\\n\"",
        "freeswitch::setGlobalVariable('v', 'x'); freeswitch::getGlobalVariable('v') eq 'x'",
        "my $d = freeswitch::Dbh->new('sqlite://:memory:'); my @r; \
         $d->query('select 1 as a union select 2', sub { push @r, $_[0]{a}; 0 }) && \"@r\" eq '1 2'",
    ] {
        let ran = world.chat(&format!("~die 'not so' unless do {{ {code} }}"));
        assert_eq!(ran.error, None, "{code}");
    }
}

#[test]
fn api_commands_and_background_scripts() {
    let world = World::new(&PERL);
    world.write("api.pl", "$stream->write(\"@ARGV \" . $env->getHeader('API-Command-Argument')); 1;");
    assert_eq!(world.api("api.pl a b").text(), "a b api.pl a b");
    assert_eq!(world.api("~$stream->write('inline')").text(), "inline");
    world.write("back.pl", "freeswitch::setGlobalVariable('back', \"@ARGV\"); 1;");
    let run = Run::new(world.world.clone());
    let finished = world.begin_patient("back.pl a b", run, Patience::Endless).unwrap();
    assert_eq!(world.end(finished).error, None);
    assert_eq!(world.router.globals().get("back").as_deref(), Some("a b"));
}

#[test]
fn scripts_share_nothing_but_modules() {
    let world = World::new(&PERL);
    let first = "our $x = 1; our @list = (1); our %hash = (a => 1); sub left { 1 } $main::y = 2; package Other; our $kept = 5";
    assert_eq!(world.chat(&format!("~{first}")).error, None);
    let second = "die 'x' if defined $x; die 'list' if @list; die 'hash' if %hash; die 'sub' if defined &left; \
                  die 'y' if defined $main::y; die 'message' if defined $env; die 'gone' unless $Other::kept == 5";
    assert_eq!(world.chat(&format!("~{second}")).error, None);
}

#[test]
fn a_script_is_read_anew_when_it_changes() {
    let world = World::new(&PERL);
    for value in ["one", "two", "six"] {
        world.write("a.pl", &format!("$message->addHeader('r', '{value}');"));
        assert_eq!(world.chat("a.pl").header("r"), value);
    }
}

#[test]
fn a_bad_script_costs_its_own_message() {
    let world = World::new(&PERL);
    for (code, expected) in [
        ("die 'boo'", "boo at "),
        ("die { code => 1 }", "HASH("),
        ("this is not perl", "at "),
        ("nosuch()", "Undefined subroutine &main::nosuch"),
        ("$message->nosuch", "Can't locate object method \"nosuch\" via package \"freeswitch::Event\""),
        ("freeswitch::Session->new('a')", "belongs to calls, and there are no calls here at "),
        ("new freeswitch::IVRMenu()", "belongs to calls"),
        ("$message->getHeader()", "expected 2..2 args, got 1"),
        ("$message->addHeader('a', {})", "the server has no use for a HASH"),
        ("use nosuch", "Can't locate nosuch.pm"),
    ] {
        let error = world.chat(&format!("~{code}")).error();
        assert!(error.contains(expected), "{code}: {error}");
        assert_eq!(world.chat("~$message->addHeader('fine', 1)").header("fine"), "1", "{code}");
    }
    assert!(world.chat("nosuch.pl").error().contains("Cannot open script"));
    for code in ["kill 9, $$", "require POSIX; POSIX::_exit(0)", "my $x = 'x' x 10_000_000_000"] {
        let error = world.chat(&format!("~{code}")).error.expect(code);
        assert!(matches!(error, ScriptError::Lost(_)), "{code}: {error}");
        assert_eq!(world.chat("~$message->addHeader('fine', 1)").header("fine"), "1", "{code}");
    }
    for code in
        ["exit", "exit 3", "sub f { exit(0) } f()", "print 'no end'; print STDERR 'x'", "my $x = <STDIN>"]
    {
        assert_eq!(world.chat(&format!("~$message->addHeader('a', 'b'); {code}")).header("a"), "b", "{code}");
    }
}

#[test]
fn octets_come_and_go_as_they_are() {
    let world = World::new(&PERL);
    let mut odd = message();
    odd.set_body(Some(Bytes::from_static(b"\xff\xfe ok")));
    let ran = world.chat_on("~$message->addBody($message->getBody . '!')", odd);
    assert_eq!(ran.error, None);
    assert_eq!(ran.message.body(), Some(&Bytes::from_static(b"\xff\xfe ok!")));
}
