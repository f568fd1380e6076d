//! The program by which the kernel chooses among the sockets of a port.
//!
//! Answers go to other sockets than requests, so that a flood of requests leaves room for them. An answer is for the shard that
//! waits for it, which our branch in its topmost Via names. Otherwise the sender decides, so that what is sent again meets what it
//! repeats.

use chappe_sip_proto::Branch;
use libc::{
    BPF_ABS, BPF_ADD, BPF_ALU, BPF_AND, BPF_H, BPF_IMM, BPF_IND, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K,
    BPF_LD, BPF_LDX, BPF_LEN, BPF_LSH, BPF_MEM, BPF_MISC, BPF_MOD, BPF_MUL, BPF_OR, BPF_RET, BPF_RSH, BPF_ST,
    BPF_TAX, BPF_W, BPF_X, BPF_XOR, SKF_NET_OFF, sock_filter,
};

/// `SIP/` in lower case, and what makes letters so: what an answer starts with.
const ANSWER: u32 = u32::from_be_bytes(*b"sip/");
const LOWER: u32 = 0x2020_2000;
/// Odd, with bits all over.
const MIX: u32 = 0x9e37_79b1;
/// Where a branch begins in an answer whose first header is Via, from the shortest host to a long one.
const BRANCH: std::ops::Range<u32> = 24..176;
/// Answers that are shorter are not looked through: reading beyond the end ends a program.
const LENGTH: u32 = BRANCH.end + 16;
/// A place for numbers: where the sockets for this kind of datagram begin.
const BASE: u32 = 1;
/// And one for what is reckoned with.
const SCRATCH: u32 = 2;

/// Requests go to the first `shards` sockets that were bound, answers to as many behind them. Offset 0 is the first octet of
/// the datagram; a datagram that is too short goes to the first socket.
pub fn program(shards: u32, is_ipv6: bool) -> Vec<sock_filter> {
    let (by_branch, by_sender) = (by_branch(shards), by_sender(shards, is_ipv6));
    let mut program = vec![
        op(BPF_LD | BPF_IMM, 0),
        op(BPF_ST, BASE),
        load(BPF_W, 0),
        op(BPF_ALU | BPF_OR | BPF_K, LOWER),
        jump(BPF_JEQ, ANSWER, 1, 0),
        op(BPF_JMP | BPF_JA, 2 + by_branch.len() as u32),
        op(BPF_LD | BPF_IMM, shards),
        op(BPF_ST, BASE),
    ];
    program.extend(by_branch);
    program.extend(by_sender);
    program
}

/// To the shard that an answer's branch names; goes on behind its end where there is none.
fn by_branch(shards: u32) -> Vec<sock_filter> {
    if shards < 2 {
        return Vec::new();
    }
    let chosen = chosen_by_branch(shards);
    let (search, nowhere) = (search(), op(BPF_JMP | BPF_JA, chosen.len() as u32));
    let behind = (search.len() + 1 + chosen.len()) as u32;
    let mut program =
        vec![op(BPF_LD | BPF_W | BPF_LEN, 0), jump(BPF_JGE, LENGTH, 1, 0), op(BPF_JMP | BPF_JA, behind)];
    program.extend(search);
    program.push(nowhere);
    program.extend(chosen);
    program
}

/// Looks for the cookie. Where it is found X is its place, and the instruction behind the end is skipped.
fn search() -> Vec<sock_filter> {
    let length = BRANCH.step_by(4).len() * (1 + 4 * 3);
    let mut program = Vec::with_capacity(length);
    for at in BRANCH.step_by(4) {
        program.push(load(BPF_W, at));
        // Every fourth octet is looked at: one of the cookie's first four words of four octets stands there.
        for back in 0..4 {
            let word = &Branch::COOKIE.as_bytes()[back..back + 4];
            let word = u32::from_be_bytes([word[0], word[1], word[2], word[3]]);
            program.push(jump(BPF_JEQ, word, 0, 2));
            program.push(op(BPF_LDX | BPF_IMM, at - back as u32));
            let left = length - (program.len() + 1);
            program.push(op(BPF_JMP | BPF_JA, left as u32 + 1));
        }
    }
    program
}

/// X is where the cookie stands. A shard has four hexadecimal digits, of which two are enough for 64 shards.
fn chosen_by_branch(shards: u32) -> Vec<sock_filter> {
    let digits = Branch::COOKIE.len() as u32;
    let load = |at: u32| op(BPF_LD | BPF_H | BPF_IND, at);
    let zeros = u32::from(u16::from_be_bytes(*b"00"));
    let mut program = vec![
        load(digits),
        jump(BPF_JEQ, zeros, 0, u8::MAX),
        load(digits + 2),
        // `0` to `9` are 0x30 on, `a` to `f` 0x61 on.
        op(BPF_ALU | BPF_AND | BPF_K, 0x4040),
        op(BPF_ALU | BPF_RSH | BPF_K, 6),
        op(BPF_ALU | BPF_MUL | BPF_K, 9),
        op(BPF_ST, SCRATCH),
        load(digits + 2),
        op(BPF_ALU | BPF_AND | BPF_K, 0x0f0f),
        op(BPF_LDX | BPF_MEM, SCRATCH),
        op(BPF_ALU | BPF_ADD | BPF_X, 0),
        op(BPF_ST, SCRATCH),
        op(BPF_ALU | BPF_RSH | BPF_K, 8),
        op(BPF_ALU | BPF_LSH | BPF_K, 4),
        op(BPF_MISC | BPF_TAX, 0),
        op(BPF_LD | BPF_MEM, SCRATCH),
        op(BPF_ALU | BPF_AND | BPF_K, 0xff),
        op(BPF_ALU | BPF_ADD | BPF_X, 0),
        jump(BPF_JGE, shards, 3, 0),
        op(BPF_LDX | BPF_MEM, BASE),
        op(BPF_ALU | BPF_ADD | BPF_X, 0),
        op(BPF_RET | RETURN_A, 0),
    ];
    program[1].jf = program.len() as u8 - 2;
    program
}

fn by_sender(shards: u32, is_ipv6: bool) -> Vec<sock_filter> {
    let (address, port): (&[u32], u32) = if is_ipv6 { (&[8, 12, 16, 20], 40) } else { (&[12], 20) };
    // Behind options of IPv4 the port is not found, and something else of the same sender counts instead.
    let mut program = vec![load(BPF_H, network(port))];
    for word in address {
        program.extend([
            op(BPF_ALU | BPF_MUL | BPF_K, MIX),
            op(BPF_MISC | BPF_TAX, 0),
            load(BPF_W, network(*word)),
            op(BPF_ALU | BPF_XOR | BPF_X, 0),
        ]);
    }
    program.extend([
        op(BPF_ALU | BPF_MUL | BPF_K, MIX),
        op(BPF_ALU | BPF_RSH | BPF_K, 16),
        op(BPF_ALU | BPF_MOD | BPF_K, shards.max(1)),
        op(BPF_LDX | BPF_MEM, BASE),
        op(BPF_ALU | BPF_ADD | BPF_X, 0),
        op(BPF_RET | RETURN_A, 0),
    ]);
    program
}

/// What libc has no name for: BPF_A of `linux/bpf_common.h`.
const RETURN_A: u32 = 0x10;

fn load(size: u32, at: u32) -> sock_filter {
    op(BPF_LD | size | BPF_ABS, at)
}

/// Skips so many instructions where the condition holds, and so many where not.
fn jump(condition: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { jt, jf, ..op(BPF_JMP | condition | BPF_K, k) }
}

/// An offset into the network header.
fn network(at: u32) -> u32 {
    SKF_NET_OFF.cast_unsigned() + at
}

fn op(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::UdpSocket;

    use crate::transport::mmsg::RecvBatch;
    use crate::transport::udp;

    /// Sends each of these from so many sockets; where each came in: shard, whether for answers, the sender, and what it was.
    fn sent(at: &str, datagrams: &[&str], senders: usize) -> Vec<(usize, bool, u16, String)> {
        let sockets = udp::open(at.parse().unwrap(), 3).unwrap();
        let to = sockets[0].local_addr().unwrap();
        let senders: Vec<_> = (0..senders).map(|_| UdpSocket::bind((to.ip(), 0)).unwrap()).collect();
        for sender in senders.iter().cycle().take(senders.len() * 2) {
            for datagram in datagrams {
                sender.send_to(datagram.as_bytes(), to).unwrap();
            }
        }
        let (mut batch, mut all) = (RecvBatch::new(32), Vec::new());
        for (shard, pair) in sockets.iter().enumerate() {
            for (is_answers, socket) in [(false, Some(&pair.requests)), (true, pair.answers.as_ref())] {
                let socket = socket.expect("the system takes the program");
                while batch.receive(socket).unwrap() > 0 {
                    all.extend(batch.datagrams().map(|(datagram, from)| {
                        let text = String::from_utf8_lossy(datagram).into_owned();
                        (shard, is_answers, from.port(), text)
                    }));
                }
            }
        }
        all
    }

    /// An answer to a request with this Via.
    fn answer(status: &str, via: &str) -> String {
        format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP {via}\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK0002\r\nFrom: <sip:a@h>;\
             tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: 0123456789\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
        )
    }

    #[test]
    fn an_answer_goes_to_the_shard_that_waits_for_it() {
        let hosts = ["h", "127.0.0.1:5060", "127.0.0.11:5060", "127.0.0.111:5060", "[2001:db8::1]:5060"];
        for (at, host) in ["127.0.0.1:0", "[::1]:0"].into_iter().flat_map(|at| hosts.map(|host| (at, host))) {
            for shard in 0..3 {
                let branch = format!("branch=z9hG4bK{shard:04x}0123456789abcdef00000001");
                let answers = [
                    answer("200 OK", &format!("{host};rport=5060;{branch}")),
                    answer("202 Accepted", &format!("{host};{branch};received=127.0.0.1;rport=5060")),
                    answer("480 Temporarily Unavailable", &format!("{host};{branch}")),
                ];
                let all = sent(at, &answers.each_ref().map(|answer| answer.as_str()), 10);
                assert_eq!(all.len(), 10 * 2 * answers.len());
                let strayed = all.iter().find(|(to, is_answers, ..)| *to != shard || !is_answers);
                assert!(strayed.is_none(), "{shard}: {strayed:?}");
            }
        }
    }

    #[test]
    fn an_answer_to_what_no_shard_sent_stays_with_its_sender() {
        for branch in [
            "z9hG4bK000300",
            "z9hG4bK004000",
            "z9hG4bK010000",
            "z9hG4bKnashds",
            "z9hG4bK00ZZ00",
            "z9hG4b",
            "old",
        ] {
            let answer =
                answer("200 OK", &format!("127.0.0.1:5060;branch={branch}")).replace("bK0002", "bKx002");
            let all = sent("127.0.0.1:0", &[&answer, "SIP/2.0 200 OK"], 20);
            let shard_of: BTreeSet<_> = all.iter().map(|(shard, _, from, _)| (*from, *shard)).collect();
            assert_eq!((all.len(), shard_of.len()), (80, 20), "{branch}");
            assert!(all.iter().all(|(_, is_answers, ..)| *is_answers));
        }
    }

    #[test]
    fn answers_have_sockets_of_their_own_and_senders_stay_where_they_are() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let datagrams = ["SIP/2.0 200 OK\r\n", "sip/2.0 180 R", "MESSAGE sip:a", "SIPS", "\r\n", ""];
            let all = sent(at, &datagrams, 40);
            assert_eq!(all.len(), 40 * 2 * datagrams.len());
            let is_answer = |text: &str| text.to_ascii_lowercase().starts_with("sip/");
            assert!(all.iter().all(|(_, answers, _, text)| *answers == is_answer(text)));
            let long = all.iter().filter(|(.., text)| text.len() >= 4);
            let shard_of: BTreeSet<_> = long.map(|(shard, _, from, _)| (*from, *shard)).collect();
            assert_eq!(shard_of.len(), 40, "a sender is at one shard");
            let shards: BTreeSet<_> = shard_of.iter().map(|(_, shard)| shard).collect();
            assert_eq!(shards.len(), 3, "the senders spread");
        }
    }
}
