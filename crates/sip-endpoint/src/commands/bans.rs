//! `sofia_bans`: who is not listened to, and who is again.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_api::{Answer, Call, Command, Row};

use crate::Endpoint;
use crate::guard;
use crate::world::World;

pub const ROW: Row = Row {
    name: "sofia_bans",
    syntax: "[list] | add <ip> [<seconds>] | lift <ip> | lift all",
    doc: "List, add and lift bans of addresses; of IPv6 a network of 64 bits is one address",
    module: "mod_sofia",
};

pub struct SofiaBans(pub Arc<Endpoint>);

/// Seconds of a ban that names none.
const TIME: u32 = 300;
/// A year.
const LONGEST: u32 = 31_536_000;

impl Command for SofiaBans {
    fn row(&self) -> &Row {
        &ROW
    }

    fn run(&self, call: Call<'_>) -> Answer {
        let words: Vec<_> = call.args.split_whitespace().collect();
        let world = self.0.world();
        match *words {
            [] | ["list"] => Answer::Ready(list(world)),
            ["add", ip] => add(world, ip, TIME),
            ["add", ip, seconds] => match seconds.parse() {
                Ok(seconds @ 1..=LONGEST) => add(world, ip, seconds),
                _ => Answer::Ready(format!("-ERR {seconds} is not 1 to {LONGEST} seconds\n")),
            },
            ["lift", "all"] => Answer::Ready(format!("+OK {} lifted\n", world.bans.clear())),
            ["lift", ip] => with_ip(ip, |ip| match world.bans.lift(ip) {
                true => format!("+OK {ip} lifted\n"),
                false => format!("-ERR {ip} is not banned\n"),
            }),
            _ => Answer::usage(&ROW),
        }
    }
}

/// `192.0.2.1 288`, one a line.
fn list(world: &World) -> String {
    let bans = world.bans.list(Instant::now());
    let lines = bans.iter().map(|(ip, left)| match ip {
        IpAddr::V4(ip) => format!("{ip} {}\n", left.as_secs()),
        IpAddr::V6(ip) => format!("{ip}/64 {}\n", left.as_secs()),
    });
    lines.collect::<String>() + &format!("{} total.\n", bans.len())
}

fn add(world: &World, ip: &str, seconds: u32) -> Answer {
    with_ip(ip, |ip| {
        guard::ban(world, ip, Duration::from_secs(seconds.into()));
        format!("+OK {ip} banned for {seconds} seconds\n")
    })
}

fn with_ip(text: &str, work: impl FnOnce(IpAddr) -> String) -> Answer {
    // As the list shows it, with the length of its network.
    match text.trim_end_matches("/64").parse() {
        Ok(ip) => Answer::Ready(work(ip)),
        Err(_) => Answer::Ready(format!("-ERR {text} is not an IP address\n")),
    }
}
