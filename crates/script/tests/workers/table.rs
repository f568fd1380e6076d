//! Each language has every function of the host table.

use std::fmt::Write;

use chappe_script::host::{self, Form};
use chappe_script::worker::{JAVASCRIPT, PERL, PYTHON};

use crate::world::World;

#[test]
fn python_has_every_function() {
    let mut code = "import freeswitch, inspect\ndef fsapi(session, stream, env, args):\n".to_owned();
    for function in host::functions() {
        let object = function.object.as_str();
        let place = match function.form() {
            Form::Function => format!("freeswitch.{}", function.name),
            Form::Constructor => format!("freeswitch.{object}.__init__"),
            Form::Method => format!("freeswitch.{object}.{}", function.name),
        };
        let own = usize::from(function.form() != Form::Function);
        let most = own + function.arguments.len();
        let least = own + function.arguments.iter().filter(|argument| !argument.optional).count();
        // What it can be called with: the fewest arguments and the most.
        for count in [least, most] {
            let _ = writeln!(code, "    inspect.signature({place}).bind(*[None] * {count})");
        }
    }
    code.push_str("    stream.write('all')\n");
    let world = World::new(&PYTHON);
    world.write("table.py", &code);
    assert_eq!(world.api("table").text(), "all");
}

#[test]
fn perl_has_every_function() {
    let mut code = String::new();
    for function in host::functions() {
        let object = function.object.as_str();
        let _ = match function.form() {
            Form::Function => writeln!(code, "die '{0}' unless defined &freeswitch::{0};", function.name),
            _ => {
                writeln!(code, "die '{object}::{0}' unless freeswitch::{object}->can('{0}');", function.name)
            }
        };
    }
    code.push_str("$stream->write('all');");
    let world = World::new(&PERL);
    world.write("table.pl", &code);
    assert_eq!(world.api("table.pl").text(), "all");
}

#[test]
fn javascript_has_every_function() {
    let mut code = String::new();
    for function in host::functions() {
        let object = function.object.as_str();
        let place = match function.form() {
            Form::Function => format!("freeswitch.{}", function.name),
            Form::Constructor => format!("freeswitch.{object}"),
            Form::Method => format!("freeswitch.{object}.prototype.{}", function.name),
        };
        let _ = writeln!(code, "if (typeof {place} !== 'function') throw new Error('{place}');");
    }
    code.push_str("request.write('all');");
    let world = World::new(&JAVASCRIPT);
    world.write("table.js", &code);
    assert_eq!(world.api("table.js").text(), "all");
}
