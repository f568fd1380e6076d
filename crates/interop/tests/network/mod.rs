//! Three network namespaces of the test's own: the server's, a phone's, and between them a router that translates addresses.
//!
//! ```text
//! outside 203.0.113.1 ── 203.0.113.2 router 192.168.77.1 ── 192.168.77.2 inside
//! ```
//!
//! Nobody outside has a way to 192.168.77.0/24: what reaches the phone went through the translation.

use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use chappe_interop::find;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
pub const PHONE: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 2);

/// What the phone's address and port become.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub ip: Ipv4Addr,
    pub ports: RangeInclusive<u16>,
}

impl Mapping {
    pub fn has(&self, addr: SocketAddr) -> bool {
        addr.ip() == self.ip && self.ports.contains(&addr.port())
    }
}

pub struct Network {
    pub outside: Namespace,
    pub inside: Namespace,
    router: Namespace,
    pub mapping: Mapping,
}

impl Network {
    /// `None` where this machine has no such thing, with a line that says so.
    pub fn new() -> Option<Network> {
        for program in ["ip", "nft", "conntrack"] {
            find(program)?;
        }
        let (outside, router, inside) = match ["out", "nat", "in"].map(Namespace::new) {
            [Some(outside), Some(router), Some(inside)] => (outside, router, inside),
            _ => {
                println!("skipped: no network namespace can be made here, or not by who is not root");
                return None;
            }
        };
        router.ip(&format!("link add outside type veth peer name eth0 netns {}", outside.name));
        router.ip(&format!("link add inside type veth peer name eth0 netns {}", inside.name));
        outside.up("eth0", &format!("{SERVER}/24"));
        router.up("outside", "203.0.113.2/24");
        router.up("inside", "192.168.77.1/24");
        inside.up("eth0", &format!("{PHONE}/24"));
        inside.ip("route add default via 192.168.77.1");
        router.run("sh", &["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], "");
        let mapping = Mapping { ip: Ipv4Addr::new(203, 0, 113, 2), ports: 30_000..=30_999 };
        let network = Network { outside, inside, router, mapping };
        network.translate();
        Some(network)
    }

    /// The router gets another address outside, and knows nothing of what it translated before.
    pub fn renumber(&mut self) {
        let (old, new) = (self.mapping.ip, Ipv4Addr::new(203, 0, 113, 3));
        // In this order: with the first address of a network go those that were added to it.
        self.router.ip(&format!("addr del {old}/24 dev outside"));
        self.router.ip(&format!("addr add {new}/24 dev outside"));
        self.mapping = Mapping { ip: new, ports: 40_000..=40_999 };
        self.translate();
    }

    fn translate(&self) {
        let Mapping { ip, ports } = &self.mapping;
        let rules = format!(
            "table ip nat\nflush table ip nat\ntable ip nat {{\n  chain out {{\n\
             type nat hook postrouting priority 100\n\
             oifname \"outside\" meta l4proto {{ tcp, udp }} snat to {ip}:{}-{}\n  }}\n}}\n",
            ports.start(),
            ports.end()
        );
        self.router.run("nft", &["-f", "-"], &rules);
        self.router.run("conntrack", &["-F"], "");
    }
}

/// One network namespace; deleted when dropped.
pub struct Namespace {
    name: String,
}

impl Namespace {
    fn new(role: &str) -> Option<Namespace> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chappe-{}-{count}-{role}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).stderr(Stdio::null()).status();
        let namespace = made.is_ok_and(|status| status.success()).then_some(Namespace { name })?;
        namespace.ip("link set lo up");
        Some(namespace)
    }

    fn up(&self, link: &str, address: &str) {
        self.ip(&format!("addr add {address} dev {link}"));
        self.ip(&format!("link set {link} up"));
    }

    fn ip(&self, line: &str) {
        let status = Command::new("ip").args(["-n", &self.name]).args(line.split(' ')).status();
        assert!(status.is_ok_and(|status| status.success()), "ip -n {} {line}", self.name);
    }

    /// Runs a program there; fails the test when it fails.
    fn run(&self, program: &str, arguments: &[&str], input: &str) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("ip was there a moment ago");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        stdin.write_all(input.as_bytes()).expect("the program reads what it is told");
        drop(stdin);
        let ended = child.wait_with_output().expect("the program ends");
        assert!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
    }

    /// Does this with a thread of this namespace: sockets that it opens and programs that it starts stay there.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.name)).expect("the namespace is there");
        std::thread::scope(|scope| {
            let there = scope.spawn(move || {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                    .expect("root may enter a namespace of its own");
                work()
            });
            there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Whoever runs in it keeps it until it ends; nothing can be done where it fails.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}
