//! linphone on a home of its own.

use chappe_interop::{Driven, PASSWORD, Server, free_port};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// `linphonec` or `linphone-daemon`; ended when dropped.
pub struct Linphone {
    pub process: Driven,
    _home: TempDir,
}

impl Linphone {
    /// `linphonec`, which sends chat messages as CPIM, asks for notifications with each, and prints its log, where it
    /// tells what became of a message.
    pub fn with_cpim() -> Linphone {
        let settings = "[proxy_default_values]\ncpim_in_basic_chat_rooms_enabled=1\n";
        let linphone = Linphone::start("linphonec", settings, &["-d", "6", "-l", "/dev/stderr"], "-c");
        linphone.process.expect("linphonec>");
        linphone
    }

    fn start(program: &str, settings: &str, arguments: &[&str], config_flag: &str) -> Linphone {
        let home = tempfile::tempdir().expect("a temporary folder");
        for folder in [".local/share/linphone", ".config/linphone"] {
            std::fs::create_dir_all(home.path().join(folder)).expect("a writable folder");
        }
        let (port, config) = (free_port(), home.path().join("linphonerc"));
        let text = format!(
            "[sip]\nsip_port={port}\nsip_tcp_port={port}\nguess_hostname=0\ncontact=sip:me@127.0.0.1\n{settings}"
        );
        std::fs::write(&config, text).expect("a writable folder");
        let mut command = Command::new(program);
        command.args(arguments).arg(config_flag).arg(&config).env("HOME", home.path());
        Linphone { process: Driven::start(command), _home: home }
    }

    /// Registers `user@127.0.0.1`: linphone sends notifications only where its identity is what To names, which has no
    /// port.
    pub fn register(&mut self, server: &Server, user: &str, transport: &str) {
        let proxy = server.sip();
        self.process
            .say(&format!("register sip:{user}@127.0.0.1 <sip:{proxy};transport={transport}> {PASSWORD}"));
        for _ in 0..50 {
            self.process.say("status register");
            if self.process.wait_for("registered, identity", Duration::from_millis(200)) {
                return;
            }
        }
        panic!("{user} is not registered:\n{}", self.process.printed());
    }

    /// Sends a chat message to `user@127.0.0.1`.
    pub fn chat(&mut self, user: &str, text: &str) {
        self.process.say(&format!("chat sip:{user}@127.0.0.1 {text}"));
    }
}
