//! The pool: its start, its bounds, its end.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use chappe_script::worker::PYTHON;
use chappe_script::{Patience, Refused, Run};

use crate::world::World;

fn refused(interpreter: &str) -> String {
    match World::with(&PYTHON, |settings| settings.interpreter = interpreter.into()) {
        Ok(_) => panic!("{interpreter} is no Python"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_interpreter_that_is_none_is_told_at_the_start() {
    assert!(
        refused("nosuch-python").starts_with("there is no interpreter nosuch-python for python; install it")
    );
    assert!(refused("/nosuch/python3").starts_with("there is no interpreter /nosuch/python3"));
    assert!(refused("true").contains("ended at once (exit status: 0)"));
    assert!(refused("false").contains("ended at once (exit status: 1)"));
}

#[test]
fn an_interpreter_that_is_too_old_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("python");
    // Says what the worker program says on an old Python.
    std::fs::write(&old, "#!/bin/sh\nprintf '\\0\\0\\0\\014US\\0\\0\\0\\006it is ' >&3\n").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = refused(&old.display().to_string());
    assert!(error.ends_with("does not do: it is "), "{error}");
}

#[test]
fn the_interpreter_may_be_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("a python");
    let real =
        std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    symlink(String::from_utf8(real.unwrap().stdout).unwrap().trim(), &link).unwrap();
    let world = World::with(&PYTHON, |settings| settings.interpreter = link).unwrap();
    world.write("a.py", "import sys\ndef fsapi(session, stream, env, args): stream.write(sys.executable)\n");
    assert!(world.api("a").text().ends_with("a python"));
}

#[test]
fn a_full_queue_refuses() {
    let world = World::with(&PYTHON, |settings| settings.queue = 2).unwrap();
    world.write(
        "slow.py",
        "import os, time\ndef chat(message, args):\n    while not os.path.exists(args): time.sleep(0.01)\n",
    );
    let over = world.folder.path().join("over");
    let line = format!("slow {}", over.display());
    let waiting: Vec<_> = (0..8).map(|_| world.chat_begin(&line)).collect();
    let full: Vec<_> = waiting.iter().map(|began| matches!(began, Err(Refused::Full))).collect();
    // One runs, whether or not its worker has taken it up by now, and two wait.
    assert_eq!(full, [false, false, false, true, true, true, true, true]);
    std::fs::write(&over, "").unwrap();
    for finished in waiting.into_iter().flatten() {
        assert_eq!(world.end(finished).error, None);
    }
    assert_eq!(world.chat(&line).error, None);
}

#[test]
fn workers_run_side_by_side() {
    let world = World::with(&PYTHON, |settings| settings.workers = 3).unwrap();
    // Each waits until all three are there.
    world.write(
        "meet.py",
        "import os, time\ndef chat(message, args):\n    open(args + '/' + str(os.getpid()), 'w').close()\n    \
         while len(os.listdir(args)) < 3: time.sleep(0.01)\n    message.addHeader('pid', str(os.getpid()))\n",
    );
    let place = tempfile::tempdir().unwrap();
    let line = format!("meet {}", place.path().display());
    let waiting: Vec<_> = (0..3).map(|_| world.chat_begin(&line).unwrap()).collect();
    let mut pids: Vec<_> =
        waiting.into_iter().map(|finished| world.end(finished).header("pid").to_owned()).collect();
    pids.sort();
    pids.dedup();
    assert_eq!(pids.len(), 3);
}

#[test]
fn a_worker_that_was_ended_while_idle_is_replaced() {
    let world = World::new(&PYTHON);
    world.write(
        "pid.py",
        "import os\ndef fsapi(session, stream, env, args): stream.write(str(os.getpid()))\n",
    );
    let pid = world.api("pid").text();
    let killed = std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
    assert!(killed.success());
    while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::yield_now();
    }
    assert_ne!(world.api("pid").text(), pid);
}

#[test]
fn stopping_ends_workers_and_scripts() {
    let world = World::with(&PYTHON, |settings| settings.time_limit = None).unwrap();
    world.write(
        "pid.py",
        "import os\ndef fsapi(session, stream, env, args): stream.write(str(os.getpid()))\n",
    );
    world.write(
        "endless.py",
        "def chat(message, args):\n    open(args, 'w').close()\n    while True: pass\n\
         def runtime(args): chat(None, args)\n",
    );
    let pid = world.api("pid").text();
    let place = |name: &str| world.folder.path().join(name);
    let line = |name: &str| format!("endless {}", place(name).display());
    let running = world.chat_begin(&line("a")).unwrap();
    let waiting = world.chat_begin(&line("b")).unwrap();
    let background = Run::new(world.world.clone());
    let background = world.begin_patient(&line("c"), background, Patience::Endless).unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !(place("a").exists() && place("c").exists()) {
        assert!(std::time::Instant::now() < until, "the scripts do not begin");
        std::thread::yield_now();
    }
    world.pool.stop();
    assert!(world.chat_begin("endless").is_err_and(|refused| refused == Refused::Stopping));
    assert!(world.end(running).error.is_some());
    assert!(world.end(background).error.is_some());
    assert!(world.end(waiting).error().contains("being stopped"));
    let gone = || !std::path::Path::new(&format!("/proc/{pid}")).exists();
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !gone() && std::time::Instant::now() < until {
        std::thread::yield_now();
    }
    assert!(gone(), "the worker {pid} lives on");
}
