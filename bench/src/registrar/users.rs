//! What users send: REGISTERs, MESSAGEs to them, and both with digest.

use chappe_sip_msg::{HeaderName, Message};
use chappe_sip_proto::digest::{Challenge, Protected, answer, strongest};

use super::drive::Requests;
use super::folder::user;
use super::request::Template;
use crate::folder::{DOMAIN, PASSWORD};

/// Everybody in turn, without credentials.
pub struct Everybody {
    pub template: Template,
    pub users: usize,
    /// The number of the first request.
    pub first: usize,
}

impl Requests for Everybody {
    fn write(&mut self, number: usize, out: &mut Vec<u8>) {
        self.template.write((number - self.first) % self.users, number, "", out);
    }
}

/// One sender's MESSAGEs to users here and there, no two of them near each other, and none again before all had one: a second
/// message to a device waits until the first is answered, which is not what is measured.
pub struct Messages {
    pub template: Template,
    pub users: usize,
}

impl Requests for Messages {
    fn write(&mut self, number: usize, out: &mut Vec<u8>) {
        self.template.write(number * stride(self.users) % self.users, number, "", out);
    }
}

/// From one user to the next: the golden section of all, and a number with which all come in turn.
fn stride(users: usize) -> usize {
    let golden = users * 618 / 1000;
    (golden.max(1)..).find(|stride| gcd(*stride, users) == 1).unwrap_or(1)
}

fn gcd(one: usize, other: usize) -> usize {
    if other == 0 { one } else { gcd(other, one % other) }
}

/// Users with passwords. A user answers the last challenge it got, counting up, as phones do.
pub struct Phones {
    pub template: Template,
    pub method: &'static str,
    pub first: usize,
    /// Of each user the challenge, and how often it was answered.
    known: Vec<Option<(Challenge, u32)>>,
    /// What the last time said, for requests that are sent once more.
    lines: Vec<(usize, String)>,
}

impl Phones {
    pub fn new(template: Template, method: &'static str, users: usize, first: usize) -> Self {
        Self { template, method, first, known: vec![None; users], lines: vec![(0, String::new()); users] }
    }

    fn line(&mut self, who: usize, number: usize) -> &str {
        let (of, line) = &mut self.lines[who];
        if *of != number {
            *of = number;
            *line = self.known[who].as_mut().map_or_else(String::new, |(challenge, count)| {
                *count += 1;
                credentials(self.method, who, challenge, *count)
            });
        }
        line
    }
}

fn credentials(method: &str, who: usize, challenge: &Challenge, count: u32) -> String {
    let (name, uri) = match method {
        "REGISTER" => ("Authorization", format!("sip:{DOMAIN}")),
        _ => ("Proxy-Authorization", format!("sip:{}@{DOMAIN}", user(who))),
    };
    let protected = Protected { method, uri: &uri, body: b"" };
    let value = answer(challenge, &user(who), PASSWORD, protected, "0a1b2c3d", count);
    format!("{name}: {value}\r\n")
}

impl Requests for Phones {
    fn write(&mut self, number: usize, out: &mut Vec<u8>) {
        let who = (number - self.first) % self.known.len();
        self.line(who, number);
        self.template.write(who, number, &self.lines[who].1, out);
    }

    fn answered(&mut self, number: usize, response: &Message<'_>) {
        let asks = match response.code() {
            Some(401) => HeaderName::WwwAuthenticate,
            Some(407) => HeaderName::ProxyAuthenticate,
            _ => return,
        };
        let challenges = response.all(asks).filter_map(|value| Challenge::parse(value).ok());
        let who = (number - self.first) % self.known.len();
        self.known[who] = strongest(challenges).map(|challenge| (challenge, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_its_turn() {
        for users in [1, 2, 100, 1000, 20_000] {
            let met: std::collections::HashSet<_> = (0..users).map(|n| n * stride(users) % users).collect();
            assert_eq!(met.len(), users);
        }
    }
}
